package main

import (
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// payroll is a topic that the brokers have and no document of the demo speaks of.
const payroll = "payroll"

// work is what alice does at a server once she is in: what the document's operations let her do.
type work struct {
	produce, consume string // topics; empty: nothing to do
	group            string // Kafka: that consume is to be used with
	mayRead, mayFill bool   // whether she may consume from produce, and produce to consume
	enforced         bool   // she may do nothing else
}

// aside is the work where operations are not enforced: to write to a topic, and to read it again.
func aside(s *plan.Server) work {
	topic := "asyncgate.demo"
	if s.MQTT != nil {
		topic = "asyncgate/demo"
	}
	return work{produce: topic, consume: topic, group: "alice", mayRead: true, mayFill: true}
}

// assign finds work for alice at every server. Operations are enforced if each server has some for her, and if the
// document says whose operations they are, which AsyncAPI 2 does not.
func (d *demo) assign(p *plan.Plan) error {
	d.works, d.enforce = map[string]work{}, !strings.HasPrefix(p.AsyncAPI, "2.")
	for i := range p.Servers {
		s := &p.Servers[i]
		if !demonstrable(*s) {
			continue
		}
		w, err := findWork(p, s)
		if err != nil {
			return err
		}
		d.works[s.Name] = w
		d.enforce = d.enforce && (w.produce != "" || w.consume != "")
	}
	for i := range p.Servers {
		if s := &p.Servers[i]; !d.enforce && demonstrable(*s) {
			d.works[s.Name] = aside(s)
		}
	}
	return nil
}

// findWork takes the first operation of each direction that asks for nothing but the server's own security.
func findWork(p *plan.Plan, s *plan.Server) (work, error) {
	rules, err := policy.Compile(p, s)
	if err != nil {
		return work{}, err
	}
	alice := rules.Subject(nil, &sasl.Principal{Name: "alice"})
	may := func(action plan.Action, topic string) bool {
		return alice.Decide(action, policy.Resource{Kind: policy.Topic, Name: topic, QoS: 1}).Allowed
	}
	w := work{group: "alice", enforced: true}
	for i := range s.Rules {
		r := &s.Rules[i]
		topic := exampleTopic(r.Segments)
		switch {
		case !may(r.Action, topic):
		case r.Action == plan.Produce && w.produce == "":
			w.produce = topic
		case r.Action == plan.Consume && w.consume == "":
			w.consume = topic
			if g := r.Narrow.GroupID; g != nil && len(g.Enum) > 0 {
				w.group = g.Enum[0]
			}
		}
	}
	w.mayRead, w.mayFill = may(plan.Consume, w.produce), may(plan.Produce, w.consume)
	return w, nil
}

// exampleTopic is a topic of an address.
func exampleTopic(address []plan.Segment) string {
	var b strings.Builder
	for _, s := range address {
		switch {
		case s.Parameter == nil:
			b.WriteString(s.Literal)
		case len(s.Parameter.Enum) > 0:
			b.WriteString(s.Parameter.Enum[0])
		default:
			b.WriteString(strings.Repeat("1", max(1, s.Parameter.MinLength)))
		}
	}
	return b.String()
}

// mischief is what alice may not do, although she is in.
type mischief struct{ what, produce, consume string }

func (w work) mischief() (all []mischief) {
	if !w.enforced {
		return nil
	}
	if w.consume != "" && !w.mayFill {
		all = append(all, mischief{what: "alice produces where she may only consume", produce: w.consume})
	}
	if w.produce != "" && !w.mayRead {
		all = append(all, mischief{what: "alice consumes where she may only produce", consume: w.produce})
	}
	return append(all, mischief{what: "alice consumes from a topic of no channel", consume: payroll})
}
