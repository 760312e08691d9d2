package kafka

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// assembleLimit bounds a request that must be read whole before it can be decided, but for Produce: those that the gateway
// answers itself, Fetch from version 15 on, and all where operations are enforced. A Fetch of ten thousand partitions is 400 kB.
const assembleLimit = 4 << 20

// requests pumps requests until the client leaves, is refused, or the broker is lost. It begins with what is in the
// buffer: a client may send its first request together with its login.
func (c *connection) requests(ctx context.Context) error {
	for {
		// Here, and not before a write: no request may have joined the queue that is not on its way to the broker.
		err := c.keepUpstream(ctx)
		if err == nil {
			err = c.walkRequests(ctx)
		}
		switch err {
		case nil:
		case errClosed:
			return c.outcome(ctx, nil)
		case errDrain:
			return c.finish(ctx, err)
		default:
			return c.outcome(ctx, unlessLeft(err))
		}
		if err := c.awaitRequest(); err != nil {
			return c.finish(ctx, err)
		}
	}
}

// awaitRequest reads from the client. Its deadline is the idle limit, in both directions together.
func (c *connection) awaitRequest() error {
	for {
		c.reading.Await()
		c.reading.Renew()
		if err := c.ending(); err != nil { // after Await: whoever makes it end then hurries the wait
			return err
		}
		since := time.Now()
		err := c.client.FillOn(stream.Chunk)
		c.reading.Resume()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err := c.ending(); err != nil {
			return err
		}
		c.reading.Passed()
		if c.idle() && time.Since(since) > c.reading.After()/2 {
			return errIdle
		}
	}
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
		p := c.client.Bytes()[run:]
		if len(p) < lengthSize {
			return c.flushRequests(ctx, run)
		}
		least, most := c.frameBounds()
		n, err := frameLength(p, most)
		if err != nil || n < least {
			return c.refuse(ctx, "frame-length", "a request whose length is not between %d and %d bytes", least, most)
		}
		size := lengthSize + n
		whole := len(p) >= size
		frame := p[lengthSize:min(len(p), size)]
		v, err := c.decide(ctx, frame, whole, &run)
		switch {
		case err == errDrain: // what has been allowed before is in the queue already
			if err := c.flushRequests(ctx, run); err != nil {
				return err
			}
			return errDrain
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
			if err := c.client.Pass(c.upstream.Conn, int64(size), stream.Piece(c.reading.After()), c.renewRequest); err != nil {
				return err
			}
			run = 0
		case v == answered:
			c.client.Discard(size) // decide has flushed what was before it
			run = 0
		case v == incomplete:
			if err := c.flushRequests(ctx, run); err != nil {
				return err
			}
			if size <= stream.Chunk || len(c.client.Bytes()) < stream.Chunk {
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
	limit := assembleLimit
	if newParser(c.client.Bytes()[lengthSize:]).int16() == keyProduce {
		limit = lengthSize + c.session.State.Limits.Frame
		c.front.produces.take(size)
		defer c.front.produces.give(size)
	}
	if size > limit {
		return c.refuse(ctx, "frame-length", "a request of %d bytes that must be read whole; at most %d are allowed", size, limit)
	}
	c.reading.Renew()
	frame, err := c.client.Take(size)
	if err != nil {
		return err
	}
	run := 0
	v, err := c.decide(ctx, frame[lengthSize:], true, &run)
	if err != nil || v == answered {
		return err
	}
	return c.send(ctx, frame)
}

// frameBounds are how long the next frame may be, in bytes. In a re-authentication what goes for a login goes again.
func (c *connection) frameBounds() (least, most int) {
	limits := &c.session.State.Limits
	switch {
	case c.renewal == nil:
		return minRequest, limits.Frame
	case c.renewal.bare:
		return 0, limits.PreAuthFrame
	}
	return minRequest, limits.PreAuthFrame
}

// decide says what is to be done with one request, given without its length and, unless whole, without its end. A
// request that the gateway answers itself is answered here, after the run before it has been flushed.
func (c *connection) decide(ctx context.Context, frame []byte, whole bool, run *int) (verdict, error) {
	switch {
	case c.session.Refused(): // meanwhile: expired, or revoked
		return 0, errDrain
	case c.renewal != nil && !whole:
		return incomplete, nil
	case c.renewal != nil:
		return c.renewalStep(ctx, c.renewal.next(ctx, frame), run)
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
	return c.writeClient(frame)
}

// flushRequests writes the first n bytes of the buffer to the broker.
func (c *connection) flushRequests(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	if err := c.send(ctx, c.client.Bytes()[:n]); err != nil {
		return err
	}
	c.client.Discard(n)
	return nil
}

// send writes to the broker, which is dialled before the first write.
func (c *connection) send(ctx context.Context, p []byte) error {
	if err := c.dial(ctx); err != nil {
		return err
	}
	c.renewRequest()
	c.session.Metrics().FromClient.Add(float64(len(p)))
	_, err := c.upstream.Write(p)
	return err
}

// renewRequest moves the deadlines of a request that makes progress.
func (c *connection) renewRequest() {
	c.moved.Store(time.Now().UnixNano())
	c.reading.Renew()
	c.sending.Renew()
}
