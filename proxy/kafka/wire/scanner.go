package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

// Scanner checks a message that arrives in pieces, as [Struct.Check] checks one that is whole. It keeps a few counters
// and none of the content; content that is long may pass it by ([Scanner.Skip]).
//
// It must be given the size of the message, and lets no length in it reach beyond that.
type Scanner struct {
	left  int64 // bytes of the message that were not scanned yet
	limit int64 // what left must not fall below: inside a tagged field, its end
	skip  int64 // bytes of content that come next
	until int   // index of the field at the top before which the scanner is done; -1 for none
	part  bool  // more may follow the structure

	levels [maxDepth]level
	depth  int
	length [5]byte // the part of a length that has arrived
	have   int
	opaque bool // what is skipped is the content of a Bytes or Records field
	done   bool
}

// maxDepth bounds the levels of a message: two for each nested array of structures, three for a tagged field. The
// tests scan every structure there is.
const maxDepth = 16

// level is a place in the message to come back to.
type level struct {
	kind  levelKind
	s     *Struct
	f     *Field
	n     int   // of a structure: its next field; of others: elements or tagged fields to come
	tag   int   // of tagged fields: the last that was read
	size  bool  // of tagged fields: a tag was read, its size comes next
	limit int64 // to go back to after a tagged field
}

type levelKind uint8

const (
	inStruct levelKind = iota
	inArray
	inTags   // among the tagged fields of a structure
	inTagged // at the end of one of them
)

// Reset prepares for a message of that structure and size, in bytes.
func (s *Scanner) Reset(structure *Struct, size int64) {
	*s = Scanner{left: size, until: -1}
	s.push(level{kind: inStruct, s: structure})
}

// ResetPart prepares for a structure that begins a message of that size, in bytes: what follows it is left alone. Where
// after names a field at its top, the scanner is done after that field.
func (s *Scanner) ResetPart(structure *Struct, size int64, after string) {
	*s = Scanner{left: size, until: structure.index(after), part: true}
	s.push(level{kind: inStruct, s: structure})
}

// index is the index of the field after the one of that name, -1 if there is none of that name.
func (s *Struct) index(after string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == after {
			return i + 1
		}
	}
	return -1
}

// After returns the structure of what follows a field at the top: the rest of a message after a [Scanner] that was told
// to be done there.
func (s *Struct) After(name string) *Struct {
	from := max(s.index(name), 0)
	rest := &Struct{Flexible: s.Flexible, Fields: slices.Clone(s.Fields[from:]), Tagged: s.Tagged, foreign: s.foreign, heap: s.heap}
	for i := range rest.Fields {
		rest.Fields[i].next -= from
	}
	return rest
}

// Done reports whether the message, or the part of it that was asked for, was scanned to its end.
func (s *Scanner) Done() bool { return s.done }

// Left is how many bytes of the message were not scanned yet.
func (s *Scanner) Left() int64 { return s.left }

// Skip is how many of the bytes that come next are the content of one Bytes or Records field: they may pass without
// being shown to Scan, if [Scanner.Skipped] is told.
func (s *Scanner) Skip() int64 {
	if !s.opaque {
		return 0
	}
	return s.skip
}

// Skipped says that n of the bytes that [Scanner.Skip] counts have passed.
func (s *Scanner) Skipped(n int64) {
	n = min(n, s.skip)
	s.skip -= n
	s.left -= n
}

// Scan takes the next piece and returns how much of it was scanned: all, unless the scanner is done before its end. The
// error is a [*Malformed] whose offset counts from the end of the message, and is negative.
func (s *Scanner) Scan(p []byte) (n int, err error) {
	for !s.done {
		if s.skip > 0 {
			m := min(s.skip, int64(len(p)-n))
			n += int(m)
			s.Skipped(m)
			if s.skip > 0 {
				return n, nil
			}
		}
		s.opaque = false
		left := s.left
		moved, reason := s.step(p[n:])
		n += int(left - s.left)
		switch {
		case reason != "":
			return n, &Malformed{Path: s.path(), Offset: int(-s.left), Reason: reason}
		case !moved:
			return n, nil
		}
	}
	return n, nil
}

// path is the field that is being scanned, as far as the levels know it.
func (s *Scanner) path() string {
	for i := s.depth - 1; i >= 0; i-- {
		if l := &s.levels[i]; l.kind == inStruct && l.n < len(l.s.Fields) {
			return l.s.Fields[l.n].Path
		}
	}
	return ""
}

func (s *Scanner) push(l level) {
	s.levels[s.depth] = l
	s.depth++
}

// step does one thing: reads one length, or comes to what is next. It returns false if that takes more bytes than p has.
func (s *Scanner) step(p []byte) (moved bool, reason string) {
	if s.depth == 0 {
		s.done = true
		if s.left > 0 && !s.part {
			return false, reasonTrailing
		}
		return true, ""
	}
	l := &s.levels[s.depth-1]
	switch l.kind {
	case inStruct:
		switch {
		case s.depth == 1 && l.n == s.until:
			s.done = true
			return true, ""
		case l.n == len(l.s.Fields):
			return s.leave(l, p)
		}
		f := &l.s.Fields[l.n]
		if f.run > 0 && (s.depth > 1 || s.until < 0) {
			l.n = f.next
			return s.pass(int64(f.run))
		}
		if moved, reason = s.field(f, p); moved {
			l.n++
		}
		return moved, reason
	case inArray:
		if l.n == 0 {
			s.depth--
			return true, ""
		}
		if moved, reason = s.field(l.f, p); moved {
			l.n--
		}
		return moved, reason
	case inTags:
		return s.tagged(l, p)
	default:
		if s.left > s.limit {
			return false, reasonTagSize
		}
		s.limit = l.limit
		s.depth--
		return true, ""
	}
}

// leave ends a structure: its tagged fields take its place.
func (s *Scanner) leave(l *level, p []byte) (moved bool, reason string) {
	if !l.s.Flexible {
		s.depth--
		return true, ""
	}
	n, moved, reason := s.uvarint(p)
	if !moved {
		return false, reason
	}
	if int64(n) > (s.left-s.limit)/2 { // a tag and a size
		return false, reasonCount
	}
	*l = level{kind: inTags, s: l.s, n: n, tag: -1}
	return true, ""
}

// tagged reads a tag, or the size after it.
func (s *Scanner) tagged(l *level, p []byte) (moved bool, reason string) {
	if l.n == 0 && !l.size {
		s.depth--
		return true, ""
	}
	n, moved, reason := s.uvarint(p)
	if !moved {
		return false, reason
	}
	if !l.size {
		if n <= l.tag {
			return false, reasonTags
		}
		l.tag, l.size = n, true
		l.n--
		return true, ""
	}
	l.size = false
	if int64(n) > s.left-s.limit {
		return false, reasonLength
	}
	for i := range l.s.Tagged {
		if f := &l.s.Tagged[i]; int(f.Tag) == l.tag {
			s.push(level{kind: inTagged, limit: s.limit})
			s.limit = s.left - int64(n)
			s.push(level{kind: inArray, f: f, n: 1})
			return true, ""
		}
	}
	if slices.Contains(l.s.foreign, int32(l.tag)) {
		return false, reasonForeign
	}
	return s.pass(int64(n))
}

// field begins a field: its content is skipped, or what it holds becomes the next level.
func (s *Scanner) field(f *Field, p []byte) (moved bool, reason string) {
	switch f.Kind {
	case String, Bytes, Records:
		n, moved, reason := s.prefix(f, p)
		if !moved {
			return false, reason
		}
		s.opaque = f.Kind != String
		return s.pass(int64(max(n, 0)))
	case Array:
		n, moved, reason := s.prefix(f, p)
		if !moved {
			return false, reason
		}
		if int64(n) > (s.left-s.limit)/int64(f.Elem.least) {
			return false, reasonCount
		}
		s.push(level{kind: inArray, f: f.Elem, n: max(n, 0)})
		return true, ""
	case Structure:
		if f.Nullable {
			b, moved, reason := s.bytes(1, p)
			if !moved {
				return false, reason
			}
			switch int8(b[0]) {
			case -1:
				return true, ""
			case 1:
			default:
				return false, reasonPresence
			}
		}
		s.push(level{kind: inStruct, s: f.Struct})
		return true, ""
	default:
		return s.pass(int64(f.size))
	}
}

// pass skips content.
func (s *Scanner) pass(n int64) (moved bool, reason string) {
	if n > s.left-s.limit {
		return false, reasonLength
	}
	s.skip = n
	return true, ""
}

// prefix reads the length of a string, bytes or array; -1 is null.
func (s *Scanner) prefix(f *Field, p []byte) (n int, moved bool, reason string) {
	var b []byte
	switch {
	case f.flexible:
		n, moved, reason = s.uvarint(p)
		n--
	case f.Kind == String:
		if b, moved, reason = s.bytes(2, p); moved {
			n = int(int16(binary.BigEndian.Uint16(b)))
		}
	default:
		if b, moved, reason = s.bytes(4, p); moved {
			n = int(int32(binary.BigEndian.Uint32(b)))
		}
	}
	switch {
	case !moved:
		return 0, false, reason
	case n < -1:
		return 0, false, reasonNegative
	case n == -1 && !f.Nullable:
		return 0, false, reasonNull
	case f.Kind == String && n > math.MaxInt16:
		return 0, false, reasonString
	}
	return n, true, ""
}

// bytes returns the next n bytes, at most 4, once all have arrived.
func (s *Scanner) bytes(n int, p []byte) (b []byte, moved bool, reason string) {
	if int64(n-s.have) > s.left-s.limit {
		return nil, false, reasonShort
	}
	m := copy(s.length[s.have:n], p)
	s.have += m
	s.left -= int64(m)
	if s.have < n {
		return nil, false, ""
	}
	s.have = 0
	return s.length[:n], true, ""
}

// uvarint returns the next variable-length integer, once all of it has arrived.
func (s *Scanner) uvarint(p []byte) (n int, moved bool, reason string) {
	for {
		if s.left == s.limit {
			return 0, false, reasonShort
		}
		if len(p) == 0 {
			return 0, false, ""
		}
		s.length[s.have] = p[0]
		s.have++
		s.left--
		p = p[1:]
		n, size := uvarint(s.length[:s.have])
		switch {
		case size < 0:
			return 0, false, reasonVarint
		case size > 0:
			s.have = 0
			return n, true, ""
		}
	}
}
