package address

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// Metadata: every version lists the brokers. Leaders, replicas and the controller are ids, and stay; one that is not in
// the list is to a client a broker that is down.
func init() {
	editors[3] = rewriting{edit: brokers}
}

func brokers(e *editor, f *wire.Field) action {
	if f.Path == "Brokers" {
		return e.nodes(f)
	}
	return keep
}
