package tokens_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/test/gateway"
)

func TestAClientWithATokenWorks(t *testing.T) {
	w := start(t, nil)
	client := w.client("scoped", func() string {
		token, err := w.issuer.Fetch(t.Context(), "lamp", "secret of lamp")
		if err != nil {
			t.Error(err)
		}
		return token
	})
	ctx := within(t)
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "lights", Value: []byte("on")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		if records := fetches.Records(); len(records) > 0 {
			break
		}
	}
	w.gateway.Wait(t, patience, "the login of lamp", func(r gatewaytest.Record) bool { return r.Text("principal") == "lamp" })
	if n := w.issuer.Asked("/jwks"); n != 1 {
		t.Errorf("%d fetches of keys", n)
	}
}

// What goes wrong with a token, what the client is told, and what the operator.
func TestRefusals(t *testing.T) {
	w := start(t, map[string]any{"minInterval": "1s"})
	const told = `{"status":"invalid_token"}`
	for _, c := range []struct {
		name, server, code, reason string
		token                      func() string
	}{
		{"expired", "oidc", "expired", "ended at", func() string { return w.token(-time.Minute, nil) }},
		{"wrong audience", "oidc", "token-audience", "billing", func() string {
			return w.token(time.Minute, func(c map[string]any) { c["aud"] = "billing" })
		}},
		{"wrong issuer", "oidc", "unknown-issuer", "evil.example.org", func() string {
			return w.token(time.Minute, func(c map[string]any) { c["iss"] = "https://evil.example.org" })
		}},
		{"changed", "oidc", "token-signature", "no key", func() string {
			token := w.token(time.Minute, nil)
			return token[:strings.LastIndexByte(token, '.')+1] + strings.Repeat("A", 342)
		}},
		{"no token", "oidc", "opaque-token-not-accepted", "not a JWT", func() string { return "secret" }},
		{"withdrawn key", "oidc", "unknown-signing-key", "no key", func() string {
			token := w.token(time.Minute, nil)
			if _, err := w.issuer.AddKey("ES256"); err != nil {
				t.Fatal(err)
			}
			w.issuer.DropKeys()
			fresh := w.dial("oidc") // with which the gateway learns of the new key
			for end := time.Now().Add(patience); time.Now().Before(end); fresh = w.dial("oidc") {
				if err := fresh.handshake(); err != nil {
					t.Fatal(err)
				}
				if r, err := fresh.authenticate("n,,\x01auth=Bearer " + w.token(time.Minute, nil) + "\x01\x01"); err == nil && len(r.SASLAuthBytes) == 0 {
					break
				}
			}
			return token
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := c.token()
			conn := w.dial(c.server)
			if err := conn.handshake(); err != nil {
				t.Fatal(err)
			}
			first, err := conn.authenticate("n,,\x01auth=Bearer " + token + "\x01\x01")
			if err != nil || first.ErrorCode != 0 || string(first.SASLAuthBytes) != told {
				t.Fatalf("the client is told %+v, %v", first, err)
			}
			second, err := conn.authenticate("\x01")
			if err != nil || second.ErrorCode != 58 || second.ErrorMessage == nil || *second.ErrorMessage != told {
				t.Fatalf("the client is told %+v, %v", second, err)
			}
			conn.ends()
			if reason := w.audited("deny", c.code, token); !strings.Contains(reason, c.reason) {
				t.Errorf("the operator is told %q", reason)
			}
		})
	}
}

func TestAMissingScopeIsAMatterOfPolicy(t *testing.T) {
	w := start(t, nil)
	token := w.token(time.Minute, func(c map[string]any) { c["scope"] = "lights:read" })
	w.dial("oidc").login(token) // asks for no scope
	conn := w.dial("scoped")
	if err := conn.handshake(); err != nil {
		t.Fatal(err)
	}
	r, err := conn.authenticate("n,,\x01auth=Bearer " + token + "\x01\x01")
	if err != nil || r.ErrorCode != 58 || *r.ErrorMessage != "Access denied" {
		t.Fatalf("%+v, %v", r, err)
	}
	if reason := w.audited("deny", "missing-scope", token); !strings.Contains(reason, "lights:write") {
		t.Errorf("the operator is told %q", reason)
	}
}

// Most clients leave when they are shown the error, and the reason must not leave with them.
func TestTheReasonIsRecordedWhenTheClientJustLeaves(t *testing.T) {
	w := start(t, nil)
	client := w.client("oidc", func() string { return w.token(-time.Hour, nil) })
	if err := client.Ping(within(t)); err == nil {
		t.Fatal("it got in")
	}
	w.audited("deny", "expired")
}

func TestAnIssuerThatIsDownLetsNobodyInAndIsRetried(t *testing.T) {
	w := start(t, map[string]any{"minInterval": "1s"})
	w.issuer.SetFault(func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	try := func() bool {
		conn := w.dial("oidc")
		if err := conn.handshake(); err != nil {
			t.Fatal(err)
		}
		r, err := conn.authenticate("n,,\x01auth=Bearer " + w.token(time.Minute, nil) + "\x01\x01")
		if err != nil {
			t.Fatal(err)
		}
		return len(r.SASLAuthBytes) == 0
	}
	if w.issuer.Asked("/jwks") == 0 && try() { // unless the keys were there before the fault
		t.Fatal("it got in")
	}
	w.issuer.SetFault(nil)
	for end := time.Now().Add(patience); !try(); {
		if time.Now().After(end) {
			t.Fatal("the issuer is up again, and nobody gets in")
		}
	}
}

func TestALargeTokenLogsIn(t *testing.T) {
	w := start(t, nil)
	token := w.token(time.Minute, func(c map[string]any) { c["groups"] = strings.Repeat("x", 95_000) })
	if len(token) < 120<<10 {
		t.Fatalf("a token of %d bytes", len(token))
	}
	w.dial("oidc").login(token)
	conn := w.dial("oidc")
	if err := conn.handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.authenticate("n,,\x01auth=Bearer " + strings.Repeat("x", 200<<10) + "\x01\x01"); err == nil {
		t.Error("a frame of 200 KiB was answered")
	}
	w.audited("deny", "frame-length")
}
