package kafka

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

func TestTheGatewayRenewsItsLoginInTime(t *testing.T) {
	for lifetime, want := range map[time.Duration]time.Duration{
		0:               0, // for ever
		time.Second:     500 * time.Millisecond,
		3 * time.Second: 1500 * time.Millisecond,
		5 * time.Second: 3 * time.Second,
		time.Minute:     51 * time.Second,
		time.Hour:       51 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			var b brokerConn
			b.renewAfter(lifetime)
			if want == 0 {
				if b.due() || !b.reauthenticate.IsZero() {
					t.Error("a login for ever is to be renewed")
				}
				return
			}
			if got := time.Until(b.reauthenticate); got != want {
				t.Errorf("a login for %v is renewed after %v, want %v", lifetime, got, want)
			}
			<-time.After(want)
			if b.due() {
				t.Errorf("a login for %v is due at %v already", lifetime, want)
			}
			<-time.After(time.Millisecond)
			if !b.due() {
				t.Errorf("a login for %v is not due after %v", lifetime, want)
			}
		})
	}
}

// When a client's token is shown to the broker again: a new one at once, but not within a second of the last; the same one
// only where it lasts longer than the session that the broker has granted.
func TestAClientsTokenIsPassedOnAgainInTime(t *testing.T) {
	first, second := &sasl.Token{}, &sasl.Token{}
	for _, c := range []struct {
		name     string
		lifetime time.Duration // that the broker has granted
		expires  time.Duration // of the client's token; 0: never
		token    *sasl.Token
		after    time.Duration
		due      bool
		err      error
	}{
		{"another, and the broker asks for none", 0, time.Minute, second, time.Hour, false, nil},
		{"another at once", time.Hour, time.Hour, second, 100 * time.Millisecond, false, nil},
		{"another", time.Hour, time.Hour, second, 1100 * time.Millisecond, true, nil},
		{"another at once, and the session is short", time.Second, time.Hour, second, 600 * time.Millisecond, true, nil},
		{"the same early", time.Minute, time.Hour, first, 50 * time.Second, false, nil},
		{"the same, which lasts longer", time.Minute, time.Hour, first, 52 * time.Second, true, nil},
		{"the same, which lasts for ever", time.Minute, 0, first, 52 * time.Second, true, nil},
		{"the same, too soon for the broker", time.Second, time.Hour, first, 900 * time.Millisecond, false, nil},
		{"the same, which ends with the session", time.Minute, time.Minute, first, 59 * time.Second, false, nil},
		{"the same, which has ended", time.Minute, time.Minute, first, time.Minute, false, errTokenEnded},
		{"another after the end", time.Minute, time.Hour, second, 2 * time.Minute, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &brokerConn{shown: &shown{of: first, token: first}}
				b.renewAfter(c.lifetime)
				var expires time.Time
				if c.expires > 0 {
					expires = time.Now().Add(c.expires)
				}
				<-time.After(c.after)
				if due, err := b.duePassing(c.token, expires); due != c.due || err != c.err {
					t.Errorf("%v, %v; want %v, %v", due, err, c.due, c.err)
				}
			})
		})
	}
}

// A session ends with the token that a client's was exchanged for, whatever the broker grants, and is renewed before; a broker
// that grants no session of its own takes no second login, and the token is exchanged again all the same.
func TestASessionEndsWithTheExchangedToken(t *testing.T) {
	for _, c := range []struct {
		name            string
		lifetime, token time.Duration // that the broker has granted, and of the new token; 0: never
		client          time.Duration // of the client's token
		after           time.Duration
		due             bool
		err             error
	}{
		{"early", time.Hour, time.Minute, time.Hour, 50 * time.Second, false, nil},
		{"in time", time.Hour, time.Minute, time.Hour, 52 * time.Second, true, nil},
		{"in time, and the broker takes one login", 0, time.Minute, time.Hour, 52 * time.Second, true, nil},
		{"the broker's limit is shorter", time.Minute, time.Hour, time.Hour, 52 * time.Second, true, nil},
		{"no end is known", 0, 0, time.Hour, 59 * time.Minute, false, nil},
		{"the client's ends with it", time.Hour, time.Minute, time.Minute, 59 * time.Second, false, nil},
		{"the client's has ended with it", time.Hour, time.Minute, time.Minute, time.Minute, false, errTokenEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &sasl.Token{}
				b := &brokerConn{shown: &shown{of: client, token: client.For("another")}}
				if c.token > 0 {
					b.shown.ends = time.Now().Add(c.token)
				}
				expires := time.Now().Add(c.client)
				b.renewAfter(c.lifetime)
				<-time.After(c.after)
				if due, err := b.duePassing(client, expires); due != c.due || err != c.err {
					t.Errorf("%v, %v; want %v, %v", due, err, c.due, c.err)
				}
			})
		})
	}
}

func TestTokensArePassedOnInsideTLSByAGatewayWithOneOfItsOwn(t *testing.T) {
	t.Setenv("PASSING_SECRET", "s3cret")
	own := &plan.UpstreamSASL{Mechanism: sasl.OAuthBearer, Token: &plan.ClientCredentials{TokenClient: plan.TokenClient{
		Endpoint: "https://id.example.org", ClientSecret: "env:PASSING_SECRET"}}}
	for name, p := range map[string]plan.Upstream{
		"in clear":              {SASL: own},
		"without a login":       {TLS: &plan.UpstreamTLS{}},
		"with another's secret": {TLS: &plan.UpstreamTLS{}, SASL: &plan.UpstreamSASL{Mechanism: sasl.Plain, Username: "gateway", Password: "env:PASSING_SECRET"}},
	} {
		p.Identity = plan.IdentityToken
		if _, err := newUpstream("a", p); err == nil {
			t.Errorf("tokens are passed on %s", name)
		}
	}
	u, err := newUpstream("a", plan.Upstream{Identity: plan.IdentityToken, TLS: &plan.UpstreamTLS{}, SASL: own})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.client(&shown{of: &sasl.Token{}, token: &sasl.Token{}}); err == nil {
		t.Error("a token that was shown to another server is passed on")
	}
	if _, err := newUpstream("a", plan.Upstream{Identity: plan.IdentityExchanged, TLS: &plan.UpstreamTLS{}, SASL: own}); err == nil {
		t.Error("tokens are exchanged for nothing")
	}
	u, err = newUpstream("a", plan.Upstream{Identity: plan.IdentityExchanged, TLS: &plan.UpstreamTLS{}, SASL: own, Exchange: &plan.TokenExchange{TokenClient: own.Token.TokenClient}})
	if err != nil {
		t.Fatal(err)
	}
	token := tokenShownTo(t, "a")
	if _, err := u.client(&shown{of: token, token: token}); err == nil {
		t.Error("a token that should have been exchanged is passed on")
	}
	if _, err := u.client(&shown{of: token, token: token.For("another")}); err != nil {
		t.Error(err)
	}
}

// anyToken takes every token.
type anyToken struct{ sasl.NoTokens }

func (anyToken) Verify(context.Context, string, sasl.Peer) (*sasl.Principal, *sasl.Reject) {
	return &sasl.Principal{Name: "alice"}, nil
}

// tokenShownTo is a token that a client has shown to a server.
func tokenShownTo(t *testing.T, server string) *sasl.Token {
	t.Helper()
	mechanism := sasl.NewPassingOAuthBearer(func() sasl.Tokens { return anyToken{} })
	step := mechanism.Start(sasl.Peer{Server: server}).Next(t.Context(), []byte("n,,\x01auth=Bearer abc\x01\x01"))
	if step.Principal == nil {
		t.Fatalf("%+v", step)
	}
	return step.Principal.Token
}
