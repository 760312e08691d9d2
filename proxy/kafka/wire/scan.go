package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

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
		n, size := Uvarint(s.length[:s.have])
		switch {
		case size < 0:
			return 0, false, reasonVarint
		case size > 0:
			s.have = 0
			return n, true, ""
		}
	}
}
