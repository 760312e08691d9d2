package mqtt

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

// rules decide what the principal of a connection may do. The reason is for the operator; none: it is allowed. The name is
// that of a topic, or for a subscription its filter, and is only valid during the call.
type rules interface {
	decide(action plan.Action, name []byte, qos byte, retain bool) (reason string)
}

// everything allows what the connection may: who got in may use every topic that the gateway may use. It is what
// plan.Connections enforces.
type everything struct{}

func (everything) decide(plan.Action, []byte, byte, bool) string { return "" }

// unruled lets every principal do everything.
func unruled(*proxy.Session, *sasl.Principal) rules { return everything{} }

// publishable says why nobody, or not this principal, may publish to a topic; empty: it may. What begins with $ is the
// broker's own to write: $SYS, $CONTROL, $share.
func (c *connection) publishable(topic []byte, qos byte, retain bool) string {
	if len(topic) > 0 && topic[0] == '$' {
		return "topics that begin with $ are the broker's own"
	}
	return c.rules.decide(plan.Produce, topic, qos, retain)
}
