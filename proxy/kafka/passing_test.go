package kafka_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// believer takes tokens of the form NAME.LIFETIME.ANYTHING.
type believer struct{}

func (believer) Verify(_ context.Context, token string, _ sasl.Peer) (*sasl.Principal, *sasl.Reject) {
	name, rest, _ := strings.Cut(token, ".")
	text, _, _ := strings.Cut(rest, ".")
	lifetime, err := time.ParseDuration(text)
	if err != nil {
		return nil, &sasl.Reject{Stage: sasl.StageLogin, Code: sasl.CodeMalformed}
	}
	return &sasl.Principal{Name: name, Issuer: "id", Expires: time.Now().Add(lifetime)}, nil
}
func (believer) Check(*sasl.Principal) error              { return nil }
func (believer) Refresh(context.Context, *sasl.Principal) {}

// shown are the tokens that a broker has been shown, in order. A broker that refuses repeats the token, as it may.
type shown struct {
	mu     sync.Mutex
	tokens []string
	refuse map[string]bool
	millis uint64 // lifetime of the sessions of tokens that are not the gateway's
}

func (s *shown) authenticate(body []byte) []byte {
	_, token, _ := bytes.Cut(body, []byte("auth=Bearer "))
	token, _, _ = bytes.Cut(token, []byte{1})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, string(token))
	text := "refused: " + string(token)
	switch {
	case s.refuse["by code "+string(token)]:
		p := binary.BigEndian.AppendUint16([]byte{0, 58}, uint16(len(text)))
		return append(append(p, text...), make([]byte, 12)...)
	case s.refuse[string(token)]:
		p := binary.BigEndian.AppendUint32([]byte{0, 0, 0xff, 0xff}, uint32(len(text)))
		return append(append(p, text...), make([]byte, 8)...)
	}
	millis := s.millis
	if string(token) == "own" {
		millis = 3_600_000
	}
	return binary.BigEndian.AppendUint64([]byte{0, 0, 0xff, 0xff, 0, 0, 0, 0}, millis)
}

// ofClients are those that are not the gateway's own.
func (s *shown) ofClients() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.tokens), func(token string) bool { return token == "own" })
}

// passingOn is a gateway that passes its clients' tokens on to a broker inside TLS.
func passingOn(t *testing.T, s *shown, change func(*plan.Plan)) *world {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server("127.0.0.1")
	for _, step := range []func() error{
		func() error { return err },
		func() error { return pair.Write(file("b.pem"), file("b.key")) },
		func() error { return ca.WritePEM(file("ca.pem")) },
		func() error { return os.WriteFile(file("secret"), []byte("s3cret"), 0o600) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	certificate, err := tls.LoadX509KeyPair(file("b.pem"), file("b.key"))
	if err != nil {
		t.Fatal(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"own","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(issuer.Close)
	b := newBroker(t, func(wire.RequestHeader, []byte) ([]byte, bool) { return []byte("ok"), true })
	b.secure(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, s.authenticate)
	return startWith(t, []string{b.address()}, believer{}, func(p *plan.Plan) {
		p.Servers[0].Alternatives = []plan.Alternative{{Enabled: true, All: []plan.Requirement{{
			Scheme: "oauth", Type: "oauth2", Mechanisms: []string{sasl.OAuthBearer}, Issuers: []string{"id"}}}}}
		p.Servers[0].Upstream.Identity = plan.IdentityToken
		p.Servers[0].Upstream.TLS = &plan.UpstreamTLS{CA: file("ca.pem")}
		p.Servers[0].Upstream.SASL = &plan.UpstreamSASL{Mechanism: sasl.OAuthBearer, Token: &plan.ClientCredentials{TokenClient: plan.TokenClient{
			Endpoint: issuer.URL, ClientID: "gateway", ClientSecret: plan.Secret("file:" + file("secret"))}}}
		if change != nil {
			change(p)
		}
	})
}

// bearer logs a client in with a token, on a connection of its own or again.
func bearer(t *testing.T, conn net.Conn, token string) {
	t.Helper()
	if err := code(1, 0)(roundTrip(t, conn, ask(17, 1, 1, []byte("\x00\x0bOAUTHBEARER")))); err != nil {
		t.Fatal(err)
	}
	message := "n,,\x01auth=Bearer " + token + "\x01\x01"
	if err := code(2, 0)(roundTrip(t, conn, ask(36, 1, 2, append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)))); err != nil {
		t.Fatal(err)
	}
}

func (w *world) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	return conn
}

// quiet fails if a token is anywhere in the log.
func (w *world) quiet(t *testing.T, tokens ...string) {
	t.Helper()
	for _, entry := range w.logs.All() {
		text := entry.Message + fmt.Sprintf("%+v", entry.ContextMap())
		for _, token := range tokens {
			if strings.Contains(text, token) {
				t.Errorf("a token is in the log: %s", text)
			}
		}
	}
}

func TestATokenIsPassedOnOnItsClientsConnection(t *testing.T) {
	s := &shown{}
	w := passingOn(t, s, nil)
	for _, token := range []string{"alice.1h.first", "bob.1h.second"} {
		before := len(s.ofClients())
		conn := w.connect(t)
		bearer(t, conn, token)
		if got := s.ofClients(); len(got) != before {
			t.Fatalf("a broker is shown %v before the first request", got)
		}
		if got := roundTrip(t, conn, heartbeat); string(got[8:]) != "ok" {
			t.Fatalf("%q", got)
		}
		if got := s.ofClients(); len(got) != before+1 || got[before] != token {
			t.Errorf("a broker is shown %v for %s", got, token)
		}
	}
	w.quiet(t, "alice.1h.first", "bob.1h.second")
}

func TestABrokerThatRefusesATokenIsAskedOnce(t *testing.T) {
	for name, mark := range map[string]string{"by its error": "by code ", "by a challenge": ""} {
		t.Run(name, func(t *testing.T) {
			s := &shown{refuse: map[string]bool{mark + "alice.1h.unwanted": true}}
			w := passingOn(t, s, nil)
			conn := w.connect(t)
			bearer(t, conn, "alice.1h.unwanted")
			conn.Write(heartbeat)
			if got, err := readFrame(conn); err == nil {
				t.Errorf("the client is answered %q", got)
			}
			eventually(t, "an audit record", func() bool { return w.refused("upstream-token") == 1 })
			if got := s.ofClients(); len(got) != 1 {
				t.Errorf("a broker is shown %v", got)
			}
			w.quiet(t, "alice.1h.unwanted")
		})
	}
}

func TestARenewedTokenIsPassedOnToo(t *testing.T) {
	s := &shown{millis: 3000}
	w := passingOn(t, s, nil)
	conn := w.connect(t)
	bearer(t, conn, "alice.1h.first")
	roundTrip(t, conn, heartbeat)
	bearer(t, conn, "alice.1h.second")
	eventually(t, "the second token is shown", func() bool {
		if got := roundTrip(t, conn, heartbeat); string(got[8:]) != "ok" {
			t.Fatalf("%q", got)
		}
		return slices.Contains(s.ofClients(), "alice.1h.second")
	})
	if got := s.ofClients(); got[0] != "alice.1h.first" || got[len(got)-1] != "alice.1h.second" {
		t.Errorf("a broker is shown %v", got)
	}
	s.mu.Lock()
	s.refuse = map[string]bool{"alice.1h.third": true}
	s.mu.Unlock()
	bearer(t, conn, "alice.1h.third")
	eventually(t, "a refused renewal ends the connection", func() bool {
		conn.Write(heartbeat)
		_, err := readFrame(conn)
		return err != nil
	})
	eventually(t, "an audit record", func() bool { return w.refused("upstream-token") == 1 })
	w.quiet(t, "alice.1h.first", "alice.1h.second", "alice.1h.third")
}

// A plan that lets somebody in without a token is refused by the compiler. Should one come all the same, nothing is dialled.
func TestNobodyWithoutATokenBorrowsTheGatewaysOwn(t *testing.T) {
	s := &shown{}
	w := passingOn(t, s, withPlain)
	conn := logIn(t, w.address)
	conn.Write(heartbeat)
	if got, err := readFrame(conn); err == nil {
		t.Errorf("the client is answered %q", got)
	}
	eventually(t, "an audit record", func() bool { return w.refused("upstream-token") == 1 })
	if got := s.ofClients(); len(got) != 0 {
		t.Errorf("a broker is shown %v", got)
	}
}
