//go:build unix

package tokens_test

import (
	"testing"

	"github.com/asyncgate/asyncgate/test/keycloak"
	"github.com/asyncgate/asyncgate/test/mosquitto"
)

// One Keycloak for all that needs a real issuer. Its keys are changed at the end.
func TestKeycloak(t *testing.T) {
	idp := keycloaktest.StartWith(t, mosquittotest.Certificates(t))
	t.Run("in front of real brokers", func(t *testing.T) {
		cluster := believing(t, idp)
		t.Run("a token is exchanged", func(t *testing.T) { t.Parallel(); exchanging(t, idp, cluster) })
		t.Run("the example works", func(t *testing.T) { t.Parallel(); example(t, idp, cluster) })
	})
	t.Run("tokens are judged", func(t *testing.T) { judging(t, idp) })
}

// A real issuer: discovery, keys, scopes and audiences as it writes them, introspection, revocation, rotation.
func judging(t *testing.T, idp *keycloaktest.Server) {
	byKeys := startWith(t, nil, map[string]any{"issuer": idp.Issuer(), "principal": "azp", "refresh": "10s", "minInterval": "1s"})
	asked := startWith(t, nil, map[string]any{"issuer": idp.Issuer(), "principal": "client_id",
		"introspection": map[string]any{"url": idp.Introspection(), "clientId": "gateway", "clientSecret": "file:keycloak", "recheck": "5s", "cache": "1s"}})

	refusal := func(w *world, client, code, public string) {
		t.Helper()
		conn := w.dial("scoped")
		if err := conn.handshake(); err != nil {
			t.Fatal(err)
		}
		token := idp.Token(client)
		r, err := conn.authenticate("n,,\x01auth=Bearer " + token + "\x01\x01")
		if err == nil && len(r.SASLAuthBytes) > 0 {
			r, err = conn.authenticate("\x01")
		}
		if err != nil || r.ErrorCode != 58 || *r.ErrorMessage != public {
			t.Fatalf("%s: %+v, %v", client, r, err)
		}
		w.audited("deny", code, token)
	}
	for _, w := range []*world{byKeys, asked} {
		token := idp.Token("lamp")
		conn := w.dial("scoped")
		if lifetime := conn.login(token); lifetime.Minutes() < 3 || lifetime.Minutes() > 5 {
			t.Errorf("the session lasts %v", lifetime)
		}
		conn.alive()
		w.audited("allow", "", token)
		refusal(w, "stranger", "token-audience", `{"status":"invalid_token"}`)
		refusal(w, "reader", "missing-scope", "Access denied")
	}

	token := idp.Token("lamp")
	conn := asked.dial("scoped")
	conn.login(token)
	conn.alive()
	idp.Revoke("lamp", token)
	conn.ends()
	asked.audited("deny", "revoked", token)

	conn = byKeys.dial("scoped")
	conn.login(idp.Token("lamp"))
	conn.alive()
	idp.Rotate()
	byKeys.dial("scoped").login(idp.Token("lamp")) // with the new key
	conn.ends()
	byKeys.audited("deny", "revoked")
}
