package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// codeUpstreamToken is the audit code of a client whose token does not serve at the broker.
const codeUpstreamToken = "upstream-token"

// betweenLogins is how often a broker lets the same connection log in again (KIP-368).
const betweenLogins = time.Second

// tokenError says that a broker does not take a client's token. Nothing in it comes from the token, or from what a broker
// has to say about it, which may be the token.
type tokenError struct{ error }

func (e *tokenError) Unwrap() error { return e.error }

var (
	errNoToken    = errors.New("the client has shown no token that could be passed on")
	errTokenEnded = errors.New("the client's token has ended at the broker, and the client has not logged in again with another")
)

// passed is the client's token, where tokens are passed on; nil without an error: the gateway is itself to the brokers.
func (c *connection) passed() (*sasl.Token, error) {
	if c.front.upstream.passes == "" {
		return nil, nil
	}
	if _, ok := c.principal.Token.Reveal(c.front.upstream.passes); !ok {
		return nil, errNoToken
	}
	return c.principal.Token, nil
}

// keepPassing logs the client in again at the broker where that is due: after its own login with another token, and where
// the broker's limit is shorter than the token's life.
func (c *connection) keepPassing(ctx context.Context) error {
	token, err := c.passed()
	if err == nil {
		var due bool
		if due, err = c.upstream.duePassing(token, c.principal.Expires); err == nil && due {
			err = c.renewUpstream(token)
		}
	}
	switch {
	case err == nil:
		return nil
	case err == errNoToken || err == errTokenEnded || errors.As(err, new(*tokenError)):
		c.failUpstream(ctx, codeUpstreamToken, err)
	default:
		c.failUpstream(ctx, "upstream-login", fmt.Errorf("renewal of the login with the client's token: %w", err))
	}
	return errClosed
}

// duePassing reports whether the broker should be shown the client's token, which ends at expires, before anything more
// is sent. An error: the session there is over, and this token begins no other.
func (b *brokerConn) duePassing(token *sasl.Token, expires time.Time) (bool, error) {
	now := time.Now()
	switch {
	case b.ends.IsZero(): // the broker knows no second login
		return false, nil
	case token != b.token:
		return b.due() || now.Sub(b.began) > betweenLogins, nil
	case !b.due():
		return false, nil
	case now.Sub(b.began) > betweenLogins && (expires.IsZero() || expires.After(b.ends.Add(time.Second))):
		return true, nil
	case now.Before(b.ends): // the client has until then
		return false, nil
	}
	return false, errTokenEnded
}
