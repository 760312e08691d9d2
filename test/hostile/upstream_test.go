package hostile_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// What a broker may make the gateway allocate and compute while the gateway asks it for itself: a bound for the answer,
// and three tries at the most in the time that a test waits.
const (
	upstreamBytes = 16 << 20
	upstreamCPU   = 300 * time.Millisecond
)

// lies are answers to the gateway's own questions, K14. The broker tells the truth again when it is told to.
var lies = []struct {
	name string
	key  kmsg.Key
	raw  func(r canary.Request) []byte
}{
	{"versions-with-2-to-32-tagged-fields", kmsg.ApiVersions, body("0000 01 00000000 ffffffff0f")},
	{"versions-of-2-to-31-apis", kmsg.ApiVersions, body("0000 ffffffff07")},
	{"versions-with-an-error", kmsg.ApiVersions, body("0029 01 00000000 00")},
	{"versions-that-are-garbage", kmsg.ApiVersions, body(strings.Repeat("ff", 5000))},
	{"versions-of-nothing", kmsg.ApiVersions, body("")},
	{"versions-of-another-request", kmsg.ApiVersions, func(r canary.Request) []byte { return frame(be32(r.Correlation + 1)) }},
	{"versions-never-known", kmsg.ApiVersions, body("0023 00000000")},
	{"metadata-of-2-to-31-brokers", kmsg.Metadata, body("00 00000000 ffffffff07")},
	{"metadata-of-no-broker", kmsg.Metadata, body("00 00000000 01 00 ffffffff 01 80000000 00")},
	{"metadata-of-a-broker-below-zero", kmsg.Metadata, metadataOf(-5, "127.0.0.1", 9092)},
	{"metadata-with-port-0", kmsg.Metadata, metadataOf(1, "127.0.0.1", 0)},
	{"metadata-with-port-65536", kmsg.Metadata, metadataOf(1, "127.0.0.1", 65536)},
	{"metadata-with-a-negative-port", kmsg.Metadata, metadataOf(1, "127.0.0.1", -1)},
	{"metadata-without-host", kmsg.Metadata, metadataOf(1, "", 9092)},
	{"metadata-with-a-host-of-30000", kmsg.Metadata, metadataOf(1, strings.Repeat("a", 30000), 9092)},
	{"a-negative-length", kmsg.Metadata, func(canary.Request) []byte { return unhex("ffffffff") }},
	{"a-length-of-2-gib", kmsg.Metadata, func(canary.Request) []byte { return unhex("7fffffff00000001") }},
	{"no-kafka", kmsg.Metadata, func(canary.Request) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
}

// body is an answer from what follows the correlation id, in hexadecimal.
func body(text string) func(canary.Request) []byte {
	b := unhex(strings.ReplaceAll(text, " ", ""))
	return func(r canary.Request) []byte {
		return frame(append(be32(r.Correlation), b...))
	}
}

func metadataOf(id int32, host string, port int32) func(canary.Request) []byte {
	return func(r canary.Request) []byte {
		m := good(r.Version)
		m.Brokers[0].NodeID, m.Brokers[0].Host, m.Brokers[0].Port = id, host, port
		return canary.Frame(r, m)
	}
}

func TestABrokerThatLiesToTheGatewayIsNotBelieved(t *testing.T) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			var honest atomic.Bool
			b := canary.Start(t, canary.Options{Answer: func(_ *canary.Conn, r canary.Request) ([]byte, bool) {
				if honest.Load() || r.Key != int16(l.key) || r.ClientID != watch {
					return nil, false
				}
				return l.raw(r), true
			}})
			from := used()
			s := before(t, b)
			s.unavailable("")
			s.affordable(from)
			honest.Store(true)
			s.stillWorks() // the gateway recovers by itself
		})
	}
}

// scramLogin is what a broker says in the two rounds.
type scramLogin struct{ name, first, last string }

// logins are what a broker says while the gateway logs in to it with SCRAM. {nonce} is the gateway's.
var logins = []scramLogin{
	{"an-iteration-count-of-2-to-31", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=2147483648", ""},
	{"an-iteration-count-of-10-million", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=10000000", ""},
	{"an-iteration-count-of-1", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=1", ""},
	{"an-iteration-count-of-minus-1", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=-1", ""},
	{"no-iteration-count", "r={nonce}abc,s=c2FsdHNhbHRzYWx0", ""},
	{"a-nonce-of-another", "r=abcdefghijklmnopqrstuvwxyz,s=c2FsdHNhbHRzYWx0,i=4096", ""},
	{"a-nonce-without-its-own", "r={nonce},s=c2FsdHNhbHRzYWx0,i=4096", ""},
	{"a-nonce-of-1-mib", "r={nonce}" + strings.Repeat("a", 1<<20) + ",s=c2FsdHNhbHRzYWx0,i=4096", ""},
	{"no-salt", "r={nonce}abc,s=,i=4096", ""},
	{"a-salt-that-is-not-base64", "r={nonce}abc,s=!!!!,i=4096", ""},
	{"a-mandatory-extension", "m=x,r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096", ""},
	{"nothing", "", ""},
	{"no-signature", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096", ""},
	{"an-empty-signature", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096", "v="},
	{"a-wrong-signature", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096", "v=" + base64.StdEncoding.EncodeToString(make([]byte, 32))},
	{"an-error-for-a-signature", "r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096", "e=other-error"},
}

// A broker that cannot prove that it knows the gateway's password may be anybody: the gateway does not talk to it.
func TestABrokerThatCannotProveItselfIsNotTrusted(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range logins {
		t.Run(l.name, func(t *testing.T) {
			b := canary.Start(t, canary.Options{Answer: l.answer})
			p := inprocess.Plan(inprocess.PlanOptions{Certificates: inprocess.NewCertificates(t), Bootstrap: []string{b.Address()}})
			for i := range p.Servers {
				p.Servers[i].Upstream.SASL = &plan.UpstreamSASL{Mechanism: "SCRAM-SHA-256", Username: "gateway", Password: plan.Secret("file:" + password)}
			}
			p.Servers = p.Servers[:1]
			from := used()
			s := &stage{t: t, canary: b, gateway: inprocess.Start(t, p, inprocess.NewUsers(t))}
			s.target = &dialogue.Target{Addresses: s.gateway.Addresses}
			s.unavailable("SCRAM-SHA-256")
			s.affordable(from)
			for _, r := range b.Requests(func(string) bool { return true }) {
				if r.Key != int16(kmsg.SASLHandshake) && r.Key != int16(kmsg.SASLAuthenticate) {
					t.Errorf("the gateway sent %s to a broker that had not proved itself", kmsg.NameForKey(r.Key))
				}
			}
			if s.gateway.Log.Contains([]byte("swordfish")) {
				t.Error("the log has the gateway's password in it")
			}
		})
	}
}

// answer plays the broker's side of the login.
func (l scramLogin) answer(_ *canary.Conn, r canary.Request) ([]byte, bool) {
	switch r.Key {
	case int16(kmsg.SASLHandshake):
		response := kmsg.NewPtrSASLHandshakeResponse()
		response.SupportedMechanisms = []string{"SCRAM-SHA-256"}
		return canary.Frame(r, response), true
	case int16(kmsg.SASLAuthenticate):
		request := kmsg.NewPtrSASLAuthenticateRequest()
		request.Version = r.Version
		if request.ReadFrom(r.Body) != nil {
			return nil, true
		}
		response := kmsg.NewPtrSASLAuthenticateResponse()
		response.Version = r.Version
		response.SASLAuthBytes = []byte(l.last)
		if _, nonce, ok := strings.Cut(string(request.SASLAuthBytes), ",r="); ok && strings.HasPrefix(string(request.SASLAuthBytes), "n,,") {
			response.SASLAuthBytes = []byte(strings.ReplaceAll(l.first, "{nonce}", nonce))
		}
		return canary.Frame(r, response), true
	}
	return nil, false
}

// unavailable waits for the one record that tells the operator what is wrong upstream.
func (s *stage) unavailable(reason string) {
	s.t.Helper()
	s.gateway.Log.Wait(s.t, patience, func(r inprocess.Record) bool {
		return r.Message == "upstream unavailable" && strings.Contains(r.Field("error"), reason)
	})
}

// affordable holds what the gateway has done since against the bounds.
func (s *stage) affordable(from cost) {
	s.t.Helper()
	to := used()
	if instrumented {
		return
	}
	if allocated := to.allocated - from.allocated; allocated > upstreamBytes {
		s.t.Errorf("the broker made the gateway allocate %d bytes", allocated)
	}
	if cpu := to.cpu - from.cpu; cpu > upstreamCPU {
		s.t.Errorf("the broker made the gateway compute for %v", cpu)
	}
}
