package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// subject is a client's token, which no error may hold any part of.
const subject = "client-token-ABCDEFGHIJKLMNOP"

// good is an answer as it should be.
const good = `{"access_token":"new","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","expires_in":300}`

// endpoint is a token endpoint that a test speaks for. It counts its questions.
type endpoint struct {
	*httptest.Server
	asked atomic.Int64
}

func endpointOf(t *testing.T, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func exchangeAt(t *testing.T, url string, change func(*plan.TokenExchange)) *TokenExchange {
	t.Helper()
	t.Setenv("EXCHANGE_SECRET", "s%cret")
	p := &plan.TokenExchange{
		TokenClient: plan.TokenClient{Endpoint: url + "/token", ClientID: "gate:way", ClientSecret: "env:EXCHANGE_SECRET"},
		Audiences:   []string{"brokers"}, SubjectType: tokenTypeAccess, RequestedType: tokenTypeAccess,
	}
	if change != nil {
		change(p)
	}
	x, err := NewTokenExchange(p)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestATokenIsExchangedOnce(t *testing.T) {
	var form url.Values
	e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		if r.Method != http.MethodPost || user != url.QueryEscape("gate:way") || secret != url.QueryEscape("s%cret") {
			t.Errorf("%s by %q", r.Method, user)
		}
		_ = r.ParseForm()
		form = r.PostForm
		fmt.Fprint(w, good)
	})
	x := exchangeAt(t, e.URL, func(p *plan.TokenExchange) {
		p.Audiences, p.Resources, p.Scopes = []string{"brokers", "more"}, []string{"https://kafka.example.org"}, []string{"a", "b"}
	})
	ends := time.Now().Add(time.Hour)
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			token, until, err := x.Token(t.Context(), subject, ends, time.Time{})
			if left := time.Until(until); token != "new" || err != nil || left < time.Minute || left > 300*time.Second {
				t.Errorf("%q, good for %v, %v", token, left, err)
			}
		})
	}
	clients.Wait()
	if n := e.asked.Load(); n != 1 {
		t.Errorf("%d questions", n)
	}
	want := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {subject},
		"subject_token_type": {tokenTypeAccess}, "requested_token_type": {tokenTypeAccess},
		"audience": {"brokers", "more"}, "resource": {"https://kafka.example.org"}, "scope": {"a b"},
	}
	if form.Encode() != want.Encode() {
		t.Errorf("asked for %v", form)
	}
	if _, _, err := x.Token(t.Context(), "another", ends, time.Time{}); err != nil || e.asked.Load() != 2 {
		t.Errorf("another client's token: %v after %d questions", err, e.asked.Load())
	}
	sooner := time.Now().Add(time.Minute)
	if _, until, err := x.Token(t.Context(), "of a minute", sooner, time.Time{}); err != nil || !until.Equal(sooner) {
		t.Errorf("it ends at %v, and the client's at %v: %v", until, sooner, err)
	}
	x.Forget(subject)
	if _, _, err := x.Token(t.Context(), subject, ends, time.Time{}); err != nil || e.asked.Load() != 4 {
		t.Errorf("after a broker's refusal: %v after %d questions", err, e.asked.Load())
	}
}

// Whatever an issuer says, there is a reason for the operator, and nothing of what it said in it.
func TestAnIssuerThatLies(t *testing.T) {
	change := func(old, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Replace(good, old, text, 1))
		}
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	raw := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, text)
				_ = conn.Close()
			}
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		reason string
		asked  int64 // 0: once
	}{
		"nothing":                   {status(200, ""), "its answer is no token", 0},
		"no JSON":                   {status(200, "<html>"+subject), "its answer is no token", 0},
		"a list":                    {status(200, "[]"), "its answer is no token", 0},
		"deep":                      {status(200, strings.Repeat(`{"a":`, 300_000)), "its answer is no token", 0},
		"100 MB":                    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(spaces{}, 100<<20)) }, "its answer is no token", 0},
		"a header without an end":   {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)), "its answer is no token", 0},
		"no HTTP":                   {raw(subject + "\r\n\r\n"), "its answer is no token", 0},
		"no answer":                 {raw(""), "it ends the connection without an answer", 0},
		"a refusal":                 {status(400, `{"error":"invalid_grant","error_description":"`+subject+`"}`), "status 400, error invalid_grant", 0},
		"a token as the error":      {status(400, `{"error":"`+subject+`"}`), "status 400", 0},
		"an error with line breaks": {status(400, `{"error":"a\nb"}`), "status 400", 0},
		"an error that is good":     {status(200, `{"error":"access_denied"}`), "status 200, error access_denied", 0},
		"who is that":               {status(401, `{"error":"invalid_client"}`), "status 401, error invalid_client", 2},
		"a fault":                   {status(503, subject), "status 503", 0},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "status 307", 0},
		"no token":             {change(`"new"`, `""`), "its answer is no token", 0},
		"the client's token":   {change(`"new"`, `"`+subject+`"`), "the client's own token", 0},
		"no token's letters":   {change(`"new"`, `"a b"`), "the new token is none", 0},
		"a token of 200 KB":    {change(`new`, strings.Repeat("a", 200_000)), "more than 131072 bytes", 0},
		"another kind of use":  {change("Bearer", "DPoP"), "no bearer token", 0},
		"a refresh token":      {change("token-type:access_token", "token-type:refresh_token"), "of the type", 0},
		"no type":              {change("issued_token_type", "x"), "of the type", 0},
		"a token of yesterday": {change("300", "-300"), "has ended already", 0},
		"an end that is none":  {change("300", `{"a":1}`), "its answer is no token", 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := endpointOf(t, c.answer)
			x := exchangeAt(t, e.URL, nil)
			token, _, err := x.Token(t.Context(), subject, time.Now().Add(time.Hour), time.Time{})
			if err == nil {
				t.Fatalf("it gives %q", token)
			}
			reason := err.Error()
			if !strings.Contains(reason, c.reason) || strings.ContainsAny(reason, "\r\n") || len(reason) > 200 {
				t.Errorf("the reason is %q", reason)
			}
			for _, secret := range []string{subject[:12], "ABCDEFGH", "s%cret"} {
				if strings.Contains(reason, secret) {
					t.Errorf("the reason %q holds what it must not", reason)
				}
			}
			if want := max(c.asked, 1); e.asked.Load() != want {
				t.Errorf("%d questions, not %d", e.asked.Load(), want)
			}
		})
	}
}

// spaces is JSON that never begins.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAnIssuerThatIsSlowOrDown(t *testing.T) {
	held := make(chan struct{})
	e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":`) // and no more
		w.(http.Flusher).Flush()
		select {
		case <-held:
		case <-r.Context().Done():
		}
	})
	x := exchangeAt(t, e.URL, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := x.Token(ctx, subject, time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("whose time is up is told %v", err)
	}
	if _, _, err := x.Token(t.Context(), subject, time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("who waits is told %v", err)
	}
	if n := e.asked.Load(); n != 1 {
		t.Errorf("%d questions", n)
	}
	close(held)
	down := endpointOf(t, nil)
	down.Close()
	if _, _, err := exchangeAt(t, down.URL, nil).Token(t.Context(), subject, time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("an issuer that is down: %v", err)
	}
}

// A no is repeated for a moment, so that a client that tries and tries again is not the issuer's burden. A fault is not.
func TestARefusalIsRemembered(t *testing.T) {
	for body, asked := range map[string]int64{`{"error":"invalid_target"}`: 1, `broken`: 2} {
		e := endpointOf(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		})
		x := exchangeAt(t, e.URL, nil)
		for range 2 {
			if _, _, err := x.Token(t.Context(), subject, time.Time{}, time.Time{}); err == nil {
				t.Error("exchanged")
			}
		}
		if e.asked.Load() != asked {
			t.Errorf("%s: %d questions", body, e.asked.Load())
		}
	}
}

// When an answer is still one.
func TestHowLongAnExchangeCounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		life   time.Duration // of the answer
		beyond time.Duration // it has to be good; 0: any
		after  time.Duration
		want   bool
	}{
		{"new", time.Minute, 0, 0, true},
		{"used", time.Minute, 0, 47 * time.Second, true},
		{"aged", time.Minute, 0, 49 * time.Second, false},
		{"ended", time.Minute, 0, time.Minute, false},
		{"long enough", time.Hour, time.Minute, 10 * time.Second, true},
		{"too short", time.Minute, time.Minute, 10 * time.Second, false},
		{"too short, and asked a moment ago", time.Minute, time.Minute, 900 * time.Millisecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				a := &exchanged{token: "new", asked: now, ends: now.Add(c.life), aged: agedAt(now.Add(c.life))}
				var beyond time.Time
				if c.beyond > 0 {
					beyond = now.Add(c.beyond)
				}
				<-time.After(c.after)
				if got := a.serves(time.Now(), beyond); got != c.want {
					t.Errorf("%v", got)
				}
			})
		})
	}
	no := &exchanged{asked: time.Now(), refusal: errors.New("no")}
	if now := time.Now(); !no.serves(now, time.Time{}) || no.serves(now.Add(refusalAge+time.Second), time.Time{}) {
		t.Error("a refusal counts for another time")
	}
}

// An answer that does not say when it ends is not kept, and neither is one that there is no room for.
func TestWhatIsKeptIsBounded(t *testing.T) {
	e := endpointOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(good, `,"expires_in":300`, "", 1))
	})
	x := exchangeAt(t, e.URL, nil)
	ends := time.Now().Add(time.Hour)
	for range 2 {
		if _, until, err := x.Token(t.Context(), subject, ends, time.Time{}); err != nil || !until.Equal(ends) {
			t.Errorf("until %v, %v", until, err)
		}
	}
	if e.asked.Load() != 2 {
		t.Errorf("%d questions", e.asked.Load())
	}
	answer := func(size int) *exchanged {
		return &exchanged{token: strings.Repeat("a", size), asked: time.Now(), ends: ends, aged: ends}
	}
	for i := range maxExchanged + 10 {
		x.keep([32]byte{1, byte(i), byte(i >> 8)}, answer(1))
	}
	if len(x.known) != maxExchanged || x.bytes != maxExchanged {
		t.Errorf("%d answers of %d bytes", len(x.known), x.bytes)
	}
	clear(x.known)
	x.bytes = 0
	for i := range 1000 {
		x.keep([32]byte{2, byte(i), byte(i >> 8)}, answer(128<<10))
	}
	if x.bytes > maxExchangedBytes || len(x.known) == 0 {
		t.Errorf("%d answers of %d bytes", len(x.known), x.bytes)
	}
	for _, a := range x.known {
		a.ends = time.Now() // all have ended
	}
	x.swept = time.Time{}
	x.keep([32]byte{3}, answer(1))
	if len(x.known) != 1 || x.bytes != 1 {
		t.Errorf("%d answers of %d bytes", len(x.known), x.bytes)
	}
}

// Some issuers take the secret in the form alone (RFC 6749 section 2.3.1). Which way it is is found out once.
func TestASecretInTheForm(t *testing.T) {
	e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("client_id") != "gate:way" || r.PostFormValue("client_secret") != "s%cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, good)
	})
	x := exchangeAt(t, e.URL, nil)
	for _, client := range []string{"alice", "bob"} {
		if _, _, err := x.Token(t.Context(), client, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if e.asked.Load() != 3 {
		t.Errorf("%d questions", e.asked.Load())
	}
}

// The gateway may be known by its certificate (RFC 8705 section 2), for tokens of its own and for others'.
func TestTheGatewayShowsTheIssuerACertificate(t *testing.T) {
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	server, err := ca.Server("127.0.0.1")
	if err == nil {
		err = errors.Join(server.Write(file("s.pem"), file("s.key")), ca.WritePEM(file("ca.pem")))
	}
	client, clientErr := ca.Client("test", "gateway")
	if err = errors.Join(err, clientErr); err == nil {
		err = client.Write(file("c.pem"), file("c.key"))
	}
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(file("s.pem"), file("s.key"))
	if err != nil {
		t.Fatal(err)
	}
	believed := x509.NewCertPool()
	believed.AppendCertsFromPEM(ca.PEM())
	e := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, basic := r.BasicAuth()
		if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != "gateway" || r.PostFormValue("client_id") != "gate:way" ||
			r.PostFormValue("client_secret") != "" || basic {
			t.Errorf("asked by %q: %v", name, r.PostForm)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, good)
	}))
	e.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: believed, ClientAuth: tls.RequireAndVerifyClientCert}
	e.StartTLS()
	defer e.Close()
	by := plan.TokenClient{Endpoint: e.URL, ClientID: "gate:way", Certificate: file("c.pem"), Key: file("c.key"), CA: file("ca.pem")}
	own, err := NewTokenSource(&plan.ClientCredentials{TokenClient: by})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := own.Token(); token != "new" || err != nil {
		t.Errorf("its own: %q, %v", token, err)
	}
	x := exchangeAt(t, e.URL, func(p *plan.TokenExchange) { p.TokenClient = by })
	if token, _, err := x.Token(t.Context(), subject, time.Time{}, time.Time{}); token != "new" || err != nil {
		t.Errorf("in exchange: %q, %v", token, err)
	}
	by.Certificate, by.Key = "", ""
	x = exchangeAt(t, e.URL, func(p *plan.TokenExchange) { p.TokenClient = by })
	if _, _, err := x.Token(t.Context(), subject, time.Time{}, time.Time{}); err == nil {
		t.Error("in exchange without a certificate")
	}
	if _, err := NewTokenExchange(&plan.TokenExchange{TokenClient: plan.TokenClient{Certificate: file("c.pem"), Key: file("none")}}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a key that is not there: %v", err)
	}
	if err := os.Remove(file("ca.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := NewTokenExchange(&plan.TokenExchange{TokenClient: plan.TokenClient{CA: file("ca.pem")}}); err == nil {
		t.Error("a CA that is not there")
	}
}
