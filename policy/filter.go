package policy

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/plan"
)

// mqttTopic decides on an MQTT topic, or on a topic filter to subscribe to.
func (s *Subject) mqttTopic(action plan.Action, resource *Resource) Decision {
	name := resource.Name
	if action == Consume {
		filter, ok := unshared(name)
		switch {
		case !ok || !legalFilter(filter):
			return Decision{Reason: reasonFilter}
		case strings.ContainsAny(filter, "+#"):
			return s.filter(resource, filter)
		}
		name = filter
	}
	switch {
	case !legalMQTT(name):
		return Decision{Reason: reasonTopicName}
	case name[0] == '$' && action != Consume:
		return Decision{Reason: reasonSystem}
	}
	if g := s.granted(Topic, name, action, name[0] == '$'); g != nil {
		return Decision{Allowed: true, Reason: reasonGranted, Grant: g}
	}
	return s.search(action, resource, name)
}

// unshared is the filter of a shared subscription, $share/group/filter (MQTT 5 section 4.8.2), or any other filter as it
// is.
func unshared(filter string) (string, bool) {
	rest, shared := strings.CutPrefix(filter, "$share/")
	if !shared {
		return filter, filter != "$share"
	}
	group, rest, found := strings.Cut(rest, "/")
	return rest, found && group != "" && !strings.ContainsAny(group, "+#")
}

// legalFilter is MQTT 5 section 4.7.1: a wildcard is a whole level, and # the last.
func legalFilter(filter string) bool {
	if filter == "" || len(filter) > math.MaxUint16 || strings.Contains(filter, "\x00") || !utf8.ValidString(filter) {
		return false
	}
	for rest, more := filter, true; more; {
		var level string
		level, rest, more = cut(rest, '/')
		if len(level) > 1 && strings.ContainsAny(level, "+#") || level == "#" && more {
			return false
		}
	}
	return true
}

// filter decides on a filter with wildcards: it is allowed only if one operation or grant allows every topic that it can
// match. That several together might is not looked at: where each of their parameters is narrowed, no finite number of
// them covers what + matches, and where one is not, it does so alone.
func (s *Subject) filter(resource *Resource, filter string) Decision {
	wildcard := strings.IndexAny(filter, "+#")
	if g := s.grantedBelow(filter, wildcard, resource); g != nil {
		return Decision{Allowed: true, Reason: reasonGranted, Grant: g}
	}
	q := containment{question{subject: s, action: Consume, resource: *resource, name: filter}}
	contain(&s.rules.topics.root, filter, &q)
	switch {
	case q.allowed != nil:
		return Decision{Allowed: true, Reason: reasonOperation, Rule: q.allowed.Rule}
	case q.nearest != nil:
		return Decision{Reason: q.reason, Rule: q.nearest.Rule}
	}
	return Decision{Reason: reasonUncontained}
}

// grantedBelow returns the grant of a prefix that all topics of the filter begin with. a/# matches a as well, which must
// then be allowed for itself.
func (s *Subject) grantedBelow(filter string, wildcard int, resource *Resource) *plan.Grant {
	before := filter[:wildcard]
	if before == "" {
		return nil
	}
	g := s.granted(Topic, before, Consume, filter[0] == '$')
	if g == nil || g.Prefix == "" || !strings.HasPrefix(before, g.Prefix) {
		return nil
	}
	if parent, ok := strings.CutSuffix(filter, "/#"); ok && len(parent) == wildcard-1 && !strings.HasPrefix(parent, g.Prefix) {
		of := *resource
		of.Name = parent
		if !s.mqttTopic(Consume, &of).Allowed {
			return nil
		}
	}
	return g
}

// containment is the question about a filter.
type containment struct{ question }

func (q *containment) visit(r *rule) {
	if q.contains(r) {
		q.consider(r)
	}
}

// contains reports whether every topic of the filter has the rule's address.
func (q *containment) contains(r *rule) bool {
	rest, more := q.name, true
	for i, part := range r.parts {
		if !more {
			return false
		}
		var level string
		level, rest, more = cut(rest, '/')
		whole := len(part) == 1 && part[0].parameter != nil
		switch {
		case level == "#":
			return false // an address has so many levels, and no more
		case level == "+":
			if !whole || part[0].parameter.narrowed() {
				return false
			}
		case whole && i == 0 && strings.HasPrefix(level, "$"):
			return false
		case !matches(part, level, q.subject.rules.language, q.subject):
			return false
		}
	}
	return !more
}

// contain shows the rules whose address could contain a filter: as [find] does for a name, but + is only in a parameter.
func contain(n *node, filter string, q *containment) {
	level, rest, more := cut(filter, '/')
	next := func(n *node) {
		switch {
		case n == nil:
		case more:
			contain(n, rest, q)
		default:
			for _, r := range n.rules {
				q.visit(r)
			}
		}
	}
	if level == "#" {
		return
	}
	next(n.any)
	if level == "+" {
		return
	}
	if n.many != nil {
		next(n.many[level])
	}
	for _, b := range n.literal {
		if b.part == level {
			next(b.next)
		}
	}
	if n.partials != nil {
		for _, of := range n.partials.of {
			for _, p := range of {
				next(p.next)
			}
		}
	}
}
