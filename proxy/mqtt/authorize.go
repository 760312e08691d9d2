package mqtt

import "github.com/asyncgate/asyncgate/plan"

// rules decide what the principal of a connection may do. The reason is for the operator; none: it is allowed. The name is
// that of a topic, or for a subscription its filter, and is only valid during the call.
type rules interface {
	decide(action plan.Action, name []byte, qos byte, retain bool) (reason string)
}

// publishable says why nobody, or not this principal, may publish to a topic; empty: it may. What begins with $ is the
// broker's own to write: $SYS, $CONTROL, $share.
func (c *connection) publishable(topic []byte, qos byte, retain bool) string {
	if len(topic) > 0 && topic[0] == '$' {
		return "topics that begin with $ are the broker's own"
	}
	return c.rules.decide(plan.Produce, topic, qos, retain)
}
