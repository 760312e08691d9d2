package tokens

import (
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// FuzzToken checks that no token gets in that was not signed, and that reasons are fit for a log.
func FuzzToken(f *testing.F) {
	for _, v := range vectors(f) {
		if token := v.token(f); v.Code != "" && len(token) < 4096 {
			f.Add(token)
		}
	}
	d := directory(f, nil)
	f.Fuzz(func(t *testing.T, token string) {
		p, r := d.Verify(t.Context(), token, sasl.Peer{})
		if p != nil || r == nil {
			t.Fatalf("accepted as %+v", p)
		}
		checkReason(t, r, "")
	})
}

// FuzzClaims judges claims whose signature was good: whatever an issuer signs is no panic, and no principal without a
// name and an end.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"https://id.example.org","sub":"alice","aud":"kafka","exp":4102444800}`, `{"exp":1e400}`, `{"aud":[[]],"exp":-0.5}`,
		`{"iss":"https://id.example.org","sub":"alice","aud":["kafka",7],"exp":4102444800.25,"scope":["a b"],"cnf":{"x5t#S256":""}}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	i := directory(f, func(i *Issuer) { i.Required = map[string][]string{"a.b": nil} }).issuers[us]
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseClaims(raw)
		if err != nil {
			return
		}
		p, r := i.judge(c, now, true)
		if (p == nil) == (r == nil) {
			t.Fatalf("%+v and %v", p, r)
		}
		if r != nil {
			checkReason(t, r, "")
		} else if p.Name == "" || p.Expires.IsZero() {
			t.Errorf("%+v", p)
		}
		_ = bound(c, "x", sasl.Peer{})
	})
}

// FuzzKeys reads what an issuer, or an operator, calls keys.
func FuzzKeys(f *testing.F) {
	f.Add(theRing().public(f, "rsa", "ec", "ed"))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"","e":""},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Add([]byte(pemOf(f, "ec")))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseKeys(data)
		if (set == nil) == (err == nil) || set != nil && (len(set.keys) == 0 || len(set.keys) > maxKeys+1) {
			t.Fatalf("%v and %v", set, err)
		}
	})
}

// FuzzIntrospection reads what an issuer says of a token. Only what says that it is active is a yes.
func FuzzIntrospection(f *testing.F) {
	for _, seed := range []string{`{"active":true}`, `{"active":false}`, `{"active":null}`, `{"ACTIVE":true}`, `{"active":false,"active":true}`} {
		f.Add([]byte(seed))
	}
	n := &introspector{name: us, maxAge: time.Hour}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, r := n.read(body)
		if (a == nil) == (r == nil) {
			t.Fatalf("%v and %v", a, r)
		}
		if a != nil && a.refusal == nil && a.claims["active"] != true {
			t.Fatalf("a yes from %q", body)
		}
	})
}
