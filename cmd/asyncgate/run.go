package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka"
	"github.com/asyncgate/asyncgate/proxy/mqtt"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/sasl"
)

// runCmd enforces a document until it is told to stop.
type runCmd struct {
	Doc       string            `arg:"" help:"AsyncAPI document."`
	Settings  string            `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document)."`
	Server    []string          `placeholder:"NAME" sep:"none" help:"Run this server only; repeatable."`
	Listen    map[string]string `placeholder:"SERVER=ADDR" mapsep:"none" help:"Bind this address instead; repeatable."`
	Advertise map[string]string `placeholder:"SERVER=HOST:PORT" mapsep:"none" help:"Tell clients to dial this address instead; repeatable."`
	Upstream  map[string]string `placeholder:"SERVER=HOST:PORT,…" mapsep:"none" help:"Connect to these brokers instead; repeatable."`
	LogFormat string            `enum:"auto,json,console" default:"auto" help:"json, console, or auto: console on a terminal."`
	LogLevel  string            `enum:"debug,info,warn,error" default:"info" help:"debug, info, warn or error. Audit records are always written."`
	remoteFlag
}

func (c *runCmd) options() compile.Options {
	opt := compile.Options{Only: c.Server, Listen: c.Listen, Advertise: c.Advertise, Deployment: true}
	if len(c.Upstream) > 0 {
		opt.Upstream = make(map[string][]string, len(c.Upstream))
		for server, brokers := range c.Upstream {
			opt.Upstream[server] = strings.Split(brokers, ",")
		}
	}
	return opt
}

// load makes the plan anew from what the files hold now.
func (c *runCmd) load() (*plan.Plan, []plan.Problem, error) {
	return loadPlan(c.Doc, c.Settings, c.AllowRemote, c.options())
}

// Run serves until SIGTERM or SIGINT and the end of the drain.
func (c *runCmd) Run(env *environment) error {
	p, problems, err := c.load()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := report.Problems(env.stderr, problems); err != nil {
		return err
	}
	if code := worst(problems); code != exitOK {
		return &exitError{code, c.unsettled(problems)}
	}
	log := newLogger(env.stderr, c.LogFormat, c.LogLevel)
	defer func() { _ = log.Sync() }() // standard error of a pipe cannot be synced, which is no fault

	signals := make(chan os.Signal, 4) // before the gateway is ready, so that nothing sent to it is lost or kills it
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)

	gateway, err := proxy.New(proxy.Config{
		Plan: p, Log: log, Protocols: []proxy.Protocol{kafka.New(), mqtt.New()}, Directory: directory, Tokens: (&issuers{log: log}).open,
	})
	if err != nil {
		return startError(err)
	}
	r := &reloader{gateway: gateway, load: c.load, log: log, done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background()) // it outlives env.ctx: a second signal comes during the drain
	go r.run(ctx, p.Files, signals)
	debug.FreeOSMemory() // what it took to read the document
	err = gateway.Run(env.ctx)
	stop()
	<-r.done
	if err != nil {
		return &exitError{exitRuntime, err}
	}
	return nil
}

// unsettled says what there is to do before anything else where problems come of there being no settings; nil: there are some.
func (c *runCmd) unsettled(problems []plan.Problem) error {
	of := func(p plan.Problem) bool {
		return p.Severity == plan.Error && (strings.HasPrefix(p.Code, "settings/") || p.Code == "security/none")
	}
	if c.Settings != "" || besides(c.Doc) != "" || !slices.ContainsFunc(problems, of) {
		return nil
	}
	return fmt.Errorf("there is no %s beside %s; asyncgate init %s writes one", settingsName, c.Doc, c.Doc)
}

// taken says what to do about an address that another program has.
func taken(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; end the program that listens there, or bind another address with --listen SERVER=ADDR", err)
	}
	return err
}

// Help is what `run --help` says beyond the flags.
func (*runCmd) Help() string {
	return `Listens on the ports of the document's servers, and lets through to the brokers whoever proves what the document asks for, and
what it allows. SIGHUP, or a change of a file, has it read its files anew; SIGTERM ends it when what is under way has been answered.

Exit codes: 0 ended by SIGTERM; 1 a problem of severity error in the document, the settings or the credentials; 2 wrong arguments, or a
document that cannot be opened; 3 failed at run time: a port in use, connections that outlasted the drain.

Examples:
  asyncgate run orders.yml                                        with the asyncgate.yaml beside it
  asyncgate run orders.yml -c prod.yaml --server prod             one server, as it is deployed
  asyncgate run orders.yml --upstream prod=kafka-1:9092,kafka-2:9092 --listen prod=127.0.0.1:9092 --advertise prod=localhost:9092

Pages: docs/running.md, docs/settings.md.`
}

// directory opens the credentials that a plan names.
func directory(p *plan.Plan) (sasl.Directory, error) {
	if p.Credentials == "" {
		return nil, nil
	}
	store, err := credentials.Open(p.Credentials)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return store, nil
}

// startError tells what is wrong with the files from what is wrong with the machine.
func startError(err error) error {
	if wrong := (*proxy.PlanError)(nil); errors.As(err, &wrong) {
		return &exitError{exitProblem, err}
	}
	return &exitError{exitRuntime, taken(err)}
}
