package kafka

import (
	"encoding/binary"
	"errors"
	"io"
	"net"

	"github.com/asyncgate/asyncgate/proxy/stream"
)

// The frame of every Kafka request and response is a signed 32-bit length and that many bytes.
const lengthSize = 4

// minRequest is the shortest request there is: API key, version and correlation id.
const minRequest = 8

var (
	errFrameLength = errors.New("frame length out of bounds")
	errStructure   = errors.New("malformed body")
)

// frameLength reads and judges the length at the start of a frame.
func frameLength(p []byte, limit int) (int, error) {
	n := int(int32(binary.BigEndian.Uint32(p)))
	if n < 0 || n > limit {
		return 0, errFrameLength
	}
	return n, nil
}

// readFrame returns the next frame without its length. What it returns is valid until the stream's next call.
func readFrame(s *stream.Stream, limit int) ([]byte, error) {
	p, err := s.Take(lengthSize)
	if err != nil {
		return nil, err
	}
	n, err := frameLength(p, limit)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, nil
	}
	return s.Take(n)
}

// readLoneFrame is the same on a connection without a stream: for the few frames of a login upstream, where a stream that
// reads ahead would take what follows.
func readLoneFrame(conn net.Conn, limit int) ([]byte, error) {
	var head [lengthSize]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	n, err := frameLength(head[:], limit)
	if err != nil {
		return nil, err
	}
	return stream.ReadRest(conn, make([]byte, 0, min(n, 4<<10)), n)
}

// builder writes one frame. Its methods are named after the types of the protocol guide.
type builder []byte

// newFrame starts a frame; finish fills its length in.
func newFrame(capacity int) builder { return make(builder, lengthSize, lengthSize+capacity) }

func (b builder) finish() []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-lengthSize))
	return b
}

// raw writes bytes as they are.
func (b builder) raw(v []byte) builder { return append(b, v...) }

func (b builder) int16(v int16) builder { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func (b builder) int32(v int32) builder { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func (b builder) int64(v int64) builder { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func (b builder) string(v string) builder {
	return append(b.int16(int16(len(v))), v...)
}

func (b builder) compactString(v string) builder {
	return append(binary.AppendUvarint(b, uint64(len(v))+1), v...)
}

func (b builder) bytes(v []byte) builder {
	return append(b.int32(int32(len(v))), v...)
}

func (b builder) compactBytes(v []byte) builder {
	return append(binary.AppendUvarint(b, uint64(len(v))+1), v...)
}

// tags writes an empty set of tagged fields.
func (b builder) tags() builder { return append(b, 0) }

// parser reads the few bodies that the gateway decodes by hand. After the first failure every method returns zero, and
// ok is false.
type parser struct {
	p  []byte
	ok bool
}

func newParser(p []byte) *parser { return &parser{p: p, ok: true} }

func (r *parser) next(n int) []byte {
	if !r.ok || n < 0 || n > len(r.p) {
		r.ok = false
		return nil
	}
	p := r.p[:n]
	r.p = r.p[n:]
	return p
}

func (r *parser) int16() int16 {
	if p := r.next(2); p != nil {
		return int16(binary.BigEndian.Uint16(p))
	}
	return 0
}

func (r *parser) int32() int32 {
	if p := r.next(4); p != nil {
		return int32(binary.BigEndian.Uint32(p))
	}
	return 0
}

func (r *parser) int64() int64 {
	if p := r.next(8); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// uvarint reads an unsigned varint of at most five bytes: lengths and tags have 32 bits (KIP-482).
func (r *parser) uvarint() uint32 {
	v, n := binary.Uvarint(r.p[:min(len(r.p), 5)])
	if n <= 0 || v > 1<<32-1 {
		r.ok = false
		return 0
	}
	r.p = r.p[n:]
	return uint32(v)
}

// string reads a string with a 16-bit length; null is a failure.
func (r *parser) string() []byte { return r.next(int(r.int16())) }

// compactString reads a string with a varint length; null is a failure.
func (r *parser) compactString() []byte { return r.next(int(r.uvarint()) - 1) }

// bytes reads bytes with a 32-bit length; null is a failure.
func (r *parser) bytes() []byte { return r.next(int(r.int32())) }

// compactBytes reads bytes with a varint length; null is a failure.
func (r *parser) compactBytes() []byte { return r.next(int(r.uvarint()) - 1) }

// tags skips a set of tagged fields, none of which is known here. Each costs two bytes at least, so the work is bounded
// by the bytes whatever the count says.
func (r *parser) tags() {
	for n := r.uvarint(); r.ok && n > 0; n-- {
		r.uvarint()
		r.next(int(r.uvarint()))
	}
}
