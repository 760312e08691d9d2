package mqtt_test

import (
	"slices"
	"testing"

	"go.uber.org/zap/zaptest/observer"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// rule allows an action on an address of literal text and one parameter after it.
func rule(action plan.Action, literal string, p *plan.Parameter) plan.Rule {
	r := plan.Rule{Action: action, Segments: []plan.Segment{{Literal: literal}}, File: "doc.yml", Line: 1}
	if p != nil {
		r.Segments = append(r.Segments, plan.Segment{Parameter: p})
	}
	return r
}

// What the rules of the plan say counts for messages, filters and deliveries, and another plan counts at once.
func TestOperations(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		p.Enforce = plan.Operations
		p.Servers[0].Rules = []plan.Rule{
			rule(plan.Produce, "lamps/", &plan.Parameter{Name: "id", Principal: "name"}),
			rule(plan.Consume, "lamps/", &plan.Parameter{Name: "id"}),
			rule(plan.Consume, "news", nil),
		}
	})
	alice := w.connected("mqtt", login(wire.V5, "alice", "a"))
	if got := alice.subscribe(1, "lamps/+", "lamps/#", "#", "news", "other", "$share/g/lamps/+"); !slices.Equal(got, []byte{2,
		byte(wire.NotAuthorized), byte(wire.NotAuthorized), 2, byte(wire.NotAuthorized), 2}) {
		t.Errorf("SUBACK %v", got)
	}
	publish := func(topic string, id uint16, want wire.ReasonCode) {
		t.Helper()
		alice.send(message(wire.V5, topic, 1, id, topic))
		for { // its own messages come in between
			h, body, err := alice.next()
			if err != nil {
				t.Fatal(err)
			}
			if h.Type != wire.PUBACK {
				continue
			}
			if a, err := wire.DecodeAck(wire.PUBACK, body, wire.V5); err != nil || a.PacketID != id ||
				(a.Code != want && (want != wire.Success || a.Code >= 0x80)) {
				t.Errorf("%s: %+v, %v; want %s", topic, a, err, want)
			}
			return
		}
	}
	publish("lamps/alice", 1, wire.Success)
	publish("lamps/bob", 2, wire.NotAuthorized)
	publish("news", 3, wire.NotAuthorized)

	p := *w.plan
	p.Servers = slices.Clone(p.Servers)
	p.Servers[0].Rules = []plan.Rule{rule(plan.Produce, "news", nil)}
	if err := w.gateway.Reload(&p); err != nil {
		t.Fatal(err)
	}
	publish("lamps/alice", 4, wire.NotAuthorized)
	publish("news", 5, wire.Success) // which alice is subscribed to, and may not have any more
	w.wait("denied", func(e observer.LoggedEntry) bool {
		return e.ContextMap()["api"] == "delivery" && e.ContextMap()["resource"] == "news"
	})

	p.Enforce = plan.Observe
	if err := w.gateway.Reload(&p); err != nil {
		t.Fatal(err)
	}
	publish("lamps/alice", 6, wire.Success)
	w.wait("observed", func(e observer.LoggedEntry) bool { return e.ContextMap()["resource"] == "produce topic:lamps/alice" })
}

// A filter's + matches an empty level, which no parameter stands for: what comes there is withheld, and what comes after it
// is not.
func TestAnEmptyLevelIsWithheld(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		p.Enforce = plan.Operations
		p.Servers[0].Rules = []plan.Rule{rule(plan.Consume, "lamps/", &plan.Parameter{Name: "id"})}
	})
	alice := w.connected("mqtt", login(wire.V5, "alice", "a"))
	if got := alice.subscribe(1, "lamps/+"); !slices.Equal(got, []byte{2}) {
		t.Fatalf("SUBACK %v", got)
	}
	for _, topic := range []string{"lamps/", "lamps/1"} {
		if err := b.Publish(topic, []byte("on"), false, 0); err != nil {
			t.Fatal(err)
		}
	}
	h, body := alice.want(wire.PUBLISH)
	if p, _, err := wire.DecodePublish(h, body, wire.V5, wire.Server); err != nil || string(p.Topic) != "lamps/1" {
		t.Errorf("%s came, %v", p.Topic, err)
	}
	w.wait("denied", func(e observer.LoggedEntry) bool {
		return e.ContextMap()["api"] == "delivery" && e.ContextMap()["resource"] == "lamps/"
	})
}
