package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

// Visitor is shown each field of a message. It returns false to end the walk.
type Visitor func(f *Field, v Value) bool

// Value is where a field lies in a body, and what it says.
//
// An array is shown before its elements, a structure before its fields. What a null string or null bytes, array or
// structure has is Count -1.
type Value struct {
	Offset int    // of the field's first byte in the body, its length included; of a tagged field, its tag
	Bytes  []byte // content of a scalar, without its length; a part of the body, not a copy
	Count  int    // elements of an array; length of Bytes for others
}

// Null reports whether the field is null.
func (v Value) Null() bool { return v.Count < 0 }

// Int returns a Bool, Int8, Int16, Uint16, Int32, Uint32 or Int64.
func (v Value) Int() int64 {
	switch len(v.Bytes) {
	case 1:
		return int64(int8(v.Bytes[0]))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v.Bytes)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v.Bytes)))
	case 8:
		return int64(binary.BigEndian.Uint64(v.Bytes))
	}
	return 0
}

// Check walks a body to its last byte; see [CheckRequest]. A nil Struct knows no version and returns [ErrUnknown].
func (s *Struct) Check(body []byte) error {
	_, err := s.walk(body, nil)
	return err
}

// Walk checks a body and shows each field; see [WalkRequest].
func (s *Struct) Walk(body []byte, visit Visitor) error {
	_, err := s.walk(body, visit)
	return err
}

// WalkTop checks a body and shows its fields without the elements of arrays: far less work than [Struct.Walk] for a
// request of many partitions.
func (s *Struct) WalkTop(body []byte, visit Visitor) error {
	_, err := s.walkTo(body, visit, true)
	return err
}

// Flexible reports whether the field's lengths are compact.
func (f *Field) Flexible() bool { return f.flexible }

// End returns the offset after a field that begins at off in a body which [Struct.Check] has accepted; for other bytes
// it returns -1.
func (f *Field) End(body []byte, off int) int {
	w := walker{b: body, off: off}
	if off > len(body) || !w.field(f, off, nil) {
		return -1
	}
	return w.off
}

// walk returns what the body would take as kmsg structs, in bytes; see [DecodeRequest].
func (s *Struct) walk(body []byte, visit Visitor) (heap int, err error) {
	return s.walkTo(body, visit, false)
}

func (s *Struct) walkTo(body []byte, visit Visitor, top bool) (heap int, err error) {
	if s == nil {
		return 0, ErrUnknown
	}
	w := walker{b: body, heap: s.heap, top: top}
	if !w.structure(s, visit) && w.bad.Reason != "" {
		bad := w.bad
		return w.heap, &bad
	}
	if w.bad.Reason == "" && !w.stopped && w.off < len(body) {
		return w.heap, &Malformed{Offset: w.off, Reason: reasonTrailing}
	}
	return w.heap, nil
}

// walker goes through one body. Its methods return false at the first thing that is wrong, or when the visitor has
// seen enough. It recurses as deep as the definitions are nested, never deeper. The visitor is handed down, not kept: so
// the caller's closure stays on its stack.
type walker struct {
	b       []byte // up to the end of the message, or of the tagged field that is walked
	off     int
	top     bool // elements of arrays are not shown
	stopped bool
	heap    int
	bad     Malformed
}

func (w *walker) fail(f *Field, reason string) bool {
	w.bad = Malformed{Offset: w.off, Reason: reason}
	if f != nil {
		w.bad.Path = f.Path
	}
	return false
}

func (w *walker) show(f *Field, v Value, visit Visitor) bool {
	if visit != nil && !visit(f, v) {
		w.stopped = true
		return false
	}
	return true
}

func (w *walker) structure(s *Struct, visit Visitor) bool {
	for i := 0; i < len(s.Fields); {
		f := &s.Fields[i]
		if f.run > 0 && visit == nil {
			if len(w.b)-w.off < f.run {
				return w.fail(f, reasonShort)
			}
			w.off += f.run
			i = f.next
			continue
		}
		if !w.field(f, w.off, visit) {
			return false
		}
		i++
	}
	return !s.Flexible || w.tagged(s, visit)
}

// field walks the field whose first byte, or whose tag, is at from.
func (w *walker) field(f *Field, from int, visit Visitor) bool {
	switch f.Kind {
	case String, Bytes, Records:
		n, ok := w.length(f)
		if !ok {
			return false
		}
		v := Value{Offset: from, Count: n}
		if n >= 0 {
			if n > len(w.b)-w.off {
				return w.fail(f, reasonLength)
			}
			v.Bytes = w.b[w.off : w.off+n : w.off+n]
			w.off += n
		}
		return w.show(f, v, visit)
	case Array:
		return w.array(f, from, visit)
	case Structure:
		count := 0
		if f.Nullable {
			if w.off >= len(w.b) {
				return w.fail(f, reasonShort)
			}
			switch int8(w.b[w.off]) {
			case 1:
			case -1:
				count = -1
			default:
				return w.fail(f, reasonPresence)
			}
			w.off++
		}
		if !w.show(f, Value{Offset: from, Count: count}, visit) {
			return false
		}
		return count < 0 || w.structure(f.Struct, visit)
	default:
		if len(w.b)-w.off < f.size {
			return w.fail(f, reasonShort)
		}
		v := Value{Offset: from, Bytes: w.b[w.off : w.off+f.size : w.off+f.size], Count: f.size}
		w.off += f.size
		return w.show(f, v, visit)
	}
}

func (w *walker) array(f *Field, from int, visit Visitor) bool {
	n, ok := w.length(f)
	if !ok {
		return false
	}
	e := f.Elem
	if n > (len(w.b)-w.off)/e.least {
		return w.fail(f, reasonCount)
	}
	if !w.show(f, Value{Offset: from, Count: n}, visit) || n <= 0 {
		return !w.stopped
	}
	w.heap += n * heapOf(e)
	if w.top {
		visit = nil
	}
	if e.size > 0 && visit == nil {
		w.off += n * e.size // fits: an element's least is its size
		return true
	}
	for range n {
		if !w.field(e, w.off, visit) {
			return false
		}
	}
	return true
}

// tagged walks the tagged fields that end a structure. Kafka's writers put them in ascending order; one that does not,
// or that gives a tag twice, means something else to each reader.
func (w *walker) tagged(s *Struct, visit Visitor) bool {
	n, ok := w.uvarint(nil)
	if !ok {
		return false
	}
	if n > (len(w.b)-w.off)/2 { // a tag and a size
		return w.fail(nil, reasonCount)
	}
	last, next := -1, 0
	for range n {
		from := w.off
		tag, ok := w.uvarint(nil)
		if !ok {
			return false
		}
		size, ok := w.uvarint(nil)
		if !ok {
			return false
		}
		if tag <= last {
			return w.fail(nil, reasonTags)
		}
		if size > len(w.b)-w.off {
			return w.fail(nil, reasonLength)
		}
		last = tag
		for next < len(s.Tagged) && int(s.Tagged[next].Tag) < tag {
			next++
		}
		if next == len(s.Tagged) || int(s.Tagged[next].Tag) != tag {
			if slices.Contains(s.foreign, int32(tag)) {
				return w.fail(nil, reasonForeign)
			}
			w.heap += 64 // an entry in kmsg's map
			w.off += size
			continue
		}
		f, all := &s.Tagged[next], w.b
		w.b = w.b[:w.off+size]
		if !w.field(f, from, visit) {
			return false
		}
		if w.off < len(w.b) {
			return w.fail(f, reasonTagSize)
		}
		w.b = all
	}
	return true
}

// length reads the length of a string, bytes or array; -1 is null.
func (w *walker) length(f *Field) (n int, ok bool) {
	switch {
	case f.flexible:
		if n, ok = w.uvarint(f); !ok {
			return 0, false
		}
		n--
	case f.Kind == String:
		if len(w.b)-w.off < 2 {
			return 0, w.fail(f, reasonShort)
		}
		n = int(int16(binary.BigEndian.Uint16(w.b[w.off:])))
		w.off += 2
	default:
		if len(w.b)-w.off < 4 {
			return 0, w.fail(f, reasonShort)
		}
		n = int(int32(binary.BigEndian.Uint32(w.b[w.off:])))
		w.off += 4
	}
	switch {
	case n < -1:
		return 0, w.fail(f, reasonNegative)
	case n == -1 && !f.Nullable:
		return 0, w.fail(f, reasonNull)
	case f.Kind == String && n > math.MaxInt16:
		return 0, w.fail(f, reasonString)
	}
	return n, true
}

func (w *walker) uvarint(f *Field) (int, bool) {
	n, size := uvarint(w.b[w.off:])
	switch {
	case size == 0:
		return 0, w.fail(f, reasonShort)
	case size < 0:
		return 0, w.fail(f, reasonVarint)
	}
	w.off += size
	return n, true
}

// uvarint reads an unsigned variable-length integer. Its size is 0 if b ends too early, and -1 if the value takes more
// than 31 bits: no length does, and readers disagree on what it then means.
func uvarint(b []byte) (n, size int) {
	for i := range min(len(b), 5) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if n > math.MaxInt32 {
				return 0, -1
			}
			return n, i + 1
		}
	}
	if len(b) >= 5 {
		return 0, -1
	}
	return 0, 0
}
