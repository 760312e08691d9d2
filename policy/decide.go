package policy

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// Decider answers what a principal may do. [Subject] is the one there is.
type Decider interface {
	// Decide answers for one action on one resource. What no operation of the document and no grant allows is denied. It
	// allocates nothing unless a parameter of the matching address has a pattern, and takes about as long with ten thousand
	// rules as with one.
	Decide(action plan.Action, resource Resource) Decision
}

// Decide answers for one action on one resource; see [Decider].
func (s *Subject) Decide(action plan.Action, resource Resource) Decision {
	switch {
	case resource.Name == "":
		return Decision{Reason: reasonEmpty}
	case s.admin:
		return Decision{Allowed: true, Reason: reasonAdmin}
	case resource.Kind == Topic && s.rules.language == &mqtt:
		return s.mqttTopic(action, &resource)
	case resource.Kind == Topic:
		return s.kafkaTopic(action, &resource)
	}
	return s.id(action, &resource)
}

// The topics of Kafka's own (org.apache.kafka.common.internals.Topic): no rule and no grant reaches them.
var internal = []string{"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"}

func (s *Subject) kafkaTopic(action plan.Action, resource *Resource) Decision {
	name, reserved := resource.Name, strings.HasPrefix(resource.Name, "__")
	switch {
	case !legalKafka(name):
		return Decision{Reason: reasonTopicName}
	case reserved && slices.Contains(internal, name):
		return Decision{Reason: reasonInternal}
	}
	if g := s.granted(Topic, name, action, reserved); g != nil {
		return Decision{Allowed: true, Reason: reasonGranted, Grant: g}
	}
	d := s.search(action, resource, name)
	if reserved && !d.Allowed && d.Rule == nil {
		d.Reason = reasonReserved
	}
	return d
}

// search looks for an operation that allows an action on a topic.
func (s *Subject) search(action plan.Action, resource *Resource, name string) Decision {
	if action != Produce && action != Consume && action != Describe {
		return Decision{Reason: reasonUnknown}
	}
	q := question{subject: s, action: action, resource: *resource, name: name}
	s.rules.topics.find(name, &q)
	if q.allowed != nil {
		return Decision{Allowed: true, Reason: reasonOperation, Rule: q.allowed.Rule}
	}
	if q.nearest == nil {
		return Decision{Reason: reasonUnknown}
	}
	return Decision{Reason: q.reason, Rule: q.nearest.Rule}
}

// question is one search, and what it has found so far.
type question struct {
	subject  *Subject
	action   plan.Action
	resource Resource
	name     string // or the filter

	allowed *rule // the first in the plan that allows it
	nearest *rule // of the others, the one that lacks least
	rank    int
	reason  string
}

// visit judges one rule whose address could be the name.
func (q *question) visit(r *rule) {
	if r.plain || matches(r.pieces, q.name, q.subject.rules.language, q.subject) {
		q.consider(r)
	}
}

// consider judges a rule whose address is the name.
func (q *question) consider(r *rule) {
	if q.allowed != nil && q.allowed.order <= r.order {
		return
	}
	rank, reason := q.judge(r)
	switch {
	case reason == "":
		q.allowed = r
	case rank == nearUnknown:
	case q.nearest == nil || rank > q.rank || rank == q.rank && r.order < q.nearest.order:
		q.nearest, q.rank, q.reason = r, rank, reason
	}
}

// judge says what a rule lacks; no reason: it allows.
func (q *question) judge(r *rule) (rank int, reason string) {
	s := q.subject
	switch {
	case s.rules.language == &kafka && strings.HasPrefix(q.name, "__") && !r.literal(),
		s.rules.language == &mqtt && q.name[0] == '$' && r.pieces[0].parameter != nil:
		return nearUnknown, reasonReserved
	case q.action != Describe && r.Action != q.action:
		return nearDirection, reasonDirection
	}
	if lack := s.lack(r); lack != "" {
		return nearSecurity, lack
	}
	if narrow := q.narrow(r); narrow != "" {
		return nearNarrow, narrow
	}
	return 0, ""
}

// literal reports whether the address has no parameter.
func (r *rule) literal() bool { return len(r.pieces) == 1 && r.pieces[0].parameter == nil }

// narrow says what a binding of the operation forbids; empty: nothing.
func (q *question) narrow(r *rule) string {
	n := &r.Narrow
	switch {
	case r.group != nil && r.Action == Consume && q.resource.Group != "" && !r.group.accept(q.resource.Group):
		return "the groupId binding of the operation does not allow the group"
	case q.subject.rules.language != &mqtt:
	case len(n.QoS) > 0 && !slices.Contains(n.QoS, int(q.resource.QoS)):
		return "the qos binding of the operation does not allow that QoS"
	case n.Retain != nil && r.Action == Produce && *n.Retain && !q.resource.Retain:
		return "the retain binding of the operation asks for the retain flag"
	case n.Retain != nil && r.Action == Produce && !*n.Retain && q.resource.Retain:
		return "the retain binding of the operation forbids the retain flag"
	}
	return ""
}

// id decides on a group or a transactional id.
func (s *Subject) id(action plan.Action, resource *Resource) Decision {
	if action != Use && action != Describe && action != Consume && action != Produce && action != Delete {
		return Decision{Reason: reasonAction}
	}
	if s.owns(resource.Name) {
		return Decision{Allowed: true, Reason: reasonOwnName}
	}
	if action != Describe {
		action = Use // there is one right to a group, and one to a transactional id
	}
	if g := s.granted(resource.Kind, resource.Name, action, false); g != nil {
		return Decision{Allowed: true, Reason: reasonGranted, Grant: g}
	}
	if resource.Kind == Group {
		if r := s.bound(resource.Name); r != nil {
			return Decision{Allowed: true, Reason: reasonBound, Rule: r.Rule}
		}
	}
	return Decision{Reason: reasonForeignID}
}

// bound is an operation that the principal may do and whose binding names the group.
func (s *Subject) bound(group string) *rule {
	for _, rules := range [...][]*rule{s.rules.groups[group], s.rules.patterned} {
		for _, r := range rules {
			if r.group.accept(group) && s.lack(r) == "" && s.tied(r) {
				return r
			}
		}
	}
	return nil
}
