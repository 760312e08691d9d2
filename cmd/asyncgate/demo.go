package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/asyncgate/asyncgate/examples"
	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka"
	"github.com/asyncgate/asyncgate/proxy/mqtt"
	"github.com/asyncgate/asyncgate/report"
)

// demoCmd shows a document enforced, with nothing but this binary.
type demoCmd struct {
	Doc  string `arg:"" optional:"" help:"AsyncAPI document; without one, the Kafka and the MQTT streetlights examples of the specification."`
	Once bool   `help:"End after the self-check: 0 if every line of it held, 1 if not."`
}

// Help is what --help says besides the flags.
func (demoCmd) Help() string {
	return `Starts three embedded Kafka brokers and an MQTT broker with the gateway in front of them, throwaway certificates and
users, and tries every way in: the right ones and the wrong ones. Then it stays up and prints commands to try with your
own client. All of it is on loopback, and gone when it ends.

Examples:
  asyncgate demo                      the specification's own examples
  asyncgate demo --once               for a pipeline: the self-check, then the end
  asyncgate demo my-asyncapi.yml      your document`
}

// example is a document to show.
type example struct {
	name string
	text []byte
}

// Run sets the world of each document up, checks it, and keeps them up.
func (c *demoCmd) Run(env *environment) error {
	documents := []example{
		{"streetlights-kafka.yml", examples.StreetlightsKafka}, {"streetlights-mqtt.yml", examples.StreetlightsMQTT},
	}
	if c.Doc != "" {
		data, err := readDocument(c.Doc)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		documents = []example{{filepath.Base(c.Doc), data}}
	}
	return c.show(env, documents, nil, true)
}

// show brings up what is still to be shown, one inside of the other, and then stays up with all of it.
func (c *demoCmd) show(env *environment, documents []example, up []*demo, held bool) error {
	if len(documents) == 0 {
		return c.stay(env, up, held)
	}
	dir, err := os.MkdirTemp("", "asyncgate-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{env: env, dir: dir, document: documents[0].name}
	defer d.close()
	if err := d.prepare(documents[0].text); err != nil {
		return err
	}
	return d.serve(func(ctx context.Context) error {
		if len(up) > 0 {
			fmt.Fprintln(env.stdout)
		}
		held := d.selfCheck(ctx) && held
		inside := *env
		inside.ctx = ctx
		return c.show(&inside, documents[1:], append(up, d), held)
	})
}

// stay ends the demo, at once or when it is interrupted.
func (c *demoCmd) stay(env *environment, up []*demo, held bool) error {
	if c.Once {
		if !held {
			return &exitError{exitProblem, errors.New("the self-check failed: a line of the table did not hold")}
		}
		return nil
	}
	fmt.Fprintln(env.stdout, "\nThe gateway stays up until you press Ctrl-C.")
	for _, d := range up {
		if err := d.printCommands(); err != nil {
			return err
		}
	}
	<-env.ctx.Done()
	fmt.Fprintln(env.stdout, "\nThe demo has ended; its files are gone.")
	return nil
}

// demo is the world of one demo: a folder with the files that an operator would write, brokers, and a gateway.
type demo struct {
	env      *environment
	dir      string
	document string // its name in dir
	plan     *plan.Plan
	people   people
	works    map[string]work   // by server
	enforce  bool              // operations
	kafka    *kfake.Cluster    // nil: no server of the document is Kafka
	mqtt     *mqttBroker       // nil: none is MQTT
	issuer   *throwaway.Issuer // nil: no server takes tokens
	scopes   string            // of the tokens
	audit    *observer.ObservedLogs
	gateway  *proxy.Gateway
}

// close ends the brokers.
func (d *demo) close() {
	if d.kafka != nil {
		d.kafka.Close()
	}
	if d.mqtt != nil {
		_ = d.mqtt.Close()
	}
	if d.issuer != nil {
		d.issuer.Close()
	}
}

// path is a file of the demo.
func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// serve runs the gateway while do runs.
func (d *demo) serve(do func(context.Context) error) error {
	watched, logs := observer.New(zapcore.InfoLevel)
	d.audit = logs
	shown := newLogger(d.env.stderr, "auto", "warn")
	log := zap.New(zapcore.NewTee(watched, warnings{shown.Core()}))
	p, problems, err := loadPlan(d.path(d.document), "", nil, compile.Options{Deployment: true})
	if err != nil {
		return err
	}
	if worst(problems) != exitOK {
		if err := report.Problems(d.env.stderr, problems); err != nil {
			return err
		}
		return &exitError{code: exitProblem}
	}
	d.plan = p
	gateway, err := proxy.New(proxy.Config{Plan: p, Log: log, Protocols: []proxy.Protocol{kafka.New(), mqtt.New()}, Directory: directory,
		Tokens: (&issuers{log: log}).open})
	if err != nil {
		return startError(err)
	}
	d.gateway = gateway
	ctx, stop := context.WithCancel(d.env.ctx)
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	err = d.awaitReady(ctx)
	if err == nil {
		err = do(ctx)
	}
	stop()
	return errors.Join(err, <-ended)
}

// awaitReady waits until every listener accepts.
func (d *demo) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for d.audit.FilterMessage("ready").Len() == 0 {
		select {
		case <-ctx.Done():
			return errors.New("the gateway did not become ready")
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// warnings lets through what an operator would have to look at. Refusals are the point of a demo, and told in its table.
type warnings struct{ zapcore.Core }

func (w warnings) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level < zapcore.WarnLevel {
		return c
	}
	return w.Core.Check(e, c)
}

func (w warnings) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }
