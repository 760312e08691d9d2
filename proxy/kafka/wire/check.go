package wire

import "encoding/binary"

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
func (s *Struct) walk(body []byte, visit Visitor) (heap int64, err error) {
	return s.walkTo(body, visit, false)
}

func (s *Struct) walkTo(body []byte, visit Visitor, top bool) (heap int64, err error) {
	if s == nil {
		return 0, ErrUnknown
	}
	w := walker{b: body, heap: int64(s.heap), top: top}
	if !w.structure(s, visit) && w.bad.Reason != "" {
		bad := w.bad
		return w.heap, &bad
	}
	if w.bad.Reason == "" && !w.stopped && w.off < len(body) {
		return w.heap, &Malformed{Offset: w.off, Reason: reasonTrailing}
	}
	return w.heap, nil
}
