package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// respond pumps answers from the broker to the client until either is gone.
func (c *connection) respond() {
	defer func() {
		close(c.ended)
		c.owed.close()
		c.reading.End()
		_ = c.upstream.Close() // somebody may be writing to a broker that does not read
	}()
	for {
		err := c.hear()
		if errors.Is(err, io.EOF) && !c.owed.waiting() {
			return
		}
		if err == nil {
			err = c.walkAnswers()
		}
		if err != nil {
			c.failure = err
			return
		}
	}
}

// hear reads from the broker. It waits for as long as nothing is owed, and then for the idle limit at least.
func (c *connection) hear() error {
	for late := false; ; {
		c.hearing.Renew()
		err := c.answers.FillOn(stream.Chunk)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("upstream: %w", err)
		case late && c.idle() && c.owed.waiting():
			return errSilent
		}
		c.hearing.Passed()
		late = c.owed.waiting()
	}
}

// walkAnswers matches every answer in the buffer to its request, and writes the longest runs of unchanged ones at once.
func (c *connection) walkAnswers() error {
	run, done := 0, 0 // bytes and whole answers that may go to the client and have not yet
	for {
		p := c.answers.Bytes()[run:]
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
			return fmt.Errorf("%w: correlation id %d, which is not the next one's", errAnswer, correlation)
		}
		size := lengthSize + n
		whole := len(p) >= size
		t := treatmentOf(r)
		if r.opens != nil {
			id, known := api.OpenedSession(r.key, r.version, p[lengthSize:min(len(p), size)])
			if !known && !whole {
				return c.flushAnswers(run, done) // read on
			}
			c.sessions.opened(id, r.opens)
		}
		var instead []byte
		if whole {
			if instead, err = c.edited(t, r, p[lengthSize:size]); err != nil {
				return err
			}
			if instead == nil && t != kept {
				run, done = run+size, done+1
				continue
			}
		}
		if err := c.flushAnswers(run, done); err != nil {
			return err
		}
		run, done = 0, 0
		if t == rewritten && size <= stream.Chunk && !whole {
			return nil // read on
		}
		if instead != nil {
			err = c.replace(size, instead)
		} else {
			err = c.treat(t, r, size)
		}
		if err != nil {
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
		if err := c.writeClient(c.answers.Bytes()[:n]); err != nil {
			return err
		}
		c.answers.Discard(n)
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

// renewAnswer moves the deadlines of an answer that makes progress.
func (c *connection) renewAnswer() {
	c.moved.Store(time.Now().UnixNano())
	c.hearing.Renew()
	c.writing.Renew()
}

// writeClient writes what belongs to the client.
func (c *connection) writeClient(p []byte) error {
	c.moved.Store(time.Now().UnixNano())
	c.writing.Renew()
	c.session.Metrics().ToClient.Add(float64(len(p)))
	_, err := c.session.Conn.Write(p)
	return err
}
