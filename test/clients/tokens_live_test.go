package clients_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/oidc"
)

// Of tokens that are renewed: how long they last, and how long clients stay, which is beyond the end of the first. Clients renew
// in the last second or two, which on a busy machine is too late now and then: they connect again, and may try so often.
const (
	brief = 10 * time.Second
	stay  = 14 * time.Second
	tries = 4
)

// liveTimeout bounds the wait for what has to happen to a connection.
const liveTimeout = time.Minute

// TestTokensOnLiveConnections has clients work while things happen to their tokens, which are those of a real issuer. All of
// them wait at once, which costs no processor.
func TestTokensOnLiveConnections(t *testing.T) {
	c := single.Get(t)
	c.CreateTopic(t, "live", 1)
	issue := func(lifetime time.Duration, opaque bool, names ...string) *oidctest.Provider {
		clients := map[string]oidctest.Client{"gateway": {Audience: "kafka"}}
		for _, name := range names {
			clients[name] = oidctest.Client{Scope: "things:write", Audience: "kafka", Lifetime: lifetime, Opaque: opaque}
		}
		return oidctest.Start(t, clients)
	}
	renewed, rotated, opaque := issue(brief, false, tokenClients...), issue(time.Hour, false, "alice"), issue(time.Hour, true, "alice")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(oidctest.Secret("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
	s := scheme{name: "token", right: map[string]string{"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER"}}
	g := startTokens(t, c, front{s, "tokens", "SCRAM-SHA-512"},
		believed(renewed, "renewed ", nil),
		believed(rotated, "rotated ", map[string]any{"refresh": "10s", "minInterval": "1s"}),
		believed(opaque, "opaque ", map[string]any{"introspection": map[string]any{"url": opaque.Introspection(),
			"clientId": "gateway", "clientSecret": "file:" + secret, "cache": "1s", "recheck": "5s"}}))

	var all sync.WaitGroup
	each := func(name string, do func(*testing.T)) { all.Go(func() { t.Run(name, do) }) }
	for _, client := range tokenClients {
		each(client+" renews", func(t *testing.T) { g.renews(t, named(client), s, renewed) })
	}
	each("key withdrawn", func(t *testing.T) {
		client := g.franz(t, rotated)
		produces(t, client)
		rotated.Rotate()
		g.told(t, "rotated alice", "deny", "revoked")
		produces(t, client) // with a token of the new key, on another connection
	})
	each("revoked", func(t *testing.T) {
		var mu sync.Mutex
		var tokens []string
		client := g.franz(t, opaque, func(token string) { mu.Lock(); tokens = append(tokens, token); mu.Unlock() })
		produces(t, client)
		mu.Lock()
		for _, token := range tokens {
			opaque.Revoke("alice", token)
		}
		mu.Unlock()
		g.told(t, "opaque alice", "deny", "revoked")
		produces(t, client)
	})
	all.Wait()
}

// renews has a client work for longer than its token lasts.
func (g *gateway) renews(t *testing.T, d driver, s scheme, p *oidctest.Provider) {
	t.Helper()
	for range tries {
		a := d.run(t, "stay", g.arguments(s, map[string]string{"user": d.name, "password": oidctest.Secret(d.name), "endpoint": p.Endpoint(),
			"scope": "things:write", "topic": "live", "stay": fmt.Sprint(int(stay.Seconds()))}))
		results.note(t, d, s, "stay, renewed", a.Outcome)
		if a.Outcome != drivers.Accepted || a.Records == 0 {
			t.Fatalf("%+v", a)
		}
		if len(g.Records(of("renewed "+d.name, "allow", "renewed"))) > 0 {
			return
		}
	}
	t.Errorf("%s has never logged in anew on its connection", d.name)
}

// believed are the settings of an issuer whose clients are principals, by their ids after a prefix.
func believed(p *oidctest.Provider, prefix string, more map[string]any) map[string]any {
	all := map[string]any{"issuer": p.Issuer(), "audience": "kafka", "principal": "client_id", "prefix": prefix}
	for key, value := range more {
		all[key] = value
	}
	return all
}

// told waits for the record of what has become of a principal's session.
func (g *gateway) told(t *testing.T, principal, decision, code string) {
	t.Helper()
	g.Wait(t, liveTimeout, fmt.Sprintf("audit record of %s: %s", principal, code), of(principal, decision, code))
}

// of finds the records about a principal.
func of(principal, decision, code string) func(gatewaytest.Record) bool {
	return func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "principal": principal, "decision": decision, "code": code})
	}
}

// franz is franz-go, which fetches a token of alice's for each login; fetched is told of it.
func (g *gateway) franz(t *testing.T, p *oidctest.Provider, fetched ...func(string)) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(g.addresses["token"]), kgo.DialTLSConfig(g.cluster.TLS(t, "")),
		kgo.DefaultProduceTopic("live"), kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := p.Token("alice")
			for _, f := range fetched {
				f(token)
			}
			return oauth.Auth{Token: token}, err
		})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// produces has a record come to the topic.
func produces(t *testing.T, client *kgo.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), liveTimeout)
	defer cancel()
	if err := client.ProduceSync(ctx, kgo.StringRecord("live")).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
