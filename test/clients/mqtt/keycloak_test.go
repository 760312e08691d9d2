//go:build unix

package mqttclients_test

import (
	"path/filepath"
	"testing"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/keycloak"
	"github.com/asyncgate/asyncgate/test/mosquitto"
)

// TestKeycloak has every client come with the tokens of a real issuer: of a lamp that may, of a reader whose scope is
// missing, and of a stranger whose tokens are for nobody here.
func TestKeycloak(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	idp := keycloaktest.Start(t)
	of := func(name, url, argument string) scheme {
		return scheme{name: name, right: map[string]string{"url": url, argument: idp.Token("lamp")}, wrong: []mistake{
			{map[string]string{argument: idp.Token("reader")}, []string{"missing-scope"}},
			{map[string]string{argument: idp.Token("stranger")}, []string{"token-audience"}},
		}}
	}
	asPassword, byAuth := of("token as password", "mqtts", "password"), of("OAUTHBEARER", "mqtts", "password")
	asPassword.right["user"], byAuth.right["auth"] = "ignored", "OAUTHBEARER"
	g := startGateway(t, filepath.Join("testdata", "tokens.yml"), func(*gatewaytest.Credentials) []front {
		return []front{{asPassword, "tcp", password(b)}, {byAuth, "tcp", password(b)}, {of("Bearer, wss", "wss", "bearer"), "web", web(b)}}
	}, map[string]any{"issuer": idp.Issuer(), "audience": "kafka", "principal": "azp"})
	g.logins(t, g.audited)
}
