// Command bench measures what asyncgate costs in front of a real Apache Kafka broker and of Mosquitto, beside no proxy at
// all and beside HAProxy, which passes bytes without looking at them: go run ./bench
//
// Everything runs on loopback of one machine, client and broker included, so figures mean something only as ratios to
// direct connections of the same run. Rounds alternate: each measures everything once, so a machine that has a bad
// minute is bad to all alike, and every figure is the median of the rounds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/asyncgate/asyncgate/bench/rig"
	"github.com/asyncgate/asyncgate/test/parts"
)

// options are the command line.
type options struct {
	quick    bool
	protocol string
	rounds   int
	only     string
	columns  string
	write    string
	hold     bool
	program  string
	timeout  time.Duration
}

const usage = `Measures asyncgate in front of a real Apache Kafka broker and of Mosquitto, beside direct connections and HAProxy.

Needs Java and Maven (for Kafka's jars), Mosquitto (for MQTT), OpenSSL, Go and Linux; without HAProxy its columns stay
empty. Takes about 25 minutes, with --quick less than 3.

  go run ./bench [flags]

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprintf(stderr, "\nmeasures: %s\ncolumns: %s\n", strings.Join(measureNames(), ", "), strings.Join(columnNames(), ", "))
	}
	flags.BoolVar(&o.quick, "quick", false, "one short round: shows that everything works, and roughly what comes out")
	flags.IntVar(&o.rounds, "rounds", 0, "how many rounds (default 5, with --quick 1)")
	flags.StringVar(&o.protocol, "protocol", "", "kafka or mqtt `alone`; default: both")
	flags.StringVar(&o.only, "only", "", "comma-separated `measures`; default: all")
	flags.StringVar(&o.columns, "columns", "", "comma-separated `columns`; default: all")
	flags.StringVar(&o.write, "write", "", "`file` whose section between the bench:begin and bench:end comments gets the result, and MQTT's between those of bench-mqtt")
	flags.BoolVar(&o.hold, "hold", false, "set everything up, print where, and wait for an interrupt")
	flags.StringVar(&o.program, "asyncgate", "", "built `program` to measure; default: built from the source here")
	flags.DurationVar(&o.timeout, "timeout", 45*time.Minute, "bound on the whole run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %s (see --help)", flags.Arg(0))
	}
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	root, err := parts.Root()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()

	fmt.Fprintln(stderr, "starting the brokers and what stands in front of them")
	r, err := rig.Start(ctx, rig.Options{
		Root: root, Kafka: chosen.of(false), MQTT: chosen.of(true), HAProxy: chosen.haproxy(), Gateway: chosen.asyncgate(), Program: o.program,
	})
	if err != nil {
		return err
	}
	defer r.Stop()
	b, err := prepare(ctx, r, chosen.size, stderr)
	if err != nil {
		return err
	}
	if o.hold {
		b.describe(stdout)
		<-ctx.Done()
		return nil
	}
	fmt.Fprintln(stderr, "warming the broker up")
	if err := b.warm(ctx, chosen); err != nil {
		return err
	}
	start := time.Now()
	all, err := b.rounds(ctx, chosen)
	if err != nil {
		return err
	}
	for _, mqtt := range []bool{false, true} {
		if !chosen.of(mqtt) {
			continue
		}
		report := render(all, chosen, mqtt, b.describeRun(ctx, chosen, mqtt, start))
		if o.write == "" {
			fmt.Fprintln(stdout, report)
		} else if err := sectionOf(mqtt).write(filepath.Clean(o.write), report); err != nil {
			return err
		}
	}
	return nil
}
