package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// errAnswer ends a connection on which the broker and the gateway no longer agree on what is being answered: nothing that
// follows could be trusted.
var errAnswer = errors.New("the broker answered out of turn")

// respond pumps answers from the broker to the client until either is gone.
func (c *connection) respond() {
	defer func() {
		close(c.ended)
		c.owed.close()
		c.interrupt()
	}()
	for {
		if err := c.answers.fill(); err != nil {
			if !errors.Is(err, io.EOF) || c.owed.waiting() {
				c.failure = fmt.Errorf("upstream: %w", err)
			}
			return
		}
		if err := c.walkAnswers(); err != nil {
			c.failure = err
			return
		}
	}
}

// walkAnswers matches every answer in the buffer to its request, and writes the longest runs of unchanged ones at once.
func (c *connection) walkAnswers() error {
	run, done := 0, 0 // bytes and whole answers that may go to the client and have not yet
	for {
		p := c.answers.bytes()[run:]
		if len(p) < lengthSize {
			return c.flushAnswers(run, done)
		}
		n, err := frameLength(p, math.MaxInt32)
		if err != nil || n < 4 {
			return fmt.Errorf("%w: a frame of %d bytes", errAnswer, n)
		}
		if len(p) < lengthSize+4 {
			return c.flushAnswers(run, done)
		}
		r, ok := c.owed.front(done)
		if ok && r.local != nil { // the gateway's own answer comes first
			if err := c.flushAnswers(run, done); err != nil {
				return err
			}
			run, done = 0, 0
			continue
		}
		if correlation := int32(binary.BigEndian.Uint32(p[lengthSize:])); !ok || correlation != r.correlation {
			return errAnswer
		}
		size := lengthSize + n
		whole := len(p) >= size
		t := treatmentOf(r)
		if whole {
			ok, err := c.unchanged(t, r, p[lengthSize:size])
			if err != nil {
				return err
			}
			if ok {
				run, done = run+size, done+1
				continue
			}
		}
		if err := c.flushAnswers(run, done); err != nil {
			return err
		}
		run, done = 0, 0
		if t == rewritten && size <= chunk && !whole {
			return nil // read on
		}
		if err := c.treat(t, r, size); err != nil {
			return err
		}
		if err := c.settle(1); err != nil {
			return err
		}
	}
}

// flushAnswers writes the first n bytes of the buffer to the client, which are the answers to the oldest requests.
func (c *connection) flushAnswers(n, requests int) error {
	if n > 0 {
		if err := c.writeClient(c.answers.bytes()[:n]); err != nil {
			return err
		}
		c.answers.discard(n)
	}
	return c.settle(requests)
}

// settle forgets the oldest requests, whose answers have been written, and writes the gateway's own that follow.
func (c *connection) settle(n int) error {
	for {
		c.owed.pop(n)
		r, ok := c.owed.front(0)
		if !ok || r.local == nil {
			return nil
		}
		if err := c.writeClient(r.local); err != nil {
			return err
		}
		n = 1
	}
}

// renewAnswer moves the deadline of writing to a client that takes what it is given.
func (c *connection) renewAnswer() {
	now := time.Now()
	c.writing.renew(now)
	c.lastAnswer.Store(now.Unix())
}

// writeClient writes what belongs to the client.
func (c *connection) writeClient(p []byte) error {
	c.renewAnswer()
	c.session.Metrics().ToClient.Add(float64(len(p)))
	_, err := c.session.Conn.Write(p)
	return err
}
