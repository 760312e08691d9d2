package address

import (
	"fmt"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// maxTail bounds what is held of a response: what follows all of its topics, in bytes. A cluster of a thousand brokers
// that all lead partitions which have just moved takes 40 KB.
const maxTail = 64 << 10

// Stream puts the addresses of the book into a Fetch or ShareFetch response while it passes. Everything before the
// addresses passes as it comes and is checked on the way; the addresses, which end the response, are replaced by
// as many bytes, so that the length at the front of the frame stays true.
//
// The zero value is ready for [Stream.Reset]. It is for one response at a time and one goroutine.
type Stream struct {
	book     Book
	scan     wire.Scanner
	stage    stage
	topics   *wire.Struct
	after    *wire.Struct // what follows the topics
	size     int64        // bytes of the payload
	tailSize int
	tail     []byte // what has arrived of it, if it comes in pieces
}

type stage uint8

const (
	inHeader stage = iota
	inTopics
	inTail
	finished
)

// Reset prepares for the response to an api key and version, whose payload (the frame after its 4 bytes of length) has
// size bytes. The error is [wire.ErrUnknown] for an API or version that does not carry its addresses in a tail.
func (s *Stream) Reset(book Book, key, version int16, size int) error {
	if Carries(key, version) != Tail {
		return fmt.Errorf("%w: no stream", wire.ErrUnknown)
	}
	after := tailOf(key, version)
	topics := wire.Response(key, version)
	if after == nil || topics == nil {
		return wire.ErrUnknown
	}
	s.book, s.stage, s.topics, s.after, s.size = book, inHeader, topics, after, int64(size)
	s.tailSize, s.tail = 0, nil
	s.scan.ResetPart(wire.ResponseHeader(key, version), int64(size), "")
	return nil
}

// Feed takes the next piece of the payload, of any size; it may end with bytes of the next response, which are not
// looked at. The first pass bytes of p may be sent on as they are, and out after them, which stays valid until the next
// Reset. The rest of p is in the stream, and comes with a later out. n is how much of p belonged to the response.
//
// After an error nothing more of the response may be sent.
func (s *Stream) Feed(p []byte) (n, pass int, out []byte, err error) {
	for {
		switch s.stage {
		case inHeader, inTopics:
			m, err := s.scan.Scan(p[n:])
			n += m
			pass = n
			if err != nil {
				return n, 0, nil, err
			}
			if !s.scan.Done() {
				return n, pass, nil, nil
			}
			if err := s.next(); err != nil {
				return n, 0, nil, err
			}
		case inTail:
			m := min(len(p)-n, s.tailSize-len(s.tail))
			piece := p[n : n+m]
			n += m
			if m < s.tailSize { // it does not come at once
				s.tail = append(s.tail, piece...)
				piece = s.tail
			}
			if len(piece) < s.tailSize {
				return n, pass, nil, nil
			}
			s.stage, s.tail = finished, nil // an idle connection holds nothing
			out, err := rewriteTail(s.book, s.after, piece)
			switch {
			case err != nil:
				return n, 0, nil, err
			case out == nil && m == s.tailSize:
				return n, n, nil, nil
			case out == nil:
				out = piece
			}
			return n, pass, out, nil
		default:
			return n, pass, nil, nil
		}
	}
}

// next goes from the header to the topics, and from these to the tail.
func (s *Stream) next() error {
	left := s.scan.Left()
	if s.stage == inHeader {
		s.stage = inTopics
		s.scan.ResetPart(s.topics, left, topicsField)
		return nil
	}
	s.stage = inTail
	if left > maxTail {
		return &wire.Malformed{Path: "NodeEndpoints", Offset: int(s.size - left), Reason: "more than 64 KiB after the topics"}
	}
	s.tailSize = int(left)
	return nil
}

// Skip is how many of the bytes that come next are records: they may be sent on without being shown to Feed, if
// [Stream.Skipped] is told.
func (s *Stream) Skip() int64 {
	if s.stage != inTopics {
		return 0
	}
	return s.scan.Skip()
}

// Skipped says that n of the bytes that [Stream.Skip] counts have passed.
func (s *Stream) Skipped(n int64) { s.scan.Skipped(n) }

// Done reports whether the response is complete.
func (s *Stream) Done() bool { return s.stage == finished }
