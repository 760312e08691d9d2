// Package tokens_test holds the gateway to its promises about bearer tokens, on live connections: who gets in and who does
// not, with the answer on the wire and the reason in the audit record; how sessions end and are renewed.
//
// The brokers and the issuer are embedded; keycloak_test.go has a real issuer, and test/clients the clients' own logins.
package tokens_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/parts"
	"github.com/asyncgate/asyncgate/tlsconf"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// patience bounds every wait for something that has to happen. A busy machine is slow, not wrong.
const patience = 45 * time.Second

// audience is what tokens for the gateway are for.
const audience = "kafka"

// world is a gateway in front of embedded brokers, and the issuer that it believes.
type world struct {
	t       *testing.T
	issuer  *throwaway.Issuer
	gateway *gatewaytest.Gateway
	roots   *x509.CertPool // of the gateway's certificate
}

// start makes a world. The settings of the issuer, beside its name and audience, are given.
func start(t *testing.T, settings map[string]any) *world {
	t.Helper()
	return startWith(t, issuerOf(t), settings)
}

func startWith(t *testing.T, issuer *throwaway.Issuer, settings map[string]any) *world {
	t.Helper()
	name := ""
	if issuer != nil {
		name = issuer.URL()
	}
	entry := map[string]any{"issuer": name, "audience": audience, "schemes": []string{"oidc", "oauth"}}
	for key, value := range settings {
		entry[key] = value
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "lights"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	dir := t.TempDir()
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err == nil {
		var pair *tlsconf.Pair
		if pair, err = ca.Server("localhost", "127.0.0.1"); err == nil {
			err = pair.Write(filepath.Join(dir, "gateway.pem"), filepath.Join(dir, "gateway.key"))
		}
	}
	for name, secret := range map[string]string{"secret": "secret of gateway", "keycloak": "gateway-secret"} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(secret), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	server := map[string]any{
		"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0", "upstream": map[string]any{"bootstrap": cluster.ListenAddrs()},
		"tls": map[string]any{"certificate": "gateway.pem", "key": "gateway.key"},
	}
	text, err := json.Marshal(map[string]any{ // JSON is YAML
		"servers": map[string]any{"oidc": server, "scoped": server},
		"tokens":  map[string]any{"issuers": []any{entry}},
		"limits":  map[string]any{"exempt": []string{"127.0.0.0/8"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: "testdata/lights.yml", Settings: string(text), Dir: dir})
	return &world{t: t, issuer: issuer, gateway: g, roots: rootsOf(ca)}
}

func rootsOf(ca *tlsconf.DevCA) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	return roots
}

// asked are the settings of an issuer that is asked about every token.
func asked(issuer *throwaway.Issuer) map[string]any {
	return map[string]any{"introspection": map[string]any{
		"url": issuer.URL() + "/introspect", "clientId": "gateway", "clientSecret": "file:secret", "recheck": "5s", "cache": "1s"}}
}

// token signs a token of alice's; change edits its claims first.
func (w *world) token(lifetime time.Duration, change func(map[string]any)) string {
	w.t.Helper()
	claims := w.issuer.Claims("alice", audience, lifetime)
	claims["scope"] = "lights:write"
	if change != nil {
		change(claims)
	}
	token, err := w.issuer.Sign(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// client is a Kafka client that logs in with what tokens returns.
func (w *world) client(server string, tokens func() string) *kgo.Client {
	w.t.Helper()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(w.gateway.Address(w.t, server)), kgo.DialTLSConfig(w.tls()), kgo.ConsumeTopics("lights"),
		kgo.RequestRetries(0), kgo.DisableIdempotentWrite(), kgo.RecordDeliveryTimeout(patience),
		kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) { return oauth.Auth{Token: tokens()}, nil })))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(client.CloseAllowingRebalance)
	return client
}

// within is a context of the test that ends when patience does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// audited waits for an audit record of that decision and code, and returns its reason. No record ever has a token in it.
func (w *world) audited(decision, code string, tokens ...string) string {
	w.t.Helper()
	r := w.gateway.Wait(w.t, patience, fmt.Sprintf("audit record %s %s", decision, code), func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "decision": decision, "code": code})
	})
	log := w.gateway.Log(1 << 20)
	for _, token := range tokens {
		for part := range strings.SplitSeq(token, ".") {
			if len(part) > 20 && strings.Contains(log, part) {
				w.t.Errorf("a part of a token is in the log")
			}
		}
	}
	return r.Text("reason")
}
