package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Audit codes of a client that cannot be itself to the broker.
const (
	codeUpstreamToken    = "upstream-token"    // its token, or the one that this was exchanged for, does not serve there
	codeUpstreamExchange = "upstream-exchange" // its token is not exchanged
)

// betweenLogins is how often a broker lets the same connection log in again (KIP-368).
const betweenLogins = time.Second

// tokenError says that a broker does not take a client's token. Nothing in it comes from the token, or from what a broker
// has to say about it, which may be the token.
type tokenError struct{ error }

func (e *tokenError) Unwrap() error { return e.error }

// exchangeError says that a client's token is not exchanged.
type exchangeError struct{ error }

func (e *exchangeError) Unwrap() error { return e.error }

var (
	errNoToken    = errors.New("the client has shown no token that could be passed on")
	errTokenEnded = errors.New("the client's token has ended at the broker, and the client has not logged in again with another")
)

// shown is what a broker is shown of a client.
type shown struct {
	of    *sasl.Token // which the client has shown
	token *sasl.Token // that one, or what it was exchanged for
	ends  time.Time   // when the latter ends; zero: with the former
}

// passed is the client's token, where clients are themselves to the brokers; nil without an error: the gateway is, for all.
func (c *connection) passed() (*sasl.Token, error) {
	if c.front.upstream.passes == "" {
		return nil, nil
	}
	if _, ok := c.principal.Token.Reveal(c.front.upstream.passes); !ok {
		return nil, errNoToken
	}
	return c.principal.Token, nil
}

// show is what the broker is to be shown; nil without an error: the gateway's own. A token that was exchanged is good beyond a
// moment, if there is such a one.
func (c *connection) show(ctx context.Context, beyond time.Time) (*shown, error) {
	token, err := c.passed()
	exchange := c.front.upstream.exchange
	switch {
	case err != nil || token == nil:
		return nil, err
	case exchange == nil:
		return &shown{of: token, token: token}, nil
	}
	text, _ := token.Reveal(c.front.upstream.passes)
	other, ends, err := exchange.Token(ctx, text, c.principal.Expires, beyond)
	if err != nil {
		return nil, &exchangeError{err}
	}
	return &shown{of: token, token: token.For(other), ends: ends}, nil
}

// failShown records why a client cannot be itself to the broker; false: the error is another.
func (c *connection) failShown(ctx context.Context, err error) bool {
	if exchange := c.front.upstream.exchange; exchange != nil && errors.As(err, new(*tokenError)) {
		text, _ := c.principal.Token.Reveal(c.front.upstream.passes)
		exchange.Forget(text) // the next connection shows another
	}
	switch {
	case errors.As(err, new(*exchangeError)):
		c.failUpstream(ctx, codeUpstreamExchange, err)
	case err == errNoToken || err == errTokenEnded || errors.As(err, new(*tokenError)):
		c.failUpstream(ctx, codeUpstreamToken, err)
	default:
		return false
	}
	return true
}

// keepPassing logs the client in again at the broker where that is due: after its own login with another token, and where
// the session there is shorter than the token's life. Tokens that are exchanged are so again.
func (c *connection) keepPassing(ctx context.Context) error {
	token, err := c.passed()
	if err == nil {
		var due bool
		if due, err = c.upstream.duePassing(token, c.principal.Expires); err == nil && due {
			err = c.showAgain(ctx)
		}
	}
	if err == nil {
		return nil
	}
	if !c.failShown(ctx, err) {
		c.failUpstream(ctx, "upstream-login", fmt.Errorf("renewal of the login with the client's token: %w", err))
	}
	return errClosed
}

// showAgain shows the broker a token once more. One that knows no second login goes on with what it has seen; that the
// client's token is still exchanged is what counts then.
func (c *connection) showAgain(ctx context.Context) error {
	s, err := c.show(ctx, c.upstream.ends)
	switch {
	case err != nil:
		return err
	case c.upstream.again:
		return c.renewUpstream(s)
	}
	c.upstream.shown = s
	c.upstream.renewAfter(0)
	return nil
}

// duePassing reports whether the broker should be shown a client's token, which ends at expires, before anything more
// is sent. An error: the session there is over, and this token begins no other.
func (b *brokerConn) duePassing(token *sasl.Token, expires time.Time) (bool, error) {
	now := time.Now()
	switch {
	case !b.again && !b.shown.token.Exchanged(): // the broker knows no second login
		return false, nil
	case token != b.shown.of:
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
