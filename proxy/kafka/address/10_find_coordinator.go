package address

import (
	"encoding/binary"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// COORDINATOR_NOT_AVAILABLE: a client tries again later.
const coordinatorNotAvailable = 15

// FindCoordinator: one coordinator at the top up to v3, one for each key from v4 on (KIP-699). One that the gateway does
// not serve is answered as not available; without an address, as brokers do, an error keeps its own code.
func init() {
	editors[10] = rewriting{edit: coordinator, prepare: topCoordinator}
}

// topCoordinator looks up the coordinator of v0 to v3, whose error code comes before its id.
func topCoordinator(e *editor, s *wire.Struct) {
	off := 0
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Name == "NodeId" {
			e.coordinate(int32(binary.BigEndian.Uint32(e.body[off:])))
		}
		off = f.End(e.body, off)
	}
}

func (e *editor) coordinate(id int32) {
	e.node = e.lookup(id)
	e.missing = id >= 0 && !e.node.ok
	if !e.node.ok {
		e.node = node{port: -1}
	}
}

func coordinator(e *editor, f *wire.Field) action {
	switch f.Name {
	case "Coordinators":
		return enter
	case "NodeId":
		if f.Path != f.Name { // of a key
			e.coordinate(e.int32())
		}
		if !e.missing {
			return keep
		}
		e.writeInt(f, -1)
		return done
	case "Host":
		e.writeString(f, e.node.host)
		return done
	case "Port":
		e.writeInt(f, e.node.port)
		return done
	case "ErrorCode":
		if !e.missing {
			return keep
		}
		e.writeInt(f, coordinatorNotAvailable)
		return done
	case "ErrorMessage":
		if !e.missing {
			return keep
		}
		e.out = wire.AppendNullString(e.out, f.Flexible())
		e.off = f.End(e.body, e.off)
		return done
	}
	return keep
}
