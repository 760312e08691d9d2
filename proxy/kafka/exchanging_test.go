package kafka_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
)

// exchanges are the questions of a gateway that exchanges tokens, and how they are answered: with exchanged.1 and so on.
type exchanges struct {
	mu       sync.Mutex
	subjects []string
	life     int // of the new tokens, in seconds
	refuse   bool
}

func (x *exchanges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	x.subjects = append(x.subjects, r.PostFormValue("subject_token"))
	if x.refuse || r.PostFormValue("audience") != "brokers" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_target","error_description":%q}`, r.PostFormValue("subject_token"))
		return
	}
	fmt.Fprintf(w, `{"access_token":"exchanged.%d","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","expires_in":%d}`,
		len(x.subjects), x.life)
}

// of are the tokens that were to be exchanged, in order.
func (x *exchanges) of() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.subjects)
}

// exchanging is a gateway that exchanges its clients' tokens, before a broker inside TLS.
func exchanging(t *testing.T, s *shown, x *exchanges) *world {
	t.Helper()
	issuer := httptest.NewServer(x)
	t.Cleanup(issuer.Close)
	return passingOn(t, s, func(p *plan.Plan) {
		p.Servers[0].Upstream.Identity = plan.IdentityExchanged
		by := p.Servers[0].Upstream.SASL.Token.TokenClient
		by.Endpoint = issuer.URL
		const kind = "urn:ietf:params:oauth:token-type:access_token"
		p.Servers[0].Upstream.Exchange = &plan.TokenExchange{TokenClient: by, Audiences: []string{"brokers"}, SubjectType: kind, RequestedType: kind}
	})
}

func TestABrokerIsShownWhatATokenIsExchangedFor(t *testing.T) {
	s, x := &shown{}, &exchanges{life: 3600}
	w := exchanging(t, s, x)
	for i, token := range []string{"alice.1h.first", "bob.1h.second", "bob.1h.second"} {
		conn := w.connect(t)
		bearer(t, conn, token)
		if before := len(s.ofClients()); before != i {
			t.Fatalf("a broker is shown %v before the first request", s.ofClients())
		}
		if got := roundTrip(t, conn, heartbeat); string(got[8:]) != "ok" {
			t.Fatalf("%q", got)
		}
	}
	if got := s.ofClients(); !slices.Equal(got, []string{"exchanged.1", "exchanged.2", "exchanged.2"}) {
		t.Errorf("a broker is shown %v", got)
	}
	if got := x.of(); !slices.Equal(got, []string{"alice.1h.first", "bob.1h.second"}) {
		t.Errorf("exchanged were %v", got)
	}
	w.quiet(t, "alice.1h.first", "bob.1h.second", "exchanged.")
}

// Who has not logged in has nothing exchanged, and neither has somebody whose token is no good.
func TestNothingIsExchangedBeforeTheLogin(t *testing.T) {
	s, x := &shown{}, &exchanges{life: 3600}
	w := exchanging(t, s, x)
	conn := w.connect(t)
	if err := code(1, 0)(roundTrip(t, conn, ask(17, 1, 1, []byte("\x00\x0bOAUTHBEARER")))); err != nil {
		t.Fatal(err)
	}
	message := "n,,\x01auth=Bearer alice.never.good\x01\x01"
	roundTrip(t, conn, ask(36, 1, 2, append([]byte{0, 0, 0, byte(len(message))}, message...)))
	conn.Close() // as most clients do when they are shown the error
	eventually(t, "an audit record", func() bool { return w.refused("malformed-token") == 1 })
	if got := x.of(); len(got) != 0 {
		t.Errorf("exchanged were %v", got)
	}
}

func TestAClientWhoseTokenIsNotExchangedIsNobodyToTheBroker(t *testing.T) {
	s, x := &shown{}, &exchanges{refuse: true}
	w := exchanging(t, s, x)
	conn := w.connect(t)
	bearer(t, conn, "alice.1h.unwanted")
	conn.Write(heartbeat)
	if got, err := readFrame(conn); err == nil {
		t.Errorf("the client is answered %q", got)
	}
	eventually(t, "an audit record", func() bool { return w.refused("upstream-exchange") == 1 })
	for _, entry := range w.logs.FilterMessage("refused").All() {
		if fields := entry.ContextMap(); fields["stage"] != "upstream" || !strings.Contains(fmt.Sprint(fields["reason"]), "invalid_target") {
			t.Errorf("the operator is told %v", fields)
		}
	}
	if got := s.ofClients(); len(got) != 0 {
		t.Errorf("a broker is shown %v", got)
	}
	w.quiet(t, "alice.1h.unwanted")
}

func TestARenewedTokenIsExchangedToo(t *testing.T) {
	s, x := &shown{millis: 3_600_000}, &exchanges{life: 3600}
	w := exchanging(t, s, x)
	conn := w.connect(t)
	bearer(t, conn, "alice.1h.first")
	roundTrip(t, conn, heartbeat)
	bearer(t, conn, "alice.1h.second")
	eventually(t, "the second token is shown", func() bool {
		roundTrip(t, conn, heartbeat)
		return slices.Equal(s.ofClients(), []string{"exchanged.1", "exchanged.2"})
	})
	if got := x.of(); !slices.Equal(got, []string{"alice.1h.first", "alice.1h.second"}) {
		t.Errorf("exchanged were %v", got)
	}
}

// Where the new token is the shorter one, the gateway has the client's exchanged again while that lasts. The client notices
// nothing, until the issuer says no.
func TestATokenIsExchangedAgainWhileItLasts(t *testing.T) {
	for name, millis := range map[string]uint64{"a broker that limits sessions": 3000, "a broker that takes one login": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, x := &shown{millis: millis}, &exchanges{life: 3}
			w := exchanging(t, s, x)
			conn := w.connect(t)
			bearer(t, conn, "alice.1h.first")
			eventually(t, "a second exchange", func() bool {
				if got := roundTrip(t, conn, heartbeat); string(got[8:]) != "ok" {
					t.Fatalf("%q", got)
				}
				return len(x.of()) > 1
			})
			if millis > 0 {
				eventually(t, "the broker is shown its outcome", func() bool {
					roundTrip(t, conn, heartbeat)
					return slices.Contains(s.ofClients(), "exchanged.2")
				})
			}
			x.mu.Lock()
			x.refuse = true
			x.mu.Unlock()
			eventually(t, "the end of the connection", func() bool {
				conn.Write(heartbeat)
				_, err := readFrame(conn)
				return err != nil
			})
			eventually(t, "an audit record", func() bool { return w.refused("upstream-exchange") == 1 })
			if got := s.ofClients(); millis == 0 && len(got) != 1 {
				t.Errorf("the broker is shown %v", got)
			}
		})
	}
}

// A broker that does not take what is kept for a token is shown another the next time.
func TestWhatABrokerRefusesIsNotKept(t *testing.T) {
	s, x := &shown{refuse: map[string]bool{"exchanged.1": true}}, &exchanges{life: 3600}
	w := exchanging(t, s, x)
	conn := w.connect(t)
	bearer(t, conn, "alice.1h.first")
	conn.Write(heartbeat)
	if got, err := readFrame(conn); err == nil {
		t.Errorf("the client is answered %q", got)
	}
	eventually(t, "an audit record", func() bool { return w.refused("upstream-token") == 1 })
	again := w.connect(t)
	bearer(t, again, "alice.1h.first")
	if got := roundTrip(t, again, heartbeat); string(got[8:]) != "ok" {
		t.Fatalf("%q", got)
	}
	w.quiet(t, "alice.1h.first", "exchanged.1")
}
