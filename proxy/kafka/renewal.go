package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// own answers the requests that are the gateway's to answer after the login too.
func (c *connection) own(ctx context.Context, h wire.RequestHeader, body []byte, run *int) (verdict, error) {
	switch {
	case h.Key == keyAPIVersions:
		ctx, cancel := context.WithTimeout(ctx, c.session.State.Limits.Handshake)
		defer cancel()
		frame, _ := answerAPIVersions(ctx, h, body, c.versions)
		if frame == nil {
			c.session.Refuse(ctx, unanswered(c.session, h, body))
			return 0, errClosed
		}
		return answered, c.reply(ctx, run, frame)
	case h.Key == keySaslHandshake && c.renewable():
		c.renewal = c.newLogin(c.principal)
		return c.renewalStep(ctx, c.renewal.handshake(h, body), run)
	case h.Key == keySaslHandshake && h.Version >= 0 && h.Version <= maxSaslHandshakeVersion:
		return answered, c.reply(ctx, run, saslHandshakeAnswer(h.Correlation, codeIllegalSaslState, nil))
	case h.Key == keySaslAuthenticate && h.Version >= 0 && h.Version <= maxSaslAuthenticateVersion:
		return answered, c.reply(ctx, run, saslAuthenticateAnswer(h.Version, h.Correlation, codeIllegalSaslState,
			"SaslAuthenticate request received after successful authentication", nil, 0))
	}
	return 0, c.refuse(ctx, "unsupported-api", "%s version %d", wire.Name(h.Key), h.Version)
}

// renewable reports whether the session can be renewed: it ends one day, and a SASL login began it.
func (c *connection) renewable() bool {
	return !c.expires.IsZero() && c.session.State.Mechanism(c.principal.Mechanism) != nil
}

// renewalStep carries out what the re-authentication that is under way makes of a frame.
func (c *connection) renewalStep(ctx context.Context, a answer, run *int) (verdict, error) {
	if a.reject != nil {
		c.session.Refuse(ctx, a.reject)
	}
	if a.frame != nil {
		if err := c.reply(ctx, run, a.frame); err != nil {
			return 0, err
		}
	}
	if a.reject != nil {
		c.owed.wait() // the refusal comes in its turn
		return 0, errClosed
	}
	if a.principal != nil {
		c.principal, c.renewal = a.principal, nil
	}
	return answered, nil
}

// errRenewal says that the broker went away in the middle of the gateway's own login.
var errRenewal = errors.New("the upstream connection ended")

// renewUpstream logs in again at the broker, with a client's token or as the gateway, between two requests: the client notices a pause at most. What
// is owed comes first: a broker answers in turn, and a client that joins a group may wait for minutes.
func (c *connection) renewUpstream(s *shown) error {
	c.owed.wait()
	lifetime, err := c.front.upstream.login(s, func(frame []byte) ([]byte, error) {
		if !c.owed.push(request{own: true, correlation: correlationOf(frame)}) {
			return nil, errRenewal
		}
		c.sending.Renew()
		if _, err := c.upstream.Write(frame); err != nil {
			return nil, err
		}
		timeout := time.NewTimer(upstreamTimeout)
		defer timeout.Stop()
		select {
		case answer := <-c.renewed:
			return answer, nil
		case <-c.ended:
			return nil, errRenewal
		case <-timeout.C:
			return nil, errors.New("the broker did not answer in time")
		}
	})
	if err != nil {
		return err
	}
	c.upstream.shown = s
	c.upstream.renewAfter(lifetime)
	return nil
}

// correlationOf reads the correlation id of a request frame of the gateway's own.
func correlationOf(frame []byte) int32 {
	r := newParser(frame)
	r.int32()
	r.int32()
	return r.int32()
}
