package tokens

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// asking is a provider whose tokens are opaque: it is asked about each.
func asking(t testing.TB, change func(*Issuer)) (*throwaway.Issuer, *Directory) {
	t.Helper()
	p, d := provider(t, func(i *Issuer) {
		i.Discovery = ""
		i.Introspection = &Introspection{URL: i.Name + "/introspect", ClientID: "gate:way", ClientSecret: "s%cret", Recheck: time.Nanosecond}
		if change != nil {
			change(i)
		}
	})
	p.Client = func(id, secret string) map[string]any {
		if id == "gate:way" && secret == "s%cret" {
			return map[string]any{}
		}
		return nil
	}
	return p, d
}

func opaqueOf(t testing.TB, p *throwaway.Issuer, more ...func(map[string]any)) string {
	return "opaque-" + tokenOf(t, p, more...)
}

func TestAnOpaqueTokenIsAskedAboutOnce(t *testing.T) {
	p, d := asking(t, nil)
	token := opaqueOf(t, p, func(c map[string]any) { c["scope"], c["client_id"] = "read write", "app" })
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			who, r := d.Verify(t.Context(), token, sasl.Peer{})
			if r != nil || who.Name != "alice" || len(who.Scopes) != 2 || who.Attributes["clientId"] != "app" || who.Expires.IsZero() {
				t.Errorf("%+v %v", who, r)
			}
		})
	}
	clients.Wait()
	accepted(t, d, token)
	if p.Asked("/introspect") != 1 {
		t.Errorf("asked %d times", p.Asked("/introspect"))
	}
}

func TestWhatAnIssuerSaysOfOpaqueTokens(t *testing.T) {
	p, d := asking(t, nil)
	refused(t, d, "never-seen", sasl.CodeTokenInactive)
	revoked := opaqueOf(t, p)
	p.Revoke(revoked)
	refused(t, d, revoked, sasl.CodeTokenInactive)
	refused(t, d, opaqueOf(t, p, func(c map[string]any) { c["aud"] = "billing" }), sasl.CodeTokenAudience)
	refused(t, d, opaqueOf(t, p, func(c map[string]any) { c["iss"] = "https://evil.example.org" }), sasl.CodeUnknownIssuer)
	refused(t, d, opaqueOf(t, p, func(c map[string]any) { delete(c, "sub") }), sasl.CodeTokenClaim)
	if who := accepted(t, d, opaqueOf(t, p, func(c map[string]any) { delete(c, "exp") })); !who.Expires.IsZero() {
		t.Errorf("it ends at %v", who.Expires)
	}
	for name, body := range map[string]string{
		"nothing": "", "a list": "[]", "no active": "{}", "active as text": `{"active":"true"}`, "active as a number": `{"active":1}`,
		"two objects": `{"active":true}{"active":true}`, "nested": strings.Repeat(`{"a":`, 10000),
		"100 MB": strings.Repeat(" ", maxBody+1),
	} {
		p.SetFault(func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, body); return true })
		if r := refused(t, d, fmt.Sprintf("about-%x", name), sasl.CodeIssuerUnavailable); r.Private == "" {
			t.Errorf("%s: no reason", name)
		}
	}
	p.SetFault(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return true
	})
	refused(t, d, "redirected", sasl.CodeIssuerUnavailable)
	if p.Asked("/elsewhere") > 0 {
		t.Error("a question with a secret in it followed a redirect")
	}
	p.Close()
	if r := refused(t, d, "asked-in-vain", sasl.CodeIssuerUnavailable); strings.Contains(r.Private, "s%cret") {
		t.Error("the secret is in the reason")
	}
}

func TestARevokedTokenEndsItsSession(t *testing.T) {
	for _, both := range []bool{false, true} { // with keys too, the issuer still has the last word
		t.Run(map[bool]string{false: "opaque", true: "JWT that is asked about too"}[both], func(t *testing.T) {
			p, d := asking(t, func(i *Issuer) {
				if both {
					i.JWKS = i.Name + "/jwks"
				}
			})
			token := tokenOf(t, p)
			if !both {
				token = "opaque-" + token
			}
			who := accepted(t, d, token)
			if err := d.Check(who); err != nil {
				t.Fatal(err)
			}
			p.Revoke(token)
			d.Refresh(t.Context(), who)
			if err := d.Check(who); !errors.Is(err, sasl.ErrRevoked) {
				t.Errorf("it was revoked: %v", err)
			}
			refused(t, d, token, sasl.CodeTokenInactive)
		})
	}
}

func TestAnIssuerThatIsDownEndsNoSession(t *testing.T) {
	p, d := asking(t, nil)
	who := accepted(t, d, opaqueOf(t, p))
	p.Close()
	d.Refresh(t.Context(), who)
	if err := d.Check(who); err != nil {
		t.Errorf("%v", err)
	}
}

func TestATokenBoundToACertificate(t *testing.T) {
	d := directory(t, nil)
	mine, theirs := &x509.Certificate{Raw: []byte("mine")}, &x509.Certificate{Raw: []byte("theirs")}
	sum := sha256.Sum256(mine.Raw)
	token := good(t, jsonObject{"cnf": jsonObject{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}})
	with := func(c *x509.Certificate) *sasl.Reject {
		_, r := d.Verify(t.Context(), token, sasl.Peer{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}}})
		return r
	}
	if r := with(mine); r != nil {
		t.Errorf("its own certificate: %v", r)
	}
	if r := with(theirs); r == nil || r.Code != sasl.CodeTokenBinding {
		t.Errorf("another certificate: %v", r)
	}
	if _, r := d.Verify(t.Context(), token, sasl.Peer{TLS: &tls.ConnectionState{}}); r == nil || r.Code != sasl.CodeTokenBinding {
		t.Errorf("no certificate: %v", r)
	}
}

func TestAProofNeverShowsItsToken(t *testing.T) {
	p, d := asking(t, nil)
	who := accepted(t, d, opaqueOf(t, p))
	encoded, err := json.Marshal(who)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v", who.Proof), fmt.Sprintf("%+v", *who), fmt.Sprintf("%#v", who.Proof), string(encoded)} {
		if strings.Contains(text, "opaque-") {
			t.Errorf("%s", text)
		}
	}
}

func TestIssuersSideBySide(t *testing.T) {
	one, _ := provider(t, nil)
	two, _ := provider(t, nil)
	d, err := New(Options{Issuers: []Issuer{
		{Name: one.URL(), Audiences: []string{audience}, JWKS: one.URL() + "/jwks"},
		{Name: two.URL(), Audiences: []string{audience}, JWKS: two.URL() + "/jwks", Principal: "azp", Prefix: "two/"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if who := accepted(t, d, tokenOf(t, one)); who.Name != "alice" || who.Issuer != one.URL() {
		t.Errorf("%+v", who)
	}
	if who := accepted(t, d, tokenOf(t, two, func(c map[string]any) { c["azp"] = "alice" })); who.Name != "two/alice" || who.Issuer != two.URL() {
		t.Errorf("%+v", who)
	}
	// What one signs in the other's name is held against the other's keys.
	refused(t, d, tokenOf(t, two, func(c map[string]any) { c["iss"] = one.URL() }), sasl.CodeTokenSignature)
}

func TestIssuersThatCannotBe(t *testing.T) {
	asked := &Introspection{URL: "https://id.example.org/introspect"}
	for want, issuers := range map[string][]Issuer{
		"is there twice":                 {{Name: us, JWKS: us}, {Name: us, JWKS: us}},
		"neither keys nor introspection": {{Name: us}},
		"only https is safe":             {{Name: us, JWKS: "http://id.example.org/"}},
		"no public key":                  {{Name: us, Keys: []byte("nothing")}},
		"ca has no certificate in it":    {{Name: us, JWKS: us, CA: []byte("nothing")}},
		"certificate and key":            {{Name: us, JWKS: us, Certificate: []byte("nothing")}},
		"does not say whose it is":       {{Name: us, Introspection: asked}, {Name: us + "/2", Introspection: asked}},
	} {
		if _, err := New(Options{Issuers: issuers}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// The gateway may be known to the issuer by its certificate: by that alone, or by that of a client that the form names (RFC
// 8705 section 2).
func TestAnIssuerKnowsTheGatewayByItsCertificate(t *testing.T) {
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, made := range map[string]func() (*tlsconf.Pair, error){
		"server": func() (*tlsconf.Pair, error) { return ca.Server("127.0.0.1") },
		"client": func() (*tlsconf.Pair, error) { return ca.Client("test", "gateway") },
	} {
		pair, err := made()
		if err == nil {
			err = pair.Write(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(file("server.pem"), file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	believed := x509.NewCertPool()
	believed.AppendCertsFromPEM(ca.PEM())
	var named []string // what the forms say of who asks
	issuer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, basic := r.BasicAuth(); basic || r.PostFormValue("client_secret") != "" || r.TLS.PeerCertificates[0].Subject.CommonName != "gateway" {
			t.Errorf("asked by %v with %v", r.TLS.PeerCertificates[0].Subject, r.PostForm)
		}
		named = append(named, r.PostFormValue("client_id"))
		fmt.Fprint(w, `{"active":true,"sub":"alice","aud":"kafka"}`)
	}))
	issuer.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: believed, ClientAuth: tls.RequireAndVerifyClientCert}
	issuer.StartTLS()
	defer issuer.Close()
	for _, client := range []string{"", "gate:way"} {
		i := Issuer{Name: issuer.URL, Audiences: []string{"kafka"}, Introspection: &Introspection{URL: issuer.URL, ClientID: client},
			CA: ca.PEM(), Certificate: file("client.pem"), Key: file("client.key")}
		d, err := New(Options{Issuers: []Issuer{i}})
		if err != nil {
			t.Fatal(err)
		}
		if who := accepted(t, d, "opaque"); who.Name != "alice" {
			t.Errorf("%+v", who)
		}
		i.Certificate, i.Key = nil, nil
		if d, err = New(Options{Issuers: []Issuer{i}}); err != nil {
			t.Fatal(err)
		}
		refused(t, d, "opaque", sasl.CodeIssuerUnavailable)
	}
	if !slices.Equal(named, []string{"", "gate:way"}) {
		t.Errorf("asked by %q", named)
	}
}
