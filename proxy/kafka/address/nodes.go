package address

import (
	"encoding/binary"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// node is where a broker is at the gateway.
type node struct {
	host string
	port int32
	ok   bool
}

// lookup asks the book for a broker. Negative ids are nobody's.
func (e *editor) lookup(id int32) (n node) {
	if id >= 0 {
		n.host, n.port, n.ok = e.book.Broker(id)
	}
	return n
}

// nodes edits an array of structures that have a broker's id, host and port: those of brokers that the book does not
// have are left out.
func (e *editor) nodes(f *wire.Field) action {
	flexible := f.Flexible()
	n, size := wire.Count(e.body[e.off:], flexible)
	if n <= 0 {
		return keep
	}
	e.off += size
	e.changed = true
	start, kept := e.off, make([]node, n)
	served := 0
	for i := range kept {
		kept[i] = e.lookup(e.id(f.Elem.Struct))
		if kept[i].ok {
			served++
		}
		e.off = f.Elem.End(e.body, e.off)
	}
	e.off = start
	e.out = wire.AppendCount(e.out, flexible, served)
	for _, at := range kept {
		end := f.Elem.End(e.body, e.off)
		if at.ok {
			e.element(f.Elem.Struct, at)
			e.copyTo(end) // its tagged fields
		}
		e.off = end
	}
	return done
}

// id is the id of the node whose structure begins at the editor's place.
func (e *editor) id(s *wire.Struct) int32 {
	off := e.off
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Name == "NodeId" || f.Name == "BrokerId" {
			return int32(binary.BigEndian.Uint32(e.body[off:]))
		}
		off = f.End(e.body, off)
	}
	return -1
}

// element copies the fields of a node or of one of its listeners, with another address.
func (e *editor) element(s *wire.Struct, at node) {
	for i := range s.Fields {
		switch f := &s.Fields[i]; f.Name {
		case "Host":
			e.writeString(f, at.host)
		case "Port":
			e.writeInt(f, at.port)
		default:
			e.copyTo(f.End(e.body, e.off))
		}
	}
}
