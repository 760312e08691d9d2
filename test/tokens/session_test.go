package tokens_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/gateway"
)

func TestASessionEndsWithItsToken(t *testing.T) {
	w := start(t, nil)
	conn := w.dial("oidc")
	if lifetime := conn.login(w.token(4*time.Second, nil)); lifetime <= 0 || lifetime > 4*time.Second {
		t.Errorf("the client is told of %v", lifetime)
	}
	conn.alive()
	conn.ends()
	w.audited("deny", "expired")
}

func TestASessionIsRenewedOnItsConnection(t *testing.T) {
	w := start(t, nil)
	conn := w.dial("oidc")
	short := conn.login(w.token(5*time.Second, nil))
	ends := time.Now().Add(short)
	conn.alive()
	if long := conn.login(w.token(time.Hour, nil)); long < 50*time.Minute {
		t.Errorf("the renewed session lasts %v", long)
	}
	for time.Now().Before(ends.Add(time.Second)) { // beyond the end of the first token
		conn.alive()
	}
	w.audited("allow", "renewed")
}

func TestARenewalThatFailsEndsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		code   string
		json   bool
	}{
		"somebody else's token": {func(c map[string]any) { c["sub"] = "bob" }, "principal-changed", false},
		"a token that is over":  {func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }, "expired", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, nil)
			conn := w.dial("oidc")
			conn.login(w.token(time.Minute, nil))
			conn.alive()
			if err := conn.handshake(); err != nil {
				t.Fatal(err)
			}
			r, err := conn.authenticate("n,,\x01auth=Bearer " + w.token(time.Minute, c.change) + "\x01\x01")
			if err == nil && c.json {
				if string(r.SASLAuthBytes) != `{"status":"invalid_token"}` {
					t.Errorf("the client is told %+v", r)
				}
				r, err = conn.authenticate("\x01")
			}
			if err != nil || r.ErrorCode != 58 {
				t.Fatalf("%+v, %v", r, err)
			}
			conn.ends()
			w.audited("deny", c.code)
		})
	}
}

// A client that renews its tokens by itself never notices.
func TestAClientOutlivesItsTokens(t *testing.T) {
	w := start(t, nil)
	client := w.client("oidc", func() string { return w.token(3*time.Second, nil) })
	ctx := within(t)
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		if err := client.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	w.audited("allow", "renewed")
}

func TestARevokedTokenEndsItsSession(t *testing.T) {
	issuer := issuerOf(t)
	w := startWith(t, issuer, asked(issuer))
	token := "opaque-" + w.token(time.Hour, nil)
	conn := w.dial("oidc")
	conn.login(token)
	conn.alive()
	issuer.Revoke(token)
	conn.ends()
	w.audited("deny", "revoked", token)
}

func TestAWithdrawnKeyEndsItsSessions(t *testing.T) {
	w := start(t, map[string]any{"refresh": "10s", "minInterval": "1s"})
	conn := w.dial("oidc")
	conn.login(w.token(time.Hour, nil))
	conn.alive()
	if _, err := w.issuer.AddKey("EdDSA"); err != nil {
		t.Fatal(err)
	}
	w.issuer.DropKeys()
	conn.ends()
	w.audited("deny", "revoked")
	w.dial("oidc").login(w.token(time.Hour, nil)) // signed with the new one
}

func TestAReloadKeepsKeysAndSessions(t *testing.T) {
	w := start(t, nil)
	conn := w.dial("oidc")
	conn.login(w.token(time.Hour, nil))
	w.gateway.Signal(t, syscall.SIGHUP)
	w.gateway.Wait(t, patience, "the reload", func(r gatewaytest.Record) bool { return r.Text("msg") == "reloaded" })
	conn.alive()
	w.dial("oidc").login(w.token(time.Hour, nil))
	if n := w.issuer.Asked("/jwks"); n != 1 {
		t.Errorf("%d fetches of keys", n)
	}
}

func issuerOf(t *testing.T) *throwaway.Issuer {
	t.Helper()
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	issuer.Client = func(id, secret string) map[string]any {
		if secret != "secret of "+id {
			return nil
		}
		return map[string]any{"aud": audience, "scope": "lights:write"}
	}
	return issuer
}
