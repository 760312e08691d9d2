package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Requirements of the tests.
var (
	x509     = plan.Requirement{Type: "X509", Mechanisms: []string{"EXTERNAL"}}
	scram256 = plan.Requirement{Type: "scramSha256", Mechanisms: []string{"SCRAM-SHA-256"}}
	scram512 = plan.Requirement{Type: "scramSha512", Mechanisms: []string{"SCRAM-SHA-512"}}
	password = plan.Requirement{Type: "userPassword", Mechanisms: []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"}}
	keyUser  = plan.Requirement{Type: "apiKey", In: "user", Mechanisms: []string{"PLAIN"}}
	keyPass  = plan.Requirement{Type: "apiKey", In: "password", Mechanisms: []string{"PLAIN"}}
	kerberos = plan.Requirement{Type: "gssapi", Mechanisms: []string{"GSSAPI"}}
	scoped   = plan.Requirement{Type: "scramSha512", Mechanisms: []string{"SCRAM-SHA-512"}, Scopes: []string{"read", "write"}}
)

// Principals of the tests.
var (
	aliceCert    = &sasl.Principal{Name: "alice", Mechanism: "EXTERNAL", Kind: sasl.KindCertificate}
	alice512     = &sasl.Principal{Name: "alice", Mechanism: "SCRAM-SHA-512", Kind: sasl.KindUser, Scopes: []string{"read", "write", "more"}}
	alice256     = &sasl.Principal{Name: "alice", Mechanism: "SCRAM-SHA-256", Kind: sasl.KindUser}
	alicePlain   = &sasl.Principal{Name: "alice", Mechanism: "PLAIN", Kind: sasl.KindUser}
	aliceKeyUser = &sasl.Principal{Name: "alice", Mechanism: "PLAIN", Kind: sasl.KindKey, In: "user"}
	bob512       = &sasl.Principal{Name: "bob", Mechanism: "SCRAM-SHA-512", Kind: sasl.KindUser, Scopes: []string{"read"}}
)

func one(all ...plan.Requirement) plan.Alternative { return plan.Alternative{Enabled: true, All: all} }
func off(all ...plan.Requirement) plan.Alternative { return plan.Alternative{All: all} }

func TestAdmit(t *testing.T) {
	for _, c := range []struct {
		name               string
		server             plan.Server
		certificate, login *sasl.Principal
		want               *sasl.Principal // nil: refused
		code               string
	}{
		{"nothing declared, nothing allowed", plan.Server{}, nil, nil, nil, "no-alternative"},
		{"nothing declared, somebody logged in all the same", plan.Server{}, aliceCert, alice512, nil, "no-alternative"},
		{"open to everyone", plan.Server{AllowAnonymous: true}, nil, nil, &sasl.Principal{Name: Anonymous}, ""},
		{"open to everyone beside an alternative is not open", plan.Server{AllowAnonymous: true, Alternatives: alternatives(one(scram512))}, nil, nil, nil, "no-credentials"},
		{"open to everyone beside a disabled alternative is not open", plan.Server{AllowAnonymous: true, Alternatives: alternatives(off(scram512))}, nil, nil, nil, "no-alternative"},
		{"a disabled alternative never admits", plan.Server{Alternatives: alternatives(off(scram512), one(x509))}, nil, alice512, nil, "wrong-scheme"},
		{"an enabled alternative without requirements never admits", plan.Server{Alternatives: alternatives(one())}, aliceCert, alice512, nil, "no-alternative"},
		{"a type that is not known never admits", plan.Server{Alternatives: alternatives(one(kerberos))}, nil, &sasl.Principal{Name: "alice", Mechanism: "GSSAPI", Kind: sasl.KindUser}, nil, "wrong-scheme"},

		{"the declared mechanism", plan.Server{Alternatives: alternatives(one(scram512))}, nil, alice512, alice512, ""},
		{"another mechanism", plan.Server{Alternatives: alternatives(one(scram512))}, nil, alice256, nil, "wrong-scheme"},
		{"one of several mechanisms", plan.Server{Alternatives: alternatives(one(password))}, nil, alicePlain, alicePlain, ""},
		{"the second alternative", plan.Server{Alternatives: alternatives(one(scram256), one(scram512))}, nil, alice512, alice512, ""},
		{"a key where it belongs", plan.Server{Alternatives: alternatives(one(keyUser))}, nil, aliceKeyUser, aliceKeyUser, ""},
		{"a key in the other place", plan.Server{Alternatives: alternatives(one(keyPass))}, nil, aliceKeyUser, nil, "wrong-scheme"},
		{"a key where users log in", plan.Server{Alternatives: alternatives(one(password))}, nil, aliceKeyUser, nil, "wrong-scheme"},
		{"a user where keys belong", plan.Server{Alternatives: alternatives(one(keyUser))}, nil, alicePlain, nil, "wrong-scheme"},

		{"all scopes", plan.Server{Alternatives: alternatives(one(scoped))}, nil, alice512, alice512, ""},
		{"a scope too few", plan.Server{Alternatives: alternatives(one(scoped))}, nil, bob512, nil, "missing-scope"},
		{"a scope too few says more than a wrong scheme", plan.Server{Alternatives: alternatives(one(scoped), one(scram256))}, nil, bob512, nil, "missing-scope"},

		{"a certificate", plan.Server{Alternatives: alternatives(one(x509))}, aliceCert, nil, aliceCert, ""},
		{"no certificate", plan.Server{Alternatives: alternatives(one(x509))}, nil, nil, nil, "no-credentials"},
		{"a certificate beside SASL, unused SASL", plan.Server{Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, nil, aliceCert, ""},
		{"a login replaces the certificate", plan.Server{Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, bob512, bob512, ""},
		{"a login that is not asked for is not saved by the certificate", plan.Server{Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, alice256, nil, "wrong-scheme"},
		{"a certificate where only SASL is declared", plan.Server{Alternatives: alternatives(one(scram512))}, aliceCert, nil, nil, "no-login"},

		{"both in one alternative", plan.Server{Alternatives: alternatives(one(x509, scram512))}, aliceCert, alice512, alice512, ""},
		{"both in one alternative, login missing", plan.Server{Alternatives: alternatives(one(x509, scram512))}, aliceCert, nil, nil, "no-login"},
		{"both in one alternative, certificate missing", plan.Server{Alternatives: alternatives(one(x509, scram512))}, nil, alice512, nil, "no-certificate"},
		{"both in one alternative, two names", plan.Server{Alternatives: alternatives(one(x509, scram512))}, aliceCert, bob512, nil, "names-differ"},

		{"all required", plan.Server{RequireAll: true, Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, alice512, alice512, ""},
		{"all required, one missing", plan.Server{RequireAll: true, Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, nil, nil, "no-login"},
		{"all required, two names", plan.Server{RequireAll: true, Alternatives: alternatives(one(x509), one(scram512))}, aliceCert, bob512, nil, "names-differ"},
		{"all required, one login proves both", plan.Server{RequireAll: true, Alternatives: alternatives(one(password), one(scram512))}, nil, alice512, alice512, ""},
		{"all required, one login proves one", plan.Server{RequireAll: true, Alternatives: alternatives(one(password), one(scram512))}, nil, alicePlain, nil, "wrong-scheme"},
		{"all required, all disabled", plan.Server{RequireAll: true, Alternatives: alternatives(off(scram512))}, nil, alice512, nil, "no-alternative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, reject := Admit(&c.server, c.certificate, c.login)
			switch {
			case (p == nil) == (reject == nil):
				t.Fatalf("got %v and %v: exactly one of the two must be", p, reject)
			case c.want == nil && (p != nil || reject.Code != c.code):
				t.Fatalf("got %+v, %v; want the refusal %s", p, reject, c.code)
			case c.want != nil && (reject != nil || p.Name != c.want.Name || p.Mechanism != c.want.Mechanism):
				t.Fatalf("got %+v, %v; want %+v", p, reject, c.want)
			case reject != nil && (reject.Stage != sasl.StagePolicy || reject.Public != refused || reject.Private == ""):
				t.Errorf("refusal: %+v", reject)
			}
		})
	}
}

func alternatives(all ...plan.Alternative) []plan.Alternative { return all }

func TestMechanisms(t *testing.T) {
	for _, c := range []struct {
		name   string
		server plan.Server
		want   []string
	}{
		{"none", plan.Server{}, nil},
		{"certificates alone", plan.Server{Alternatives: alternatives(one(x509))}, nil},
		{"strongest first, each once", plan.Server{Alternatives: alternatives(one(keyUser), one(scram256), one(password))}, []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"}},
		{"nothing of a disabled one", plan.Server{Alternatives: alternatives(off(keyUser), one(scram256))}, []string{"SCRAM-SHA-256"}},
		{"beside a certificate", plan.Server{Alternatives: alternatives(one(x509, scram256))}, []string{"SCRAM-SHA-256"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Mechanisms(&c.server); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhereBothAreNeededTheOneThatEndsFirstEndsTheOther(t *testing.T) {
	both := &plan.Server{Alternatives: alternatives(one(x509, scram512))}
	soon, late := time.Unix(1000, 0), time.Unix(2000, 0)
	for _, c := range []struct{ certificate, login, want time.Time }{
		{soon, late, soon},
		{soon, time.Time{}, soon},
		{late, soon, soon},
		{time.Time{}, soon, soon},
		{time.Time{}, time.Time{}, time.Time{}},
	} {
		certificate, login := *aliceCert, *alice512
		certificate.Expires, login.Expires = c.certificate, c.login
		who, reject := Admit(both, &certificate, &login)
		if reject != nil || !who.Expires.Equal(c.want) || who.Mechanism != login.Mechanism {
			t.Errorf("a certificate until %v and a login until %v: %+v, %v; want until %v", c.certificate, c.login, who, reject, c.want)
		}
		if !login.Expires.Equal(c.login) {
			t.Error("the login itself was changed")
		}
	}
}
