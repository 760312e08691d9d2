package hostile_test

import (
	"testing"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// enforceMQTT makes a plan enforce operations, and says what they allow everybody. The last two are for the client that
// means well.
func enforceMQTT(p *plan.Plan) {
	calm := allow(plan.Produce, literal("calm"))
	calm.Narrow = plan.Narrow{QoS: []int{0}, Retain: new(bool)}
	p.Enforce = plan.Operations
	for i := range p.Servers {
		p.Servers[i].Rules = []plan.Rule{
			allow(plan.Produce, literal("open")), allow(plan.Consume, literal("open")),
			allow(plan.Produce, literal("own/"), own), allow(plan.Consume, literal("own/"), own),
			allow(plan.Consume, literal("news/"), plan.Segment{Parameter: &plan.Parameter{Name: "id"}}),
			calm,
			allow(plan.Produce, literal("t")), allow(plan.Produce, literal(honestWill)),
		}
	}
}

// TestHostileMQTTOperations has every vector of an MQTT client that wants more than the document allows.
func TestHostileMQTTOperations(t *testing.T) {
	users := inprocess.NewUsers(t, append(odd, "alice/x", "alice", "bob")...)
	s := newMQTTStageOf(t, users, enforceMQTT)
	s.employ()
	calm()
	counts := map[string]*costs{}
	for _, v := range mqttVectors(t, "M*-rules") {
		if counts[v.class] == nil {
			counts[v.class] = &costs{}
		}
		s.try(v, counts[v.class])
	}
	report(t, counts, s.worked)
}
