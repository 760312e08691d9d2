package address

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// fillerTags are the tagged fields that fill a rewritten tail up to its old length: of one byte, of two and of three.
// Kafka counts its tags from 0, one a field, so these are none of its own, and every reader skips tags that it does
// not know (KIP-482).
var fillerTags = [...]int{127, 16383, 2097151}

// filler returns a tagged field of exactly n bytes whose tag is above the last one, or nil if there is none: it takes
// two bytes at least.
func filler(n, last int) []byte {
	for _, tag := range fillerTags {
		if tag <= last {
			continue
		}
		// The size takes one byte more when it grows beyond 127: no field with a tag of one byte is 130 bytes long.
		content := n - wire.UvarintLen(tag) - 1
		for content >= 0 && wire.UvarintLen(tag)+wire.UvarintLen(content)+content > n {
			content--
		}
		if content >= 0 && wire.UvarintLen(tag)+wire.UvarintLen(content)+content == n {
			b := wire.AppendUvarint(wire.AppendUvarint(make([]byte, 0, n), tag), content)
			return b[:n] // made of zeros
		}
	}
	return nil
}

// rewriteTail puts the addresses of the book into what follows the topics of a response, without changing its length.
// It returns nil if nothing changes.
//
// New addresses that are shorter by two bytes or more are filled up; if they are longer or shorter by one, the
// endpoints are left out: a client then asks for metadata, as it did before KIP-951.
func rewriteTail(book Book, s *wire.Struct, tail []byte) ([]byte, error) {
	if err := s.Check(tail); err != nil {
		return nil, err
	}
	if !hasEndpoints(s, tail) {
		return nil, nil
	}
	for _, book := range []Book{book, nobody{}} {
		e := editor{book: book, body: tail, handle: nodeEndpoints}
		e.structure(s, nil)
		switch {
		case e.err != nil || !e.changed:
			return nil, e.err
		case len(e.out) == len(tail):
			return e.out, nil
		}
		n, last := lastTag(s, e.out)
		missing := len(tail) - len(e.out) - (wire.UvarintLen(n+1) - wire.UvarintLen(n))
		if missing < 2 {
			continue
		}
		if pad := filler(missing, last); pad != nil {
			e = editor{book: book, body: tail, handle: nodeEndpoints}
			e.structure(s, pad)
			return e.out, nil
		}
	}
	return nil, &wire.Malformed{Path: "NodeEndpoints", Reason: "no room to leave them out"}
}

// lastTag returns how many tagged fields end a tail, and the highest of them; -1 if there are none.
func lastTag(s *wire.Struct, tail []byte) (n, last int) {
	off := 0
	for i := range s.Fields {
		off = s.Fields[i].End(tail, off)
	}
	n, size := wire.Uvarint(tail[off:])
	off, last = off+size, -1
	for range n {
		tag, a := wire.Uvarint(tail[off:])
		length, b := wire.Uvarint(tail[off+a:])
		off, last = off+a+b+length, tag
	}
	return n, last
}

// nobody is the book that has no broker.
type nobody struct{}

// Broker knows none.
func (nobody) Broker(int32) (string, int32, bool) { return "", 0, false }
