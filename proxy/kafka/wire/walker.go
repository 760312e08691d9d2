package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

// walker goes through one body. Its methods return false at the first thing that is wrong, or when the visitor has
// seen enough. It recurses as deep as the definitions are nested, never deeper. The visitor is handed down, not kept: so
// the caller's closure stays on its stack.
type walker struct {
	b       []byte // up to the end of the message, or of the tagged field that is walked
	off     int
	top     bool // elements of arrays are not shown
	stopped bool
	heap    int64 // bytes the message would take as kmsg's structs
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
	w.heap += int64(n) * int64(heapOf(e))
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
	if w.off < len(w.b) && w.b[w.off] < 0x80 { // as most are
		w.off++
		return int(w.b[w.off-1]), true
	}
	n, size := Uvarint(w.b[w.off:])
	switch {
	case size == 0:
		return 0, w.fail(f, reasonShort)
	case size < 0:
		return 0, w.fail(f, reasonVarint)
	}
	w.off += size
	return n, true
}
