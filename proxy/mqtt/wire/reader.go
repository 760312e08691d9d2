package wire

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// reader reads the fields of a body, in order. After the first thing that is wrong it reads zeroes, and keeps what it
// was.
type reader struct {
	b      []byte
	field  string
	reason string // empty: all was well so far
	short  bool   // what is wrong is that b ended
	code   ReasonCode
}

// fail keeps the first thing that is wrong.
func (r *reader) fail(field string, code ReasonCode, reason string) {
	if r.reason == "" {
		r.field, r.code, r.reason = field, code, reason
	}
	r.b = nil
}

func (r *reader) failed() bool { return r.reason != "" }

// take reads n bytes, as a part of the body.
func (r *reader) take(field string, n int) []byte {
	if n > len(r.b) {
		r.short = r.short || !r.failed()
		r.fail(field, MalformedPacket, reasonShort)
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte(field string) byte {
	if b := r.take(field, 1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16(field string) uint16 {
	if b := r.take(field, 2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32(field string) uint32 {
	if b := r.take(field, 4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) varint(field string) int {
	n, size := Varint(r.b)
	switch {
	case r.failed():
		return 0
	case size == 0:
		r.short = true
		r.fail(field, MalformedPacket, reasonShort)
		return 0
	case size == notMinimal:
		r.fail(field, MalformedPacket, reasonMinimal)
		return 0
	case size < 0:
		r.fail(field, MalformedPacket, reasonVarint)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// binary reads bytes with their length before them. They are not nil unless reading failed.
func (r *reader) binary(field string) []byte {
	n := r.uint16(field)
	if r.failed() {
		return nil
	}
	return r.take(field, int(n))
}

// text reads a UTF-8 string (MQTT 5 section 1.5.4): well-formed, without surrogates, without U+0000.
func (r *reader) text(field string) []byte {
	b := r.binary(field)
	switch {
	case bytes.IndexByte(b, 0) >= 0:
		r.fail(field, MalformedPacket, reasonNul)
	case !utf8.Valid(b):
		r.fail(field, MalformedPacket, reasonUTF8)
	default:
		return b
	}
	return nil
}

// packetID reads a packet identifier, which is never 0 (MQTT 5 section 2.2.1).
func (r *reader) packetID() uint16 {
	id := r.uint16("Packet Identifier")
	if id == 0 {
		r.fail("Packet Identifier", ProtocolError, reasonZero)
	}
	return id
}

// reasonCode reads a reason code that a packet of that type may carry.
func (r *reader) reasonCode(t Type) ReasonCode {
	c := ReasonCode(r.byte("Reason Code"))
	if !c.In(t) {
		r.fail("Reason Code", ProtocolError, reasonCode)
	}
	return c
}

// end is the outcome: a [*Malformed] if anything was wrong, or bytes are left.
func (r *reader) end(t Type) error {
	if len(r.b) > 0 {
		r.fail("", MalformedPacket, reasonTrailing)
	}
	if r.failed() {
		return &Malformed{Packet: t, Field: r.field, Reason: r.reason, Code: r.code}
	}
	return nil
}

// appendBinary appends bytes, at most 65535, with their length before them.
func appendBinary[T ~string | ~[]byte](dst []byte, b T) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(b)))
	return append(dst, b...)
}
