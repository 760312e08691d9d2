package tokens_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// brokers is a real cluster whose TLS listener takes nothing but tokens of the issuer.
func brokers(t *testing.T, issuer *throwaway.Issuer) *kafkatest.Cluster {
	t.Helper()
	more := filepath.Join(t.TempDir(), "more.properties")
	properties := strings.Join([]string{
		"listener.name.sasls.sasl.enabled.mechanisms=OAUTHBEARER",
		"listener.name.sasls.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
		"listener.name.sasls.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		"listener.name.sasls.sasl.oauthbearer.jwks.endpoint.url=" + issuer.URL() + "/jwks",
		"listener.name.sasls.sasl.oauthbearer.expected.audience=brokers",
		"listener.name.sasls.sasl.oauthbearer.expected.issuer=" + issuer.URL(),
		"listener.name.sasls.oauthbearer.connections.max.reauth.ms=3600000",
	}, "\n")
	if err := os.WriteFile(more, []byte("\n"+properties+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return kafkatest.Start(t, kafkatest.Options{Environment: []string{"KAFKA_MORE_PROPERTIES=" + more,
		"KAFKA_JVM_FLAGS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + issuer.URL() + "/jwks"}})
}

// before is a gateway in front of real brokers that take nothing but the issuer's tokens; the gateway has some of its own.
// The brokers' access control lists know the gateway, which may do everything, and alice.
func before(t *testing.T, identity string) *world {
	t.Helper()
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	issuer.Lifetime = 8 * time.Second
	issuer.Client = func(id, secret string) map[string]any {
		if id == "gateway" && secret == "s3cret" {
			return map[string]any{"aud": "brokers", "scope": "kafka"}
		}
		return nil
	}
	c := brokers(t, issuer)
	c.CreateTopic(t, "lights", 1)
	c.Allow(t, "alice", "lights")
	dir := t.TempDir()
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server("localhost", "127.0.0.1")
	if err == nil {
		err = pair.Write(filepath.Join(dir, "gateway.pem"), filepath.Join(dir, "gateway.key"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "secret"), []byte("s3cret"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]any{
		"servers": map[string]any{"oidc": map[string]any{
			"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0",
			"tls": map[string]any{"certificate": "gateway.pem", "key": "gateway.key"},
			"upstream": map[string]any{
				"bootstrap": c.Addresses(kafkatest.SASLTLS), "tls": map[string]any{"ca": c.Certificate("ca.crt")}, "identity": identity,
				"sasl": map[string]any{"mechanism": "OAUTHBEARER", "token": map[string]any{
					"endpoint": issuer.URL() + "/token", "clientId": "gateway", "clientSecret": "file:secret"}},
			}}},
		"tokens": map[string]any{"issuers": []any{map[string]any{"issuer": issuer.URL(), "audience": audience, "schemes": []string{"oidc"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: "testdata/lights.yml", Settings: string(settings), Dir: dir,
		Args: []string{"--server", "oidc"}})
	return &world{t: t, issuer: issuer, gateway: g, ca: ca}
}

// The gateway logs in at a real broker with tokens of its own, and again before each of them ends: the client, whose token
// is another, notices nothing.
func TestTheGatewayHasATokenOfItsOwn(t *testing.T) {
	w := before(t, "service")
	client := w.client("oidc", func() string { return w.token(time.Hour, nil) })
	w.produces(client, "lights", 2*w.issuer.Lifetime)
	if n := w.issuer.Asked("/token"); n < 2 || n > 30 {
		t.Errorf("%d tokens were fetched for two lifetimes", n)
	}
}

// A real broker is shown the client's own token, the next one too after each login on the same connection, and decides on it
// by itself: it applies its access control lists to the client, and one that is for the gateway alone gets no further.
func TestTheTokenOfAClientIsPassedOn(t *testing.T) {
	w := before(t, "token")
	passable := func(c map[string]any) { c["aud"] = []string{audience, "brokers"} }
	lifetime := 8 * time.Second
	var tokens []string
	var lock sync.Mutex
	client := w.client("oidc", func() string {
		lock.Lock()
		defer lock.Unlock()
		tokens = append(tokens, w.token(lifetime, passable))
		return tokens[len(tokens)-1]
	})
	w.produces(client, "lights", 2*lifetime)
	lock.Lock()
	defer lock.Unlock()
	w.audited("allow", "renewed", tokens...)

	bob := w.client("oidc", func() string {
		return w.token(time.Hour, func(c map[string]any) { passable(c); c["sub"] = "bob" })
	})
	err := bob.ProduceSync(within(t), &kgo.Record{Topic: "lights", Value: []byte("on")}).FirstErr()
	if !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("bob, whom the broker's access control lists do not know, gets %v", err)
	}
	own := w.token(time.Minute, nil)
	conn := w.dial("oidc")
	conn.login(own)
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 9
	if _, err := conn.ask(metadata); err == nil {
		t.Error("a broker answers a client whose token is not for it")
	}
	if reason := w.audited("deny", "upstream-token", own); !strings.Contains(reason, "the client's token") {
		t.Errorf("the reason is %q", reason)
	}
}

// produces has a client produce for a while.
func (w *world) produces(client *kgo.Client, topic string, d time.Duration) {
	w.t.Helper()
	ctx := within(w.t)
	until := time.Now().Add(d)
	for n := 0; n == 0 || time.Now().Before(until); n++ {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("on")}).FirstErr(); err != nil {
			w.t.Fatalf("record %d: %v", n, err)
		}
	}
}
