package tokens

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What an issuer answers is read in goroutines of their own: a panic there is a failed question, and not the gateway's end.
func TestAPanicOverAnAnswerIsAFailedQuestion(t *testing.T) {
	s := &source{name: "a", interval: time.Second, fetch: func(context.Context) (*keySet, error) { panic("no answer") }}
	<-s.start()
	if s.failures != 1 || !errors.Is(s.err, errFault) {
		t.Errorf("keys: %d failures, %v", s.failures, s.err)
	}
	n, err := newIntrospector(Issuer{Name: "http://127.0.0.1:1", Introspection: &Introspection{URL: "http://127.0.0.1:1/"}})
	if err != nil {
		t.Fatal(err)
	}
	n.client.plain = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { panic("no answer") })}
	if a, r := n.ask(t.Context(), "token"); a != nil || r == nil || r.Code != sasl.CodeIssuerUnavailable {
		t.Errorf("an opaque token: %v, %v", a, r)
	}
}
