package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// item is an element of an array in a request, or its top: its fields and where they lie.
type item struct {
	body     []byte
	fields   []located
	from, to int // its bytes in the body
}

// located is one field of an item.
type located struct {
	f        *wire.Field
	from, to int // its bytes in the body, with its length
}

// read finds the fields of a structure that begins at off in a checked body, and where it ends. Tagged fields are
// skipped: no error response repeats one.
func read(s *wire.Struct, body []byte, off int) (it item, end int) {
	it = item{body: body, fields: make([]located, 0, len(s.Fields)), from: off}
	for i := range s.Fields {
		f := &s.Fields[i]
		to := f.End(body, off)
		it.fields = append(it.fields, located{f, off, to})
		off = to
	}
	if s.Flexible {
		n, size := wire.Uvarint(body[off:])
		off += size
		for range n {
			_, tag := wire.Uvarint(body[off:])
			length, size := wire.Uvarint(body[off+tag:])
			off += tag + size + length
		}
	}
	it.to = off
	return it, off
}

// field is the field of that name, or nil.
func (it item) field(name string) *located {
	for i := range it.fields {
		if it.fields[i].f.Name == name {
			return &it.fields[i]
		}
	}
	return nil
}

// int is the value of a field of fixed size; -1 if there is none of that name.
func (it item) int(name string) int64 {
	if l := it.field(name); l != nil {
		return wire.Value{Bytes: it.body[l.from:l.to]}.Int()
	}
	return -1
}

// null reports whether a string is null.
func (it item) null(l *located) bool {
	if l.f.Kind != wire.String || !l.f.Nullable {
		return false
	}
	if l.f.Flexible() {
		return it.body[l.from] == 0
	}
	return it.body[l.from]&0x80 != 0
}

// count is how many elements an array has: 0 if it is null, or if there is none of that name.
func (it item) count(name string) int {
	l := it.field(name)
	if l == nil || l.f.Kind != wire.Array {
		return 0
	}
	n, _ := wire.Count(it.body[l.from:], l.f.Flexible())
	return max(n, 0)
}

// each calls do for every element of an array. An element that is not a structure is an item of one field, which has
// the name of the array.
func (it item) each(name string, do func(item)) {
	l := it.field(name)
	if l == nil || l.f.Kind != wire.Array {
		return
	}
	n, size := wire.Count(it.body[l.from:], l.f.Flexible())
	off, e := l.from+size, l.f.Elem
	for range n {
		element, end := item{body: it.body, from: off}, 0
		if e.Kind == wire.Structure {
			element, end = read(e.Struct, it.body, off)
		} else {
			end = e.End(it.body, off)
			element.fields, element.to = []located{{e, off, end}}, end
		}
		do(element)
		off = end
	}
}
