// Package inprocess runs a gateway inside a test, from a plan that is made in Go: what it listens to, logs and costs can
// be measured from there.
package inprocess

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka"
	"github.com/asyncgate/asyncgate/proxy/mqtt"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tokens"
)

// stopTimeout bounds how long a gateway may take to end, without a drain.
const stopTimeout = 30 * time.Second

// Gateway is a running gateway.
type Gateway struct {
	Log       *Log
	Addresses map[string]string // host:port of every server, by name
}

// Start starts a gateway and waits until it accepts connections. It ends with the test.
func Start(t testing.TB, p *plan.Plan, users sasl.Directory) *Gateway {
	t.Helper()
	log := newLog()
	gateway, err := proxy.New(proxy.Config{
		Plan: p, Log: zap.New(log), Protocols: []proxy.Protocol{kafka.New(), mqtt.New()},
		Directory: func(*plan.Plan) (sasl.Directory, error) { return users, nil }, Tokens: tokensOf,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, proxy.ErrDrainForced) { // connections that are cut are the test's business
				t.Errorf("the gateway ended: %v", err)
			}
		case <-time.After(p.Limits.Drain + stopTimeout):
			t.Errorf("the gateway did not end in %v after its drain", stopTimeout)
		}
	})
	g := &Gateway{Log: log, Addresses: map[string]string{}}
	g.readAddresses(t, log.Wait(t, stopTimeout, func(r Record) bool { return r.Message == "ready" }))
	return g
}

// tokensOf believes the issuers of a plan, by the keys that they publish.
func tokensOf(p *plan.Plan) (sasl.Tokens, error) {
	if len(p.Tokens) == 0 {
		return nil, nil
	}
	var o tokens.Options
	for _, i := range p.Tokens {
		o.Issuers = append(o.Issuers, tokens.Issuer{Name: i.Issuer, Audiences: i.Audiences, JWKS: i.JWKS})
	}
	return tokens.New(o)
}

func (g *Gateway) readAddresses(t testing.TB, ready Record) {
	t.Helper()
	text, err := json.Marshal(ready.Fields["servers"])
	if err != nil {
		t.Fatal(err)
	}
	var servers []struct{ Name, Listen string }
	if err := json.Unmarshal(text, &servers); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		g.Addresses[s.Name] = s.Listen
	}
}
