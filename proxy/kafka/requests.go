package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// assembleLimit bounds a request that must be read whole before it can be decided: those that the gateway answers
// itself, and Fetch from version 15 on. A Fetch of ten thousand partitions is 400 kB.
const assembleLimit = 4 << 20

// errClosed ends a connection whose reason has been told already.
var errClosed = errors.New("connection refused")

// requests pumps requests until the client leaves, is refused, or the broker is lost. It begins with what is in the
// buffer: a client may send its first request together with its login.
func (c *connection) requests(ctx context.Context) error {
	for {
		// Here, and not before a write: no request may have joined the queue that is not on its way to the broker.
		err := c.keepUpstream(ctx)
		if err == nil {
			err = c.walkRequests(ctx)
		}
		if err == errClosed {
			return c.brokerError(nil)
		}
		if err != nil {
			return c.brokerError(err)
		}
		if err := c.awaitRequest(); err != nil {
			return c.finish(err)
		}
	}
}

// errDrain asks a connection to end: what is owed is still answered.
var errDrain = errors.New("draining")

// awaitRequest reads from the client. Its deadline is the idle limit, in both directions together.
func (c *connection) awaitRequest() error {
	for {
		now := time.Now()
		c.reading.renew(now)
		select { // after the renewal: whoever closes these channels then moves the deadline into the past
		case <-c.session.Draining():
			return errDrain
		case <-c.ended:
			return io.EOF
		default:
		}
		err := c.client.fill()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		c.reading.moved = time.Time{}
		if last := c.lastAnswer.Load(); time.Since(time.Unix(last, 0)) > c.reading.after && time.Since(now) > c.reading.after/2 {
			return errIdle
		}
	}
}

// finish ends a connection after the client's last request: what is owed to it still arrives.
func (c *connection) finish(err error) error {
	if c.upstream != nil {
		if errors.Is(err, io.EOF) {
			c.closeWrite() // the broker learns of it as it would have without us, and ends the connection when it is done
		}
		if errors.Is(err, io.EOF) || err == errDrain {
			c.owed.wait()
		}
	}
	if err == errDrain || err == errIdle {
		return nil
	}
	return c.brokerError(c.clientError(err))
}

// brokerError prefers the reason that the pump of answers ended with, if it has one: that came first.
func (c *connection) brokerError(err error) error {
	if c.upstream == nil {
		return err
	}
	select {
	case <-c.ended:
		if c.failure != nil {
			return c.failure
		}
	default:
	}
	return err
}

// verdict is what is to be done with a request.
type verdict int

const (
	forward    verdict = iota
	answered           // by the gateway itself
	incomplete         // more of the request is needed to decide
)

// walkRequests decides on every request in the buffer, and forwards the longest runs of them with one write each.
func (c *connection) walkRequests(ctx context.Context) error {
	run := 0 // bytes that have been allowed and not yet written
	for {
		p := c.client.bytes()[run:]
		if len(p) < lengthSize {
			return c.flushRequests(ctx, run)
		}
		n, err := frameLength(p, c.session.State.Limits.Frame)
		if err != nil || n < minRequest && (c.renewal == nil || !c.renewal.bare) {
			return c.refuse(ctx, "frame-length", "a request of %d bytes; at least %d and at most %d are allowed",
				n, minRequest, c.session.State.Limits.Frame)
		}
		size := lengthSize + n
		whole := len(p) >= size
		frame := p[lengthSize:min(len(p), size)]
		v, err := c.decide(ctx, frame, whole, &run)
		switch {
		case err != nil:
			return err
		case v == forward && whole:
			run += size
		case v == forward:
			if err := c.flushRequests(ctx, run); err != nil {
				return err
			}
			if err := c.dial(ctx); err != nil {
				return err
			}
			c.session.Metrics().FromClient.Add(float64(size))
			if err := c.client.pass(c.upstream.Conn, int64(size), c.renewDeadlines); err != nil {
				return err
			}
			run = 0
		case v == answered:
			c.client.discard(size) // decide has flushed what was before it
			run = 0
		case v == incomplete:
			if err := c.flushRequests(ctx, run); err != nil {
				return err
			}
			if size <= chunk || len(c.client.bytes()) < chunk {
				return nil // read on: a header may come in pieces, whatever follows it
			}
			if err := c.assembled(ctx, size); err != nil {
				return err
			}
			run = 0
		}
	}
}

// assembled reads a request whole that does not fit the buffer, and decides on it.
func (c *connection) assembled(ctx context.Context, size int) error {
	if size > assembleLimit {
		return c.refuse(ctx, "frame-length", "a request of %d bytes that must be read whole; at most %d are allowed", size, assembleLimit)
	}
	frame, err := c.client.take(size)
	if err != nil {
		return c.clientError(err)
	}
	run := 0
	v, err := c.decide(ctx, frame[lengthSize:], true, &run)
	if err != nil || v == answered {
		return err
	}
	if err := c.dial(ctx); err != nil {
		return err
	}
	c.renewDeadlines()
	_, err = c.upstream.Write(frame)
	return err
}

// decide says what is to be done with one request, given without its length and, unless whole, without its end. A
// request that the gateway answers itself is answered here, after the run before it has been flushed.
func (c *connection) decide(ctx context.Context, frame []byte, whole bool, run *int) (verdict, error) {
	if c.renewal != nil {
		return c.renew(ctx, frame, whole, run)
	}
	h, n, err := wire.ParseRequestHeader(frame)
	switch {
	case err == wire.ErrShort && !whole:
		return incomplete, nil
	case err == wire.ErrUnknown:
		return 0, c.refuse(ctx, "unsupported-api", "API key %d is not offered", h.Key)
	case err != nil:
		return 0, c.refuse(ctx, "malformed", "request header: %v", err)
	}
	body := frame[n:]
	if !c.expires.IsZero() && h.Key != keySaslHandshake && time.Now().After(c.expires) {
		return 0, c.refuse(ctx, "session-expired", "%s after the session had expired", wire.Name(h.Key))
	}
	switch h.Key {
	case keyAPIVersions, keySaslHandshake, keySaslAuthenticate:
		if !whole {
			return incomplete, nil
		}
		return c.own(ctx, h, body, run)
	}
	return c.authorize(ctx, h, frame, body, whole, run)
}

// refuse ends the connection without an answer, as brokers do with what they do not offer.
func (c *connection) refuse(ctx context.Context, code, format string, args ...any) error {
	c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageRequest, Code: code, Private: fmt.Sprintf(format, args...)})
	return errClosed
}

// reply gives the client an answer of the gateway's own, in its turn.
func (c *connection) reply(ctx context.Context, run *int, frame []byte) error {
	if err := c.flushRequests(ctx, *run); err != nil {
		return err
	}
	*run = 0
	if c.upstream != nil {
		direct, ok := c.owed.pushLocal(frame)
		if !ok {
			return errClosed
		}
		if !direct {
			return nil
		}
	}
	c.writing.renew(time.Now())
	_, err := c.session.Conn.Write(frame)
	return err
}

// flushRequests writes the first n bytes of the buffer to the broker.
func (c *connection) flushRequests(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	if err := c.dial(ctx); err != nil {
		return err
	}
	c.renewDeadlines()
	c.session.Metrics().FromClient.Add(float64(n))
	if _, err := c.upstream.Write(c.client.bytes()[:n]); err != nil {
		return err
	}
	c.client.discard(n)
	return nil
}

// renewDeadlines moves the deadlines of an exchange that makes progress.
func (c *connection) renewDeadlines() {
	now := time.Now()
	c.reading.renew(now)
	c.sending.renew(now)
}
