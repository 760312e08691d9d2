package mqtt

import (
	"errors"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// assembleLimit bounds a packet that must be read whole before it can be decided, in bytes: all but PUBLISH, of which it
// bounds the head. A SUBSCRIBE of ten thousand filters is 400 kB.
const assembleLimit = 1 << 20

// pump moves the packets of one direction.
type pump struct {
	from   *stream.Stream
	to     *sink
	scan   wire.Stream
	decide func(h wire.Header, packet []byte) (edit, error)
	renew  func() // there is progress
	piece  int64  // bytes of a big packet between two renewals
}

// edit is what becomes of a packet: its first skip bytes are replaced by head. The zero value lets it pass as it is.
type edit struct {
	skip int
	head []byte
}

// drop is the edit that leaves nothing of a packet.
func drop(h wire.Header) edit { return edit{skip: h.Len()} }

// How a decision ends what is under way, beside refusing.
var (
	errMore = errors.New("more of the packet is needed") // to decide on it
	errLast = errors.New("the last packet")              // after this packet, which passes, there is nothing more to read
)

// run moves packets until either side is gone or a packet is refused.
func (p *pump) run() error {
	for {
		if err := p.walk(); err != nil {
			return err
		}
		if err := p.from.Fill(assembleLimit); err != nil {
			return err
		}
	}
}

// walk decides on every packet in the buffer, and forwards the longest runs of unchanged ones with one write each. A
// packet that goes on after the buffer is decided by its head, if it is a PUBLISH, and its rest passes as it comes.
func (p *pump) walk() error {
	run := 0 // bytes that have been allowed and not yet written
	for {
		b := p.from.Bytes()[run:]
		h, err := p.scan.Scan(b)
		whole := err == nil
		var e edit
		if whole || err == wire.ErrShort && h.Size > 0 {
			e, err = p.judge(h, b, whole)
		}
		switch {
		case err == nil && whole && e.skip == 0:
			run += h.Len()
		case err == nil:
			if err := p.flush(run); err != nil {
				return err
			}
			if err := p.apply(e, h, whole); err != nil {
				return err
			}
			run = 0
		case err == wire.ErrShort, err == errMore:
			return p.flush(run)
		case err == errLast:
			if e.skip == 0 {
				run += h.Len()
			}
			if err := p.flush(run); err != nil || e.skip == 0 {
				return orLast(err)
			}
			return orLast(p.apply(e, h, whole))
		default: // what came before it was allowed
			if err := p.flush(run); err != nil {
				return err
			}
			return err
		}
	}
}

// judge decides on a packet, once there is enough of it.
func (p *pump) judge(h wire.Header, b []byte, whole bool) (edit, error) {
	if whole {
		return p.decide(h, b[:h.Len()])
	}
	if h.Type == wire.PUBLISH {
		return p.decide(h, b)
	}
	if h.Len() > assembleLimit {
		return edit{}, &wire.Malformed{Packet: h.Type, Reason: "longer than can be looked at", Code: wire.PacketTooLarge}
	}
	return edit{}, errMore
}

func orLast(err error) error {
	if err == nil {
		return errLast
	}
	return err
}

// apply carries an edit out on the packet that the buffer begins with.
func (p *pump) apply(e edit, h wire.Header, whole bool) error {
	p.renew()
	if !whole {
		if err := p.from.Skip(int64(e.skip), p.piece, p.renew); err != nil || e.skip == h.Len() {
			return err
		}
		return p.to.pass(e.head, p.from, int64(h.Len()-e.skip), p.piece, p.renew)
	}
	var err error
	if len(e.head) > 0 || e.skip < h.Len() {
		err = p.to.writeAll(e.head, p.from.Bytes()[e.skip:h.Len()])
	}
	p.from.Discard(h.Len())
	return err
}

// flush writes the first n bytes of the buffer.
func (p *pump) flush(n int) error {
	if n == 0 {
		return nil
	}
	p.renew()
	if err := p.to.write(p.from.Bytes()[:n]); err != nil {
		return err
	}
	p.from.Discard(n)
	return nil
}
