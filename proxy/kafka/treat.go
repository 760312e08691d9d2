package kafka

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// treatment is what happens to an answer on its way to the client.
type treatment int

const (
	untouched treatment = iota
	rewritten           // assembled, and the brokers' addresses replaced
	tailed              // passed on as it arrives, and the addresses at its end replaced
	kept                // an answer to the gateway itself
)

func treatmentOf(r request) treatment {
	if r.own {
		return kept
	}
	if r.change != nil || r.key == keyDescribeConfigs || api.Of(r.key).Class == api.Admin {
		return rewritten
	}
	switch address.Carries(r.key, r.version) {
	case address.Whole:
		return rewritten
	case address.Tail:
		return tailed
	}
	return untouched
}

// treat brings the next answer, of that many bytes with its length, to where it belongs, unless it was edited already.
func (c *connection) treat(t treatment, r request, size int) error {
	switch t {
	case kept:
		return c.keep(size)
	case rewritten:
		return c.rewrite(r, size)
	case tailed:
		return c.passTail(r, size)
	}
	return c.passOn(int64(size))
}

// passOn passes the next n bytes of the broker's on without looking at them.
func (c *connection) passOn(n int64) error {
	c.session.Metrics().ToClient.Add(float64(n))
	return c.answers.Pass(c.session.Conn, n, stream.Piece(c.writing.After()), c.renewAnswer)
}

// keep hands an answer to the gateway's own login over to the one who waits for it.
func (c *connection) keep(size int) error {
	if size-lengthSize > loginFrame {
		return fmt.Errorf("%w: %d bytes to a login", errAnswer, size)
	}
	frame, err := c.answers.Take(size)
	if err != nil {
		return err
	}
	c.renewed <- append([]byte(nil), frame[lengthSize:]...)
	return nil
}

// replace gives the client another frame than the next answer, which is in the buffer whole.
func (c *connection) replace(size int, instead []byte) error {
	if err := c.writeClient(instead); err != nil {
		return err
	}
	c.answers.Discard(size)
	return nil
}

// rewrite replaces the brokers' addresses in an answer that does not fit the buffer.
func (c *connection) rewrite(r request, size int) error {
	if limit := c.session.State.Limits.Frame; size > limit {
		return fmt.Errorf("%w: one to %s has %d bytes, too many to be rewritten; limits.frame is %d", errAnswer, wire.Name(r.key), size, limit)
	}
	c.hearing.Renew()
	frame, err := c.answers.Take(size)
	if err != nil {
		return err
	}
	changed, err := c.edit(r, frame[lengthSize:])
	if err != nil {
		return err
	}
	if changed != nil {
		frame = changed
	}
	return c.writeClient(frame)
}

// edit returns the frame that takes the place of an answer; nil: it may pass as it is.
func (c *connection) edit(r request, payload []byte) ([]byte, error) {
	var frame []byte
	var err error
	if r.change != nil {
		if frame, err = r.change.Merge(payload); err != nil {
			return nil, malformed(r, err)
		}
		if address.Carries(r.key, r.version) == address.None {
			return frame, nil
		}
		merged := frame
		if frame, err = address.Rewrite(c.front.addresses, r.key, r.version, merged[lengthSize:]); frame == nil {
			frame = merged
		}
		if err != nil {
			return nil, malformed(r, err)
		}
		return frame, nil
	}
	switch r.key {
	case keyDescribeConfigs:
		frame, err = address.HideConfigs(r.version, payload)
	default:
		frame, err = address.Rewrite(c.front.addresses, r.key, r.version, payload)
	}
	if err == nil && api.Of(r.key).Class == api.Admin {
		if frame != nil {
			payload = frame[lengthSize:]
		}
		var hidden []byte
		if hidden, err = address.HideMessages(r.key, r.version, payload, c.leaks); hidden != nil {
			frame = hidden
		}
	}
	if err != nil {
		return nil, malformed(r, err)
	}
	return frame, nil
}

// malformed says of an answer that it breaks its definition.
func malformed(r request, err error) error {
	return fmt.Errorf("%w: one to %s version %d: %w", errAnswer, wire.Name(r.key), r.version, err)
}

// leaks reports whether an error message names an address of the brokers: one that the cluster advertises, or one end
// of the connection, which brokers call a connectionId.
func (c *connection) leaks(message []byte) bool {
	if bytes.Contains(message, []byte("connectionId=")) || bytes.Contains(message, []byte(c.upstream.RemoteAddr().String())) {
		return true
	}
	for _, broker := range c.front.cluster.seen.Load().brokers {
		if bytes.Contains(message, []byte(broker)) {
			return true
		}
	}
	return false
}

// edited deals with an answer that is in the buffer whole. It returns the frame that takes its place, if it may not go to
// the client as it now stands there. Most answers that could name a broker name none; the addresses of a Fetch are
// replaced in place.
func (c *connection) edited(t treatment, r request, payload []byte) (instead []byte, err error) {
	switch t {
	case rewritten:
		return c.edit(r, payload)
	case tailed:
		tail := tails.Get().(*address.Stream)
		defer tails.Put(tail)
		if err := tail.Reset(c.front.addresses, r.key, r.version, len(payload)); err != nil {
			return nil, err
		}
		_, pass, out, err := tail.Feed(payload)
		if err != nil {
			return nil, malformed(r, err)
		}
		copy(payload[pass:], out)
	}
	return nil, nil
}

// tails are for the moment in which a Fetch answer passes: a kilobyte that an idle connection does without.
var tails = sync.Pool{New: func() any { return new(address.Stream) }}

// passFrom is how many bytes of records are worth passing by themselves: fewer come with one read of the buffer.
const passFrom = stream.Chunk

// passTail passes a Fetch answer that does not fit the buffer: records unseen, the addresses at its end replaced.
func (c *connection) passTail(r request, size int) error {
	s := tails.Get().(*address.Stream)
	defer tails.Put(s)
	if err := s.Reset(c.front.addresses, r.key, r.version, size-lengthSize); err != nil {
		return err
	}
	for head := lengthSize; !s.Done(); head = 0 {
		if len(c.answers.Bytes()) == 0 {
			c.hearing.Renew()
			if err := c.answers.FillOn(stream.Chunk); err != nil {
				return fmt.Errorf("upstream: %w", err)
			}
		}
		p := c.answers.Bytes()
		n, pass, out, err := s.Feed(p[head:])
		if err != nil {
			return malformed(r, err)
		}
		if err := c.writeClient(p[:head+pass]); err != nil {
			return err
		}
		if len(out) > 0 {
			if err := c.writeClient(out); err != nil {
				return err
			}
		}
		c.answers.Discard(head + n)
		if skip := s.Skip(); skip >= passFrom {
			if err := c.passOn(skip); err != nil {
				return err
			}
			s.Skipped(skip)
		}
	}
	return nil
}
