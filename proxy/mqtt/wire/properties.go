package wire

import (
	"encoding/binary"
	"iter"
)

// Properties is a list of properties as a packet carries it, without the length before it. One that comes from a Decode
// function has been checked: each property belongs to the packet, stands there once if it may only do so, and has a value
// that is allowed. The zero value is the empty list.
type Properties []byte

// properties reads a list and checks it, in one pass that allocates nothing. The packets of 3.1 and 3.1.1 have none.
func (r *reader) properties(t Type, v Version) Properties {
	if v != V5 {
		return nil
	}
	list := r.take("Property Length", r.varint("Property Length"))
	in := reader{b: list}
	var seen uint64 // one bit for each property
	for len(in.b) > 0 {
		in.property(t, &seen)
	}
	if in.failed() {
		r.fail(in.field, in.code, in.reason)
		return nil
	}
	return list
}

// property reads one property of a list and checks it.
func (r *reader) property(t Type, seen *uint64) {
	// Identifiers are variable byte integers, but all that are defined have one byte.
	id := Property(r.byte("Property Identifier"))
	d := define(id)
	switch bit := uint64(1) << (id & 63); {
	case d.kind == unknown:
		r.fail("Property Identifier", MalformedPacket, reasonValue)
		return
	case d.in>>t&1 == 0:
		r.fail(d.name, MalformedPacket, reasonForeign)
		return
	case *seen&bit != 0 && d.often>>t&1 == 0:
		r.fail(d.name, ProtocolError, reasonTwice)
		return
	default:
		*seen |= bit
	}
	switch v := r.value(d); {
	case r.failed():
	case v < d.least, d.most != 0 && v > d.most:
		r.fail(d.name, max(d.code, ProtocolError), reasonValue)
	}
}

// value reads past the value of a property, and returns it if it is an integer.
func (r *reader) value(d *definition) uint32 {
	switch d.kind {
	case oneByte:
		return uint32(r.byte(d.name))
	case twoBytes:
		return uint32(r.uint16(d.name))
	case fourBytes:
		return r.uint32(d.name)
	case varint:
		return uint32(r.varint(d.name))
	case opaque:
		r.binary(d.name)
	case pair:
		r.text(d.name)
		r.text(d.name)
	default:
		r.text(d.name)
	}
	return 0
}

// All iterates over the list in its order. Each element is whole, with its identifier, as it stands in the packet: those
// that are kept can be appended to one another to make another list.
func (p Properties) All() iter.Seq2[Property, []byte] {
	return func(yield func(Property, []byte) bool) {
		for rest := []byte(p); len(rest) > 0; {
			r := reader{b: rest[1:]}
			r.value(define(Property(rest[0])))
			n := len(rest) - len(r.b)
			if r.failed() || !yield(Property(rest[0]), rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// find returns the first property of that identifier, whole; nil if there is none.
func (p Properties) find(id Property) []byte {
	for other, element := range p.All() {
		if other == id {
			return element
		}
	}
	return nil
}

// Has reports whether the list has that property.
func (p Properties) Has(id Property) bool { return p.find(id) != nil }

// Uint is the value of a property that is an integer of any length; false if the list has none of it.
func (p Properties) Uint(id Property) (uint32, bool) {
	d := define(id)
	element := p.find(id)
	if element == nil || !d.integer() {
		return 0, false
	}
	r := reader{b: element[1:]}
	return r.value(d), true
}

// UintOr is [Properties.Uint] with a value for where the list has none.
func (p Properties) UintOr(id Property, absent uint32) uint32 {
	if v, ok := p.Uint(id); ok {
		return v
	}
	return absent
}

// Bytes is the value of a property that is a string or binary data; false if the list has none of it.
func (p Properties) Bytes(id Property) ([]byte, bool) {
	d := define(id)
	element := p.find(id)
	if element == nil || d.kind != text && d.kind != opaque {
		return nil, false
	}
	return element[3:], true
}

// UserProperties iterates over the names and values of the User Properties.
func (p Properties) UserProperties() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for id, element := range p.All() {
			if id != UserProperty {
				continue
			}
			r := reader{b: element[1:]}
			name := r.binary("")
			if !yield(name, r.binary("")) {
				return
			}
		}
	}
}

// SubscriptionIdentifiers iterates over the identifiers that a broker puts into a PUBLISH: one for each subscription that
// matched.
func (p Properties) SubscriptionIdentifiers() iter.Seq[int] {
	return func(yield func(int) bool) {
		for id, element := range p.All() {
			if id != SubscriptionIdentifier {
				continue
			}
			if n, _ := Varint(element[1:]); !yield(n) {
				return
			}
		}
	}
}

// Without is the list without the properties of these identifiers. It is the same list, not a copy, if it has none of
// them.
func (p Properties) Without(ids ...Property) Properties {
	var set uint64
	for _, id := range ids {
		set |= 1 << (id & 63)
	}
	var kept Properties
	at, changed := 0, false
	for id, element := range p.All() {
		gone := set>>(id&63)&1 == 1
		if gone && !changed {
			kept, changed = append(make(Properties, 0, len(p)), p[:at]...), true
		}
		if !gone && changed {
			kept = append(kept, element...)
		}
		at += len(element)
	}
	if !changed {
		return p
	}
	return kept
}

// WithUint is a copy of the list in which a property that is an integer has that value, and stands last.
func (p Properties) WithUint(id Property, v uint32) Properties {
	kept := p.Without(id)
	b := append(kept[:len(kept):len(kept)], byte(id))
	switch define(id).kind {
	case oneByte:
		return append(b, byte(v))
	case twoBytes:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	case fourBytes:
		return binary.BigEndian.AppendUint32(b, v)
	default:
		return AppendVarint(b, int(v))
	}
}

// WithText is a copy of the list in which a property that is a string or binary data has that value, at most 65535
// bytes, and stands last.
func (p Properties) WithText(id Property, v string) Properties {
	kept := p.Without(id)
	return appendBinary(append(kept[:len(kept):len(kept)], byte(id)), v)
}

// WithUser is a copy of the list with one more User Property, at its end.
func (p Properties) WithUser(name, value string) Properties {
	return appendBinary(appendBinary(append(p[:len(p):len(p)], byte(UserProperty)), name), value)
}

// append appends the list with its length before it; nothing for versions without properties.
func (p Properties) append(dst []byte, v Version) []byte {
	if v != V5 {
		return dst
	}
	return append(AppendVarint(dst, len(p)), p...)
}

// size is how many bytes [Properties.append] appends.
func (p Properties) size(v Version) int {
	if v != V5 {
		return 0
	}
	return VarintLen(len(p)) + len(p)
}
