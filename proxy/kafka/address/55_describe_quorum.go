package address

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// DescribeQuorum: from v2 on the listeners of each node of the KRaft quorum (KIP-853). A node that the gateway serves
// shows its address there for each of them, any other an empty list.
func init() {
	editors[55] = rewriting{from: 2, edit: quorum}
}

func quorum(e *editor, f *wire.Field) action {
	switch f.Path {
	case "Nodes":
		return enter
	case "Nodes.NodeId":
		e.node = e.lookup(e.int32())
	case "Nodes.Listeners":
		return e.listeners(f)
	}
	return keep
}

// listeners edits the listeners of the node that was looked up last.
func (e *editor) listeners(f *wire.Field) action {
	flexible := f.Flexible()
	n, size := wire.Count(e.body[e.off:], flexible)
	if n <= 0 {
		return keep
	}
	e.changed = true
	if !e.node.ok {
		e.out = wire.AppendCount(e.out, flexible, 0)
		e.off = f.End(e.body, e.off)
		return done
	}
	e.copyTo(e.off + size)
	for range n {
		end := f.Elem.End(e.body, e.off)
		e.element(f.Elem.Struct, e.node)
		e.copyTo(end)
	}
	return done
}
