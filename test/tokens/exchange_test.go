//go:build unix

package tokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/keycloak"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// believing is a real broker that believes Keycloak: by itself, and only tokens that are for the brokers. It takes passwords
// on the same listener.
func believing(t *testing.T, idp *keycloaktest.Server) *kafkatest.Cluster {
	t.Helper()
	more := filepath.Join(t.TempDir(), "more.properties")
	keys := idp.Issuer() + "/protocol/openid-connect/certs"
	properties := strings.Join([]string{
		"listener.name.sasls.sasl.enabled.mechanisms=OAUTHBEARER,SCRAM-SHA-512",
		"listener.name.sasls.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
		"listener.name.sasls.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		"listener.name.sasls.sasl.oauthbearer.jwks.endpoint.url=" + keys,
		"listener.name.sasls.sasl.oauthbearer.expected.audience=brokers",
		"listener.name.sasls.sasl.oauthbearer.expected.issuer=" + idp.Secure(),
		"listener.name.sasls.sasl.oauthbearer.sub.claim.name=preferred_username",
		"listener.name.sasls.oauthbearer.connections.max.reauth.ms=3600000",
	}, "\n")
	if err := os.WriteFile(more, []byte("\n"+properties+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return kafkatest.Start(t, kafkatest.Options{Environment: []string{
		"KAFKA_CERTIFICATES=" + mosquittotest.Certificates(t), "KAFKA_MORE_PROPERTIES=" + more,
		"KAFKA_SUPER_USERS=User:broker;User:admin;User:gateway;User:ANONYMOUS;User:service-account-gateway",
		"KAFKA_JVM_FLAGS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + keys}})
}

// A real broker is shown what a real issuer gives for a client's token. It sees the client, applies its access control lists
// to it, and would not have taken the token that the client has. The gateway proves by a certificate who asks; what it gets
// lasts for 8 s, and the client, whose token lasts for five minutes, notices nothing of that.
func exchanging(t *testing.T, idp *keycloaktest.Server, brokers *kafkatest.Cluster) {
	brokers.CreateTopic(t, "exchanged", 1)
	brokers.Allow(t, "service-account-lamp", "exchanged")
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
		err = os.WriteFile(filepath.Join(dir, "secret"), []byte("gateway-secret"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	believed := brokers.Certificate("ca.crt")
	settings, err := json.Marshal(map[string]any{
		"servers": map[string]any{"oidc": map[string]any{
			"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0",
			"tls": map[string]any{"certificate": "gateway.pem", "key": "gateway.key"},
			"upstream": map[string]any{
				"bootstrap": brokers.Addresses(kafkatest.SASLTLS), "tls": map[string]any{"ca": believed}, "identity": "exchanged-token",
				"exchange": map[string]any{"audience": "brokers", "endpoint": keycloaktest.TokenEndpoint(idp.Secure()), "ca": believed,
					"clientId": "gateway-certificate", "certificate": brokers.Certificate("gateway.crt"), "key": brokers.Certificate("gateway.key")},
				"sasl": map[string]any{"mechanism": "OAUTHBEARER", "token": map[string]any{
					"endpoint": keycloaktest.TokenEndpoint(idp.Secure()), "ca": believed, "clientId": "gateway", "clientSecret": "file:secret"}},
			}}},
		"tokens": map[string]any{"issuers": []any{map[string]any{"issuer": idp.Secure(), "audience": audience, "principal": "azp",
			"ca": believed, "schemes": []string{"oidc"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: "testdata/lights.yml", Settings: string(settings), Dir: dir, Args: []string{"--server", "oidc"}})
	w := &world{t: t, gateway: g, ca: ca}

	own := idp.SecureToken("lamp")
	direct, err := kgo.NewClient(kgo.SeedBrokers(brokers.Addresses(kafkatest.SASLTLS)...), kgo.DialTLSConfig(brokers.TLS(t, "")), kgo.RequestRetries(0),
		kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) { return oauth.Auth{Token: own}, nil })))
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	if err := direct.Ping(within(t)); err == nil {
		t.Error("the broker takes a token that is not for it")
	}

	client := w.client("oidc", func() string { return own })
	w.produces(client, "exchanged", 12*time.Second)
	reader := idp.SecureToken("reader")
	err = w.client("oidc", func() string { return reader }).ProduceSync(within(t), &kgo.Record{Topic: "exchanged", Value: []byte("on")}).FirstErr()
	if !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("reader, whom the broker's access control lists do not know, gets %v", err)
	}
	other := idp.SecureToken("gateway") // which is not for who asks
	conn := w.dial("oidc")
	conn.login(other)
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 9
	if _, err := conn.ask(metadata); err == nil {
		t.Error("a client is served whose token is not exchanged")
	}
	if reason := w.audited("deny", "upstream-exchange", own, reader, other); !strings.Contains(reason, "error access_denied") {
		t.Errorf("the reason is %q", reason)
	}
}
