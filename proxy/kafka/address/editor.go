package address

import (
	"encoding/binary"
	"slices"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// action is what an editor does with a field.
type action uint8

const (
	keep  action = iota // copy it as it is
	enter               // copy it, and edit what it holds
	done                // the handler has written it
)

// editor copies a checked body, and lets a handler change fields on the way.
type editor struct {
	book    Book
	body    []byte
	off     int
	out     []byte
	changed bool
	err     error

	// handle is asked about every field at the top, and about those inside of fields that it entered. If it returns
	// done, it has written the field to out and moved off behind it.
	handle func(*editor, *wire.Field) action

	// What handlers remember of a structure while they edit the rest of it.
	node    node
	missing bool // a coordinator that the book does not have
	broker  bool // configurations of a broker
	secret  bool // the configuration or synonym is an address
}

// hasEndpoints reports whether a checked body, of a structure that has NodeEndpoints, has any. Most have none, and this
// sees it without copying.
func hasEndpoints(s *wire.Struct, body []byte) bool {
	off := 0
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Name == "NodeEndpoints" {
			n, _ := wire.Count(body[off:], f.Flexible())
			return n > 0
		}
		off = f.End(body, off)
	}
	return body[off] != 0 // some tagged field
}

// copyTo copies up to an offset of the body.
func (e *editor) copyTo(end int) {
	e.out = append(e.out, e.body[e.off:end]...)
	e.off = end
}

// structure edits a structure. Tagged fields that drop names are left out; pad is written after the last one, as one
// more of them.
func (e *editor) structure(s *wire.Struct, pad []byte) {
	for i := range s.Fields {
		e.field(&s.Fields[i])
	}
	if s.Flexible {
		e.tags(s, pad)
	}
}

func (e *editor) field(f *wire.Field) {
	switch e.handle(e, f) {
	case keep:
		e.copyTo(f.End(e.body, e.off))
	case enter:
		switch f.Kind {
		case wire.Array:
			n, size := wire.Count(e.body[e.off:], f.Flexible())
			e.copyTo(e.off + size)
			for range n {
				e.structure(f.Elem.Struct, nil)
			}
		default: // a structure that cannot be null
			e.structure(f.Struct, nil)
		}
	case done:
	}
}

// tags edits the tagged fields that end a structure.
func (e *editor) tags(s *wire.Struct, pad []byte) {
	n, size := wire.Uvarint(e.body[e.off:])
	e.off += size
	if pad != nil {
		e.out = wire.AppendUvarint(e.out, n+1)
	} else {
		e.out = wire.AppendUvarint(e.out, n)
	}
	for range n {
		tag, a := wire.Uvarint(e.body[e.off:])
		length, b := wire.Uvarint(e.body[e.off+a:])
		start := e.off + a + b
		i := slices.IndexFunc(s.Tagged, func(f wire.Field) bool { return int(f.Tag) == tag })
		if i < 0 {
			e.copyTo(start + length)
			continue
		}
		at := len(e.out)
		e.off = start
		e.field(&s.Tagged[i])
		content := slices.Clone(e.out[at:])
		e.out = wire.AppendUvarint(wire.AppendUvarint(e.out[:at], tag), len(content))
		e.out = append(e.out, content...)
	}
	e.out = append(e.out, pad...)
}

// int32 is the value of the Int32 field at the editor's place.
func (e *editor) int32() int32 { return int32(binary.BigEndian.Uint32(e.body[e.off:])) }

func (e *editor) writeString(f *wire.Field, s string) {
	if len(s) > 255 {
		e.err = errHost
	}
	e.out = wire.AppendString(e.out, f.Flexible(), s)
	e.off = f.End(e.body, e.off)
	e.changed = true
}

func (e *editor) writeInt(f *wire.Field, n int32) {
	switch f.Kind {
	case wire.Int16, wire.Uint16:
		e.out = binary.BigEndian.AppendUint16(e.out, uint16(n))
	default:
		e.out = binary.BigEndian.AppendUint32(e.out, uint32(n))
	}
	e.off = f.End(e.body, e.off)
	e.changed = true
}
