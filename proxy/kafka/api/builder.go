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
	if value, ok := b.values[f.Path]; ok {
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
	name, renamed := b.fields[f.Path]
	if !renamed {
		name = f.Name
	}
	l := it.field(name)
	switch {
	case l == nil, l.f.Kind != f.Kind, f.Kind == wire.Array, !repeat && !renamed, it.null(l) && !f.Nullable:
		b.value(f, f.Default)
	default:
		b.out = append(b.out, it.body[l.from:l.to]...)
	}
}

// array writes an array that has elements, and reports whether the form has it.
func (b *builder) array(f *wire.Field, it item) bool {
	if gather, ok := b.gather[f.Path]; ok {
		all := gather(b.top)
		b.out = wire.AppendCount(b.out, f.Flexible(), len(all))
		for _, element := range all {
			b.structure(f.Elem.Struct, element, true)
		}
		return true
	}
	name, ok := b.items[f.Path]
	if ok {
		b.out = wire.AppendCount(b.out, f.Flexible(), it.count(name))
		it.each(name, func(element item) { b.structure(f.Elem.Struct, element, true) })
	}
	return ok
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
	n, _ := strconv.ParseInt(value, 0, 64) // "" is 0
	switch kind {
	case wire.Bool:
		if value == "true" {
			n = 1
		}
		b.out = append(b.out, byte(n))
	case wire.Int8:
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
