package proxy

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

// TokenSource has a token of the gateway's own at hand, for its logins upstream, and gets another in time (RFC 6749
// section 4.4). It is safe for concurrent use: who comes while it asks waits for the answer.
type TokenSource struct {
	client     *tokenClient
	scopes     []string
	parameters url.Values

	mu    sync.Mutex
	token string
	old   time.Time // when another is asked for: before a broker's session, which ends with the token, has to be renewed
}

// NewTokenSource reads what it takes to ask, and asks nobody yet.
func NewTokenSource(c *plan.ClientCredentials) (*TokenSource, error) {
	client, err := newTokenClient(c.TokenClient)
	if err != nil {
		return nil, err
	}
	s := &TokenSource{client: client, scopes: c.Scopes}
	if c.Audience != "" {
		s.parameters = url.Values{"audience": {c.Audience}}
	}
	return s, nil
}

// Token is a token that is good for now. No error repeats what the issuer has sent beyond its error code.
func (s *TokenSource) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && time.Now().Before(s.old) {
		return s.token, nil
	}
	token, err := s.client.ask(context.Background(), s.scopes, s.parameters)
	if err != nil {
		return "", fmt.Errorf("the issuer gives no token: %w", err)
	}
	s.token = token.AccessToken
	s.old = agedAt(token.Expiry) // without an expiry that is long ago: the next login asks again
	return s.token, nil
}

// agedAt is when a token that is new now is replaced by another: after four fifths of its life.
func agedAt(end time.Time) time.Time { return time.Now().Add(time.Until(end) * 8 / 10) }
