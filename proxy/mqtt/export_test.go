package mqtt

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

// Derive makes the id of a client at the broker.
var Derive = derive

// Decide is a set of rules as a function.
type Decide func(action plan.Action, name string, qos byte, retain bool) (reason string)

func (d Decide) decide(action plan.Action, name []byte, qos byte, retain bool) string {
	return d(action, string(name), qos, retain)
}

// NewWith is the MQTT protocol with rules.
func NewWith(d Decide) proxy.Protocol {
	return protocol{func(*proxy.Session, *sasl.Principal) rules { return d }}
}
