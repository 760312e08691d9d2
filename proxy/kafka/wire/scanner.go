package wire

import "slices"

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
	s.start(structure, size, -1, false)
}

// ResetPart prepares for a structure that begins a message of that size, in bytes: what follows it is left alone. Where
// after names a field at its top, the scanner is done after that field.
func (s *Scanner) ResetPart(structure *Struct, size int64, after string) {
	s.start(structure, size, structure.index(after), true)
}

// start leaves the levels of the last message where they are: push overwrites them.
func (s *Scanner) start(structure *Struct, size int64, until int, part bool) {
	s.left, s.limit, s.skip, s.until, s.part = size, 0, 0, until, part
	s.depth, s.have, s.opaque, s.done = 0, 0, false, false
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
