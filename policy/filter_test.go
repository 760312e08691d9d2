package policy

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
)

func TestMQTTDecisions(t *testing.T) {
	p := &plan.Plan{Grants: []plan.Grant{
		{Principal: "alice", Kind: "topic", Prefix: "home/", Actions: []plan.Action{Consume}},
		{Principal: "alice", Kind: "topic", Name: "garden", Actions: []plan.Action{Consume}},
		{Principal: "alice", Kind: "topic", Prefix: "garden/", Actions: []plan.Action{Consume}},
	}}
	qos := allow(Produce, "q1")
	qos.Narrow.QoS = []int{1}
	yes, no := true, false
	kept, fleeting := allow(Produce, "kept"), allow(Produce, "fleeting")
	kept.Narrow.Retain, fleeting.Narrow.Retain = &yes, &no
	s := compiled(t, p, "mqtt",
		allow(Consume, "sensors/{id}"),
		allow(Consume, "sensors/{id}/{what}", plan.Parameter{Name: "what", Enum: []string{"t", "h"}}),
		allow(Consume, "lamp-{n}/state"),
		allow(Consume, "{room}/{thing}/on"),
		allow(Consume, "$SYS/uptime"),
		allow(Produce, "sensors/{id}", plan.Parameter{Name: "id", Principal: "name"}),
		qos, kept, fleeting,
	).Subject(nil, user("alice"))
	for text, want := range map[string]bool{
		"consume sensors/1": true, "consume sensors/a b.c": true, "consume sensors/+": true, "consume $share/g/sensors/+": true,
		"consume sensors/#": false, "consume #": false, "consume +": false, "consume sensors": false, "consume sensors/": false,
		"consume sensors/+/t": true, "consume sensors/+/+": false, "consume sensors/1/x": false, "consume +/+/on": true,
		"consume +/1/on": true, "consume $share/g/#": false, "consume $share/g": false, "consume $share//sensors/+": false,
		"consume $share/+/sensors/+": false, "consume $share": false, "consume sensors/+x": false, "consume sensors/#/x": false,
		"consume lamp-1/state": true, "consume lamp-/state": false, "consume +/state": false, "consume lamp-+/state": false,
		"consume $SYS/uptime": true, "consume $SYS/a/on": false, "consume $SYS/+": false, "consume $SYS/#": false, "consume": false,
		"consume home/#": false, "consume home/a/#": true, "consume home/+/x": true, "consume home/+/#": true, "consume ho+": false,
		"consume garden/#": true, "consume gardens/#": false, "consume garden/+": true,
		"produce sensors/alice": true, "produce sensors/bob": false, "produce sensors/+": false, "produce sensors/#": false,
		"produce $SYS/uptime": false, "produce home/x": false, "produce sensors/alice\x00": false, "produce q1": false,
		"produce kept": false, "produce fleeting": true,
	} {
		action, name, _ := strings.Cut(text, " ")
		if d := s.Decide(plan.Action(action), Resource{Name: name}); d.Allowed != want {
			t.Errorf("%q: %+v", text, d)
		}
	}
	if !s.Decide(Produce, Resource{Name: "q1", QoS: 1}).Allowed || !s.Decide(Produce, Resource{Name: "kept", Retain: true}).Allowed ||
		s.Decide(Produce, Resource{Name: "fleeting", Retain: true}).Allowed {
		t.Error("bindings of QoS and retain")
	}
}

// matchesFilter is MQTT 5 section 4.7, word for word.
func matchesFilter(filter, topic []string) bool {
	switch {
	case len(filter) == 0:
		return len(topic) == 0
	case filter[0] == "#":
		return true
	case len(topic) == 0:
		return false
	}
	return (filter[0] == "+" || filter[0] == topic[0]) && matchesFilter(filter[1:], topic[1:])
}

// Every topic over a small alphabet up to four levels; "c" stands for all the values that no rule names.
func TestFilterIsAllowedIfEveryTopicIs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2026))
	topics := names([]string{"a", "b", "ab", "aab", "c"}, "/", 4)
	levels := make([][]string, len(topics))
	for i, topic := range topics {
		levels[i] = strings.Split(topic, "/")
	}
	filters := names([]string{"a", "ab", "+"}, "/", 3)
	for _, f := range append([]string{""}, filters...) {
		filters = append(filters, strings.TrimPrefix(f+"/#", "/"))
	}
	rounds, decisions := 60, 0
	for range rounds {
		var rules []plan.Rule
		var model []*regexp.Regexp
		for range 1 + r.IntN(8) {
			text, parameters := chance(r, "/")
			for i := range parameters { // with "c" alone for what is not named, no length may be a bound
				parameters[i].MaxLength = 0
			}
			rule := allow(Consume, text, parameters...)
			rules = append(rules, rule)
			model = append(model, naive(rule.Segments, "[^/+#]"))
		}
		s := compiled(t, &plan.Plan{}, "mqtt", rules...).Subject(nil, user("alice"))
		allowed := make([]bool, len(topics))
		for i, topic := range topics {
			for _, m := range model {
				allowed[i] = allowed[i] || m.MatchString(topic)
			}
			if got := s.Decide(Consume, Resource{Name: topic}).Allowed; got != allowed[i] {
				t.Fatalf("topic %s: %v, rules %v", topic, got, rules)
			}
		}
		for _, filter := range filters {
			want, f := true, strings.Split(filter, "/")
			for i := range topics {
				want = want && (allowed[i] || !matchesFilter(f, levels[i]))
			}
			decisions++
			if got := s.Decide(Consume, Resource{Name: filter}).Allowed; got != want {
				t.Fatalf("filter %s: %v, want %v; rules %v", filter, got, want, rules)
			}
		}
	}
	t.Logf("%d sets of rules × %d topics, %d filters decided", rounds, len(topics), decisions)
}
