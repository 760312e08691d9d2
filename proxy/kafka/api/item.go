package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// item is an element of an array in a checked request, or its top. It finds its fields anew each time it is asked, so
// that a request of many items costs no memory.
type item struct {
	body []byte
	s    *wire.Struct // nil: the element is a string or a number
	elem *wire.Field  // the element itself, if s is nil; it has the name of its array
	from int          // its first byte in the body
}

// located is one field of an item.
type located struct {
	f        *wire.Field
	from, to int // its bytes in the body, with its length
}

// field finds the field of that name. Tagged fields are not looked at: no error response repeats one.
func (it item) field(name string) (l located, ok bool) {
	if it.s == nil {
		if it.elem == nil || it.elem.Name != name {
			return located{}, false
		}
		return located{it.elem, it.from, it.elem.End(it.body, it.from)}, true
	}
	off := it.from
	for i := range it.s.Fields {
		f := &it.s.Fields[i]
		to := f.End(it.body, off)
		if f.Name == name {
			return located{f, off, to}, true
		}
		off = to
	}
	return located{}, false
}

// int is the value of a field of fixed size; -1 if there is none of that name.
func (it item) int(name string) int64 {
	if l, ok := it.field(name); ok {
		return wire.Value{Bytes: it.body[l.from:l.to]}.Int()
	}
	return -1
}

// null reports whether a field is the null string.
func (it item) null(l located) bool {
	if l.f.Kind != wire.String || !l.f.Nullable {
		return false
	}
	if l.f.Flexible() {
		return it.body[l.from] == 0
	}
	return it.body[l.from]&0x80 != 0
}

// isNull reports whether a field is an array that is null.
func (it item) isNull(name string) bool {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.Array {
		return false
	}
	n, _ := wire.Count(it.body[l.from:], l.f.Flexible())
	return n < 0
}

// count is how many elements an array has: 0 if it is null, or if there is none of that name.
func (it item) count(name string) int {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.Array {
		return 0
	}
	n, _ := wire.Count(it.body[l.from:], l.f.Flexible())
	return max(n, 0)
}

// each calls do for every element of an array, and for none if there is none of that name.
func (it item) each(name string, do func(item)) {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.Array {
		return
	}
	n, size := wire.Count(it.body[l.from:], l.f.Flexible())
	off, e := l.from+size, l.f.Elem
	for range n {
		do(item{body: it.body, s: e.Struct, elem: e, from: off})
		off = e.End(it.body, off)
	}
}

// bytes is the item as it stands in the request.
func (it item) bytes() []byte { return it.body[it.from:it.elem.End(it.body, it.from)] }

// text is the content of a field that is a string; nil if it is null, or if there is none of that name.
func (it item) text(name string) []byte {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.String || it.null(l) {
		return nil
	}
	if l.f.Flexible() {
		_, size := wire.Uvarint(it.body[l.from:])
		return it.body[l.from+size : l.to : l.to]
	}
	return it.body[l.from+2 : l.to : l.to]
}

// id is a field that is a topic id; nil if there is none of that name, or if it is zero.
func (it item) id(name string) []byte {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.UUID || [16]byte(it.body[l.from:l.to]) == [16]byte{} {
		return nil
	}
	return it.body[l.from:l.to:l.to]
}
