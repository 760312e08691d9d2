package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Why a connection ends, beside what its reads and writes say.
var (
	errClosed = errors.New("connection refused")                   // the reason has been told already
	errDrain  = errors.New("draining")                             // what is owed is still answered
	errIdle   = errors.New("idle")                                 // nothing has moved for the idle limit
	errAnswer = errors.New("the broker's answers make no sense")   // nothing that follows could be trusted
	errSilent = errors.New("the broker does not answer a request") // for the idle limit at least
)

// ending says why no further request is read; nil: one is.
func (c *connection) ending() error {
	select {
	case <-c.session.Draining():
		return errDrain
	case <-c.ended:
		return io.EOF
	default:
		return nil
	}
}

// idle reports whether nothing has moved for the idle limit, in neither direction.
func (c *connection) idle() bool {
	return time.Since(time.Unix(0, c.moved.Load())) > c.reading.After()
}

// finish ends a connection after the client's last request: what is owed to it still arrives.
func (c *connection) finish(ctx context.Context, err error) error {
	if c.renewal != nil && c.renewal.failed != nil {
		c.session.Refuse(ctx, c.renewal.failed)
	}
	if c.upstream != nil {
		if errors.Is(err, io.EOF) {
			c.closeWrite() // the broker learns of it as it would have without us, and ends the connection when it is done
		}
		if errors.Is(err, io.EOF) || err == errDrain {
			c.owed.wait()
		}
	}
	if err == errDrain || err == errIdle {
		err = nil
	}
	return c.outcome(ctx, unlessLeft(err))
}

// outcome prefers the reason that the pump of answers ended with, if it has one: that came first. Where the broker is to
// blame the operator is told.
func (c *connection) outcome(ctx context.Context, err error) error {
	if c.upstream == nil {
		return err
	}
	select {
	case <-c.ended:
	default:
		return err
	}
	switch {
	case c.failure == nil:
		return err
	case errors.Is(c.failure, errAnswer):
		c.failUpstream(ctx, "upstream-answer", c.failure)
	case errors.Is(c.failure, errSilent):
		c.failUpstream(ctx, "upstream-silent", c.failure)
	}
	return c.failure
}

// refuse ends the connection without an answer, as brokers do with what they do not offer.
func (c *connection) refuse(ctx context.Context, code, format string, args ...any) error {
	c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageRequest, Code: code, Private: fmt.Sprintf(format, args...)})
	return errClosed
}

// unlessLeft is an error of reading from the client, unless it says that the client has left: that is nobody's fault.
func unlessLeft(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// close ends the upstream connection and what waits for it. The client's belongs to the gateway.
func (c *connection) close() {
	c.owed.close()
	if c.upstream != nil {
		c.writing.End() // the pump of answers may be writing to a client that does not read
		_ = c.upstream.Close()
		<-c.ended
		c.session.Metrics().UpstreamOpen.Dec()
		c.answers.Release()
	}
	c.client.Release()
}

// closeWrite tells the broker that no more requests follow.
func (c *connection) closeWrite() {
	if w, ok := c.upstream.Conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}
