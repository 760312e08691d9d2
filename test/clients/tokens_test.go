package clients_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// tokenClients are the drivers that log in with a token. Java (KIP-768) and librdkafka fetch it themselves.
var tokenClients = []string{"java", "librdkafka", "franz-go", "kafka-python"}

// TestTokens has clients fetch tokens from an issuer and log in with them, right and wrong.
func TestTokens(t *testing.T) {
	c := single.Get(t)
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	issuer.Client = func(id, secret string) map[string]any {
		claims := map[string]map[string]any{
			"alice":    {"aud": "kafka", "scope": "things:write"},
			"stranger": {"aud": "billing", "scope": "things:write"},
			"reader":   {"aud": "kafka", "scope": "things:read"},
		}[id]
		if secret != "secret" {
			return nil
		}
		return claims
	}
	s := scheme{name: "token", right: map[string]string{
		"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER", "user": "alice", "password": "secret", "endpoint": issuer.URL() + "/token",
	}, wrong: []mistake{
		{map[string]string{"user": "stranger"}, []string{"token-audience"}},
		{map[string]string{"user": "reader"}, []string{"missing-scope"}},
	}}
	f := front{s, "tokens", "SCRAM-SHA-512"}
	g := startTokens(t, c, f, map[string]any{"issuer": issuer.URL(), "audience": "kafka"})
	for _, name := range tokenClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := named(name)
			a := d.run(t, "login", g.arguments(s, nil))
			results.note(t, d, s, "login", a.Outcome)
			if a.Outcome != drivers.Accepted {
				t.Fatalf("the right way: %+v", a)
			}
			for _, wrong := range s.wrong {
				a := d.run(t, "login", g.arguments(s, wrong.change))
				results.note(t, d, s, "login, "+wrong.codes[0], a.Outcome)
				if a.Outcome == drivers.Accepted {
					t.Errorf("with %v: %+v", wrong.change, a)
				}
				g.audited(t, s, wrong)
			}
			g.work(t, d, s, "produce-consume")
		})
	}
}

// startTokens runs the document with tokens in front of a cluster. The settings of the issuers are given.
func startTokens(t *testing.T, c *kafkatest.Cluster, f front, issuers ...map[string]any) *gateway {
	t.Helper()
	dir := t.TempDir()
	writeGatewayPassword(t, dir)
	settings, err := json.Marshal(map[string]any{ // JSON is YAML
		"servers": map[string]any{f.server: serverSettings(c, f)},
		"tokens":  map[string]any{"issuers": issuers},
		"limits":  map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{fronts: []front{f}}
	g.Gateway = gatewaytest.Start(t, gatewaytest.Options{
		Document: filepath.Join("testdata", "tokens.yml"), Settings: string(settings), Dir: dir})
	g.target = target{cluster: c, schemes: []scheme{f.scheme}, addresses: map[string]string{f.name: g.Address(t, f.server)}}
	return g
}
