package mqttclients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/oidc"
	"github.com/asyncgate/asyncgate/test/parts"
)

// Of tokens that are renewed: how long they last, when clients fetch the next, and how long they stay, which is beyond the
// end of the first. Between the first two is what a busy machine may need.
const (
	brief = 12 * time.Second
	every = 4 * time.Second
	stay  = 15 * time.Second
)

// liveTimeout bounds the wait for what has to happen to a connection.
const liveTimeout = 45 * time.Second

// live is a gateway in front of a broker that tells the time, and believes three real issuers: one whose tokens are renewed,
// one whose key is replaced, and one whose tokens are opaque.
type live struct {
	*gateway
	renewed, rotated, opaque *oidctest.Provider
	listen                   atomic.Int32 // clients with tokens of the first key
	rotate                   sync.Once
}

func startLive(t *testing.T) *live {
	t.Helper()
	b := mosquittotest.Start(t, mosquittotest.Options{})
	of := func(lifetime time.Duration, opaque bool, names ...string) *oidctest.Provider {
		clients := map[string]oidctest.Client{"gateway": {Audience: audience}}
		for _, name := range names {
			clients[name] = oidctest.Client{Scope: "lights:write", Audience: audience, Lifetime: lifetime, Opaque: opaque}
		}
		return oidctest.Start(t, clients)
	}
	l := &live{renewed: of(brief, false, "paho.golang", "MQTT.js", "paho.golang forgets"), rotated: of(time.Hour, false, "paho (Python)", "MQTT.js"),
		opaque: of(time.Hour, true, "paho (Python)", "paho.golang", "MQTT.js")}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(oidctest.Secret("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
	believe := func(p *oidctest.Provider, prefix string, more map[string]any) map[string]any {
		more["issuer"], more["audience"], more["principal"], more["prefix"] = p.Issuer(), audience, "client_id", prefix
		return more
	}
	l.gateway = startGateway(t, filepath.Join("testdata", "tokens.yml"), func(*gatewaytest.Credentials) []front {
		return []front{
			{scheme{name: "token as password", right: map[string]string{"url": "mqtts", "user": "ignored"}}, "tcp", password(b)},
			{scheme{name: "OAUTHBEARER", right: map[string]string{"url": "mqtts", "auth": "OAUTHBEARER"}}, "tcp", password(b)},
			{scheme{name: "Bearer, wss", right: map[string]string{"url": "wss"}}, "web", web(b)},
		}
	}, believe(l.renewed, "renewed ", map[string]any{}),
		believe(l.rotated, "rotated ", map[string]any{"refresh": "10s", "minInterval": "1s"}),
		believe(l.opaque, "opaque ", map[string]any{"introspection": map[string]any{"url": l.opaque.Introspection(),
			"clientId": "gateway", "clientSecret": "file:" + secret, "cache": "1s", "recheck": "5s"}}))
	publish(t, b, "clients/live")
	return l
}

// listening has a client listen to the time until it is over, and calls happens once it does.
func (l *live) listening(t *testing.T, client string, s scheme, more map[string]string, happens func()) drivers.Answer {
	t.Helper()
	more["topic"], more["timeout"] = "clients/live", fmt.Sprint(int(liveTimeout.Seconds()))
	more["ready"] = filepath.Join(t.TempDir(), "ready")
	d := driverNamed(t, client)
	d.program.Ready(t) // which may take a while
	ended := make(chan drivers.Answer, 1)
	arguments := l.arguments(t, s, "5", more)
	go func() { ended <- d.run(t, "listen", arguments) }()
	if happens != nil {
		parts.Await(t, liveTimeout, "client that listens", func() bool { _, err := os.Stat(more["ready"]); return err == nil })
		happens()
	}
	select {
	case a := <-ended:
		note(t, d, s, "5", "listen, "+filepath.Base(t.Name()), a.Outcome)
		return a
	case <-time.After(driverTimeout):
		t.Fatal("the client does not end")
		return drivers.Answer{}
	}
}

// told waits for the record of what has become of a principal's session.
func (l *live) told(t *testing.T, principal, decision, code string) {
	t.Helper()
	l.Wait(t, liveTimeout, fmt.Sprintf("audit record of %s: %s", principal, code), func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "principal": principal, "decision": decision, "code": code})
	})
}

// ended holds the answer of a client against the code with which its session has to end.
func ended(t *testing.T, a drivers.Answer, want int64) {
	t.Helper()
	var code, last int64
	if _, err := fmt.Sscanf(a.Message, "ended with %v after %d", &code, &last); err != nil || a.Outcome != drivers.Disconnected {
		t.Fatalf("%v: %+v", err, a)
	}
	if code != want || a.Records == 0 {
		t.Errorf("ended with %#x after %d messages, want %#x", code, a.Records, want)
	}
}

// What a client is told at the end: of a token that is over, and of one that was withdrawn (MQTT 5 table 3-10).
const (
	notAuthorized        = 0x87
	administrativeAction = 0x98
)

// TestTokensOnLiveConnections has clients listen on one connection while things happen to their tokens, which are those of a
// real issuer. All of them wait at once, which costs no processor.
func TestTokensOnLiveConnections(t *testing.T) {
	l := startLive(t)
	asPassword, byAuth, inWebSocket := l.schemes[0], l.schemes[1], l.schemes[2]
	var all sync.WaitGroup
	each := func(name string, do func(*testing.T)) { all.Go(func() { t.Run(name, do) }) }
	for _, client := range []string{"paho.golang", "MQTT.js"} {
		each(client+"/renewed", func(t *testing.T) { l.renews(t, client, byAuth) })
	}
	each("paho.golang/expired", func(t *testing.T) {
		const who = "paho.golang forgets"
		ended(t, l.listening(t, "paho.golang", byAuth, map[string]string{
			"endpoint": l.renewed.Endpoint(), "user": who, "password": oidctest.Secret(who), "scope": "lights:write"}, nil), notAuthorized)
		l.told(t, "renewed "+who, "deny", "expired")
	})
	clients := map[string]scheme{"paho (Python)": asPassword, "MQTT.js": byAuth}
	for client, s := range clients {
		each(client+"/key withdrawn", func(t *testing.T) { l.outlivesItsKey(t, client, s, len(clients)) })
	}
	for _, c := range []struct {
		client, argument string
		scheme           scheme
	}{{"paho (Python)", "password", asPassword}, {"paho.golang", "password", byAuth}, {"MQTT.js", "bearer", inWebSocket}} {
		each(c.client+"/revoked", func(t *testing.T) {
			token := l.opaque.MustToken(c.client)
			ended(t, l.listening(t, c.client, c.scheme, map[string]string{c.argument: token}, func() { l.opaque.Revoke(c.client, token) }),
				administrativeAction)
			l.told(t, "opaque "+c.client, "deny", "revoked")
		})
	}
	all.Wait()
}

// renews has a client fetch its tokens itself, and prove itself anew before each of them ends.
func (l *live) renews(t *testing.T, client string, s scheme) {
	t.Helper()
	a := l.listening(t, client, s, map[string]string{
		"endpoint": l.renewed.Endpoint(), "user": client, "password": oidctest.Secret(client), "scope": "lights:write",
		"renew": fmt.Sprint(int(every.Seconds())), "stay": fmt.Sprint(int(stay.Seconds()))}, nil)
	if a.Outcome != drivers.Accepted || a.Records == 0 {
		t.Errorf("%+v", a)
	}
	l.told(t, "renewed "+client, "allow", "renewed")
}

// outlivesItsKey has a client listen with a token whose key the issuer replaces when all of them listen. With the new key it
// gets in.
func (l *live) outlivesItsKey(t *testing.T, client string, s scheme, all int) {
	t.Helper()
	token := l.rotated.MustToken(client)
	ended(t, l.listening(t, client, s, map[string]string{"password": token}, func() {
		l.listen.Add(1)
		parts.Await(t, liveTimeout, "other clients that listen", func() bool { return int(l.listen.Load()) == all })
		l.rotate.Do(l.rotated.Rotate)
	}), administrativeAction)
	l.told(t, "rotated "+client, "deny", "revoked")
	a := driverNamed(t, client).run(t, "login", l.arguments(t, s, "5", map[string]string{"password": l.rotated.MustToken(client)}))
	if a.Outcome != drivers.Accepted {
		t.Errorf("with the new key: %+v", a)
	}
}
