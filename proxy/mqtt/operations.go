package mqtt

import (
	"sync/atomic"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

// operations hold a principal to the rules of its server, as they are at the moment of each decision. Both pumps ask.
type operations struct {
	session *proxy.Session
	who     atomic.Pointer[sasl.Principal]
	held    atomic.Pointer[held]
}

// held is a principal held against one set of rules.
type held struct {
	rules   *policy.Rules
	who     *sasl.Principal
	subject *policy.Subject
}

// operationsOf are the rules of a connection.
func operationsOf(s *proxy.Session, who *sasl.Principal) rules {
	o := &operations{session: s}
	o.who.Store(who)
	return o
}

// renew takes over the principal of a re-authentication, whose scopes may be others.
func (o *operations) renew(who *sasl.Principal) { o.who.Store(who) }

func (o *operations) decide(action plan.Action, name []byte, qos byte, retain bool) (reason string) {
	state := o.session.Current()
	if state.Rules == nil { // only connections are enforced
		return ""
	}
	h, who := o.held.Load(), o.who.Load()
	if h == nil || h.rules != state.Rules || h.who != who {
		h = &held{state.Rules, who, state.Rules.Subject(o.session.Certificate, who)}
		o.held.Store(h)
	}
	d := h.subject.Decide(action, policy.Resource{Kind: policy.Topic, Name: policy.Text(name), QoS: qos, Retain: retain})
	if d.Allowed {
		return ""
	}
	if state.Observe {
		o.session.Observe("", string(action), "topic:"+string(name), d.Because())
		return ""
	}
	return d.Because()
}
