package address

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// Produce: from v10 on a tagged field names the new leaders of partitions that have moved (KIP-951). Most responses
// have none, and pass as they are.
func init() {
	editors[0] = rewriting{from: 10, edit: nodeEndpoints, sparse: true}
}

func nodeEndpoints(e *editor, f *wire.Field) action {
	if f.Path == "NodeEndpoints" {
		return e.nodes(f)
	}
	return keep
}
