package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// tokenTimeout bounds a question for a token of the gateway's own: half of what the login at a broker may take.
const tokenTimeout = 5 * time.Second

// TokenSource has a token of the gateway's own at hand, for its logins upstream, and gets another in time (RFC 6749
// section 4.4). It is safe for concurrent use: who comes while it asks waits for the answer.
type TokenSource struct {
	source oauth2.TokenSource

	mu    sync.Mutex
	token string
	old   time.Time // when another is asked for: before a broker's session, which ends with the token, has to be renewed
}

// NewTokenSource reads what it takes to ask, and asks nobody yet.
func NewTokenSource(c *plan.ClientCredentials) (*TokenSource, error) {
	secret, err := ReadSecret(c.ClientSecret)
	if err != nil {
		return nil, fmt.Errorf("clientSecret: %w", err)
	}
	config, err := tlsconf.Client(tlsconf.ClientOptions{CA: c.CA})
	if err != nil {
		return nil, err
	}
	grant := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: string(secret), TokenURL: c.Endpoint, Scopes: c.Scopes}
	if c.Audience != "" {
		grant.EndpointParams = url.Values{"audience": {c.Audience}}
	}
	client := &http.Client{
		Timeout:       tokenTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, IdleConnTimeout: tokenTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it has a secret in it
	}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	return &TokenSource{source: asking{ctx, &grant}}, nil
}

// asking asks for a token each time.
type asking struct {
	ctx   context.Context
	grant *clientcredentials.Config
}

func (a asking) Token() (*oauth2.Token, error) { return a.grant.Token(a.ctx) }

// Token is a token that is good for now. No error repeats what the issuer has sent beyond its error code.
func (s *TokenSource) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && time.Now().Before(s.old) {
		return s.token, nil
	}
	token, err := s.source.Token()
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return "", fmt.Errorf("the issuer gives no token: status %d, error %.64q", refused.Response.StatusCode, refused.ErrorCode)
	case err != nil:
		return "", fmt.Errorf("the issuer gives no token: %w", err)
	}
	s.token = token.AccessToken
	s.old = time.Now().Add(time.Until(token.Expiry) * 8 / 10) // without an expiry that is long ago: the next login asks again
	return s.token, nil
}
