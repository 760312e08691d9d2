package api

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// builder writes one error response.
type builder struct {
	form
	top     item
	code    int16
	text    string
	refused bool
	out     []byte
	limit   int  // of out, in bytes; 0 is none
	long    bool // out would exceed it
}

// structure writes a structure of the response for an item of the request; repeat says that fields of the same name are
// copied from it.
func (b *builder) structure(s *wire.Struct, it item, repeat bool) {
	for i := range s.Fields {
		b.field(&s.Fields[i], it, repeat)
	}
	if s.Flexible {
		b.out = append(b.out, 0)
	}
}

func (b *builder) field(f *wire.Field, it item, repeat bool) {
	if f.Kind == wire.Array && b.array(f, it) {
		return
	}
	value, ok := b.values[f.Path]
	if deny, has := b.denyValues[f.Path]; has && b.refused {
		value, ok = deny, true
	}
	if ok {
		b.value(f, value)
		return
	}
	switch f.Name {
	case "ErrorCode", "PartitionErrorCode":
		b.errorCode(it)
		return
	case "ErrorMessage":
		b.value(f, b.text)
		return
	}
	_, named := b.fields[f.Path]
	l, ok := it.field(b.source(f))
	switch {
	case !ok, l.f.Kind != f.Kind, f.Kind == wire.Array, !repeat && !named, it.null(l) && !f.Nullable:
		b.value(f, f.Default)
	default:
		b.out = append(b.out, it.body[l.from:l.to]...)
	}
}

// array writes an array that has elements, and reports whether the form has it.
func (b *builder) array(f *wire.Field, it item) bool {
	if gather, ok := b.gather[f.Path]; ok {
		n := 0
		gather(b.top, func(item) { n++ })
		b.out = wire.AppendCount(b.out, f.Flexible(), n)
		gather(b.top, func(element item) { b.element(f.Elem.Struct, element) })
		return true
	}
	name, ok := b.items[f.Path]
	if ok {
		b.out = wire.AppendCount(b.out, f.Flexible(), it.count(name))
		it.each(name, func(element item) { b.element(f.Elem.Struct, element) })
	}
	return ok
}

// elementFields bounds what an element of an answer takes besides the names it repeats: its fixed fields and one
// message, in bytes.
const elementFields = 512

// element writes an element of an array, unless it might exceed the limit.
func (b *builder) element(s *wire.Struct, it item) {
	names := 0
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Kind != wire.String {
			continue
		}
		if l, ok := it.field(b.source(f)); ok {
			names += l.to - l.from
		}
	}
	if b.limit > 0 && len(b.out)+names+elementFields > b.limit {
		b.long = true
	}
	if !b.long {
		b.structure(s, it, true)
	}
}

// source is the name of the field in the request that a field of the response repeats.
func (b *builder) source(f *wire.Field) string {
	if name, ok := b.fields[f.Path]; ok {
		return name
	}
	return f.Name
}

func (b *builder) errorCode(it item) {
	code := b.code
	if b.refused && b.denyItem != nil {
		code = b.denyItem(it)
		b.text = texts[code] // the message follows
	}
	b.out = binary.BigEndian.AppendUint16(b.out, uint16(code))
}

// value writes a value as the definitions spell it: "" is a type's zero, and so is "null" where that is not allowed.
func (b *builder) value(f *wire.Field, value string) {
	null := value == "null" && f.Nullable
	switch f.Kind {
	case wire.String:
		if null {
			b.out = wire.AppendNullString(b.out, f.Flexible())
			return
		}
		b.out = wire.AppendString(b.out, f.Flexible(), strings.TrimPrefix(value, "null"))
	case wire.Array, wire.Bytes, wire.Records: // lengths look alike
		n := 0
		if null {
			n = -1
		}
		b.out = wire.AppendCount(b.out, f.Flexible(), n)
	case wire.Structure:
		switch {
		case null:
			b.out = append(b.out, 0xff)
			return
		case f.Nullable:
			b.out = append(b.out, 1)
		}
		b.structure(f.Struct, item{}, false)
	case wire.UUID:
		b.out = append(b.out, make([]byte, 16)...)
	case wire.Float64:
		b.out = binary.BigEndian.AppendUint64(b.out, 0)
	default:
		b.number(f.Kind, value)
	}
}

func (b *builder) number(kind wire.Kind, value string) {
	var n int64
	switch value {
	case "", "0", "false", "null":
	case "true":
		n = 1
	default:
		n, _ = strconv.ParseInt(value, 0, 64) // the tests write every field of every version
	}
	switch kind {
	case wire.Bool, wire.Int8:
		b.out = append(b.out, byte(n))
	case wire.Int16, wire.Uint16:
		b.out = binary.BigEndian.AppendUint16(b.out, uint16(n))
	case wire.Int32, wire.Uint32:
		b.out = binary.BigEndian.AppendUint32(b.out, uint32(n))
	default:
		b.out = binary.BigEndian.AppendUint64(b.out, uint64(n))
	}
}

// finish writes the length of a frame into its first 4 bytes. An answer to a request of 1 MiB is far from 2 GiB.
func finish(frame []byte) []byte {
	binary.BigEndian.PutUint32(frame, uint32(min(len(frame)-4, math.MaxInt32)))
	return frame
}
