package mqttclients_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
)

// audience is what tokens for the gateway are for.
const audience = "mqtt"

func newIssuer(t *testing.T) *throwaway.Issuer {
	t.Helper()
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	return issuer
}

// believed are the settings of an issuer; more is laid over them.
func believed(issuer *throwaway.Issuer, more map[string]any) map[string]any {
	s := map[string]any{"issuer": issuer.URL(), "audience": audience}
	maps.Copy(s, more)
	return s
}

// tokenOf is a token of alice's, or one with the fault that the gateway has a code for.
func tokenOf(t *testing.T, issuer *throwaway.Issuer, scopes string, lifetime time.Duration, fault string) string {
	t.Helper()
	claims := issuer.Claims("alice", audience, lifetime)
	claims["scope"] = scopes
	switch fault {
	case "expired":
		claims["exp"] = time.Now().Add(-time.Hour).Unix()
	case "token-audience":
		claims["aud"] = "billing"
	case "missing-scope":
		claims["scope"] = "another"
	}
	token, err := issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withToken is a scheme whose credential is a token in the argument of that name.
func withToken(t *testing.T, name, url, argument string, issuer *throwaway.Issuer, scopes string, faults ...string) scheme {
	t.Helper()
	s := scheme{name: name, right: map[string]string{"url": url, argument: tokenOf(t, issuer, scopes, time.Hour, "")}}
	for _, fault := range faults {
		s.wrong = append(s.wrong, mistake{map[string]string{argument: tokenOf(t, issuer, scopes, time.Hour, fault)}, []string{fault}})
	}
	return s
}

func tokenAsPassword(t *testing.T, name string, issuer *throwaway.Issuer, scopes string, faults ...string) scheme {
	t.Helper()
	s := withToken(t, name, "mqtts", "password", issuer, scopes, faults...)
	s.right["user"] = "ignored"
	return s
}

func tokenByAuth(t *testing.T, name string, issuer *throwaway.Issuer, scopes string, faults ...string) scheme {
	t.Helper()
	s := withToken(t, name, "mqtts", "password", issuer, scopes, faults...)
	s.right["auth"] = "OAUTHBEARER"
	return s
}

// startTokens has a server for every road on which tokens come.
func startTokens(t *testing.T, b *mosquittotest.Broker, issuer *throwaway.Issuer) *gateway {
	t.Helper()
	const scopes = "lights:write"
	faults := []string{"expired", "token-audience", "missing-scope"}
	return startGateway(t, filepath.Join("testdata", "tokens.yml"), func(*gatewaytest.Credentials) []front {
		return []front{
			{tokenAsPassword(t, "token as password", issuer, scopes, faults...), "tcp", password(b)},
			{tokenByAuth(t, "OAUTHBEARER", issuer, scopes, faults...), "tcp", password(b)},
			{withToken(t, "Bearer, wss", "wss", "bearer", issuer, scopes, faults...), "web", web(b)},
		}
	}, believed(issuer, nil))
}

// TestTokens has every client come with a token on every road that it knows, and with tokens that are no good.
func TestTokens(t *testing.T) {
	g := startTokens(t, mosquittotest.Start(t, mosquittotest.Options{}), newIssuer(t))
	g.logins(t, g.audited)
	g.exchanges(t, 3)
}

// lifetime is how long a token lasts whose end is waited for: enough for a client to start on a busy machine.
const lifetime = 15 * time.Second

// grace is how long after that messages may still come on a busy machine.
const grace = 5 * time.Second

// TestTheEndOfATokenEndsDeliveries has subscribers who do nothing but listen while messages keep coming, until their
// tokens end.
func TestTheEndOfATokenEndsDeliveries(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	issuer := newIssuer(t)
	g := startTokens(t, b, issuer)
	publish(t, b, "clients/expiry")
	for _, c := range []struct {
		client, version string
		scheme          scheme
		code            int64 // of the DISCONNECT
	}{
		{"paho (Python)", "5", g.schemes[0], 0x87},
		{"paho (Python)", "4", g.schemes[0], 0}, // 3.1.1 has no word for it
		{"paho.golang", "5", g.schemes[1], 0x87},
	} {
		t.Run(c.client+"/"+c.scheme.name+"/"+versions[c.version], func(t *testing.T) {
			t.Parallel()
			d := driverNamed(t, c.client)
			d.program.Ready(t) // which may take a while, and the token's time is short
			end := time.Now().Add(lifetime)
			a := d.run(t, "listen", g.arguments(t, c.scheme, c.version, map[string]string{
				"topic": "clients/expiry", "password": tokenOf(t, issuer, "lights:write", lifetime, "")}))
			note(t, d, c.scheme, c.version, "listen", a.Outcome)
			var code, last int64
			if _, err := fmt.Sscanf(a.Message, "ended with %v after %d", &code, &last); err != nil || a.Outcome != drivers.Disconnected {
				t.Fatalf("%v: %+v", err, a)
			}
			if code != c.code {
				t.Errorf("ended with %#x, want %#x", code, c.code)
			}
			if after := time.UnixMilli(last).Sub(end); a.Records == 0 || after > grace || after < -lifetime {
				t.Errorf("%d messages, the last %v after the end", a.Records, after)
			}
			g.Wait(t, auditTimeout, "the end of a session", func(r gatewaytest.Record) bool {
				return r.Has(map[string]string{"logger": "audit", "principal": "alice", "code": "expired"})
			})
		})
	}
}

// publish tells the time, at the broker itself, again and again until the test ends.
func publish(t *testing.T, b *mosquittotest.Broker, topic string) {
	t.Helper()
	conn, err := net.Dial("tcp", b.Address(mosquittotest.Open))
	if err != nil {
		t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{Conn: conn})
	if _, err := client.Connect(t.Context(), &paho.Connect{ClientID: "clock", CleanStart: true, KeepAlive: 60}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				if _, err := client.Publish(ctx, &paho.Publish{Topic: topic, Payload: []byte(strconv.FormatInt(now.UnixMilli(), 10))}); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended; _ = conn.Close() })
}

func driverNamed(t *testing.T, name string) driver {
	t.Helper()
	for _, d := range clients {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no client %s", name)
	return driver{}
}
