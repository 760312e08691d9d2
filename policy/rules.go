package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// Rules are what the operations of one server, and the grants of its plan, allow; compiled. They never change: with
// another plan there are other rules.
type Rules struct {
	server    *plan.Server
	language  *language
	topics    index
	rules     []*rule // in the order of the plan
	clauses   []clause
	grants    grants
	admins    map[string]bool
	groups    map[string][]*rule // by group: whose groupId binding lists it
	patterned []*rule            // whose groupId binding has no list but a pattern
}

// rule is one rule of the plan, compiled.
type rule struct {
	*plan.Rule
	template
	parts  [][]piece // of the address, between separators
	order  int       // in the plan
	clause int       // in Rules.clauses; -1: the operation states no security
	group  *values
}

// clause is the security of operations: one of the alternatives must be met. Many operations share one.
type clause []plan.Alternative

// values is a compiled plan.Values.
type values struct {
	*plan.Values
	pattern *regexp.Regexp
}

func (v *values) accept(s string) bool {
	return (len(v.Enum) == 0 || slices.Contains(v.Enum, s)) && (v.pattern == nil || v.pattern.MatchString(s))
}

// Compile makes the rules of one server of a plan. It fails for a pattern that is no RE2 expression, and for a server
// whose protocol has no rules here; the compiler of plans has reported both.
func Compile(p *plan.Plan, server *plan.Server) (*Rules, error) {
	r := &Rules{server: server, admins: make(map[string]bool, len(p.Admins)), groups: make(map[string][]*rule)}
	switch protocol := strings.ToLower(server.Protocol); protocol {
	case "kafka", "kafka-secure":
		r.language = &kafka
	case "mqtt", "mqtts", "secure-mqtt", "mqtt5", "ws", "wss":
		r.language = &mqtt
	default:
		return nil, fmt.Errorf("protocol %s has no rules", protocol)
	}
	r.topics.language = r.language
	for _, name := range p.Admins {
		r.admins[name] = true
	}
	known := make(map[string]int)
	for i := range server.Rules {
		compiled, err := r.rule(&server.Rules[i], i, known)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: operation %s: %w", server.Rules[i].File, server.Rules[i].Line, server.Rules[i].Operation, err)
		}
		r.rules = append(r.rules, compiled)
		if len(compiled.pieces) > 0 { // an address that is not known is no address
			r.topics.add(compiled)
		}
	}
	r.grants.add(p.Grants)
	return r, nil
}

func (r *Rules) rule(p *plan.Rule, order int, known map[string]int) (*rule, error) {
	t, err := compileTemplate(p.Segments, r.language)
	if err != nil {
		return nil, err
	}
	c := &rule{Rule: p, template: t, parts: r.topics.parts(t.pieces), order: order, clause: -1}
	if p.Stated {
		c.clause = r.intern(p.Alternatives, known)
	}
	if err := r.bind(c); err != nil {
		return nil, fmt.Errorf("pattern of groupId: %w", err)
	}
	return c, nil
}

// bind compiles the groupId binding of a rule, if it has one that says something.
func (r *Rules) bind(c *rule) (err error) {
	g := c.Narrow.GroupID
	if g == nil || c.Action != Consume || len(g.Enum) == 0 && g.Pattern == "" {
		return nil
	}
	c.group = &values{Values: g}
	if g.Pattern != "" {
		if c.group.pattern, err = regexp.Compile(g.Pattern); err != nil {
			return err
		}
	}
	for _, name := range g.Enum {
		r.groups[name] = append(r.groups[name], c)
	}
	if len(g.Enum) == 0 {
		r.patterned = append(r.patterned, c)
	}
	return nil
}

// intern gives equal securities one place, so that a principal is held against each once.
func (r *Rules) intern(alternatives []plan.Alternative, known map[string]int) int {
	key := fmt.Sprintf("%#v", alternatives)
	i, ok := known[key]
	if !ok {
		i = len(r.clauses)
		known[key] = i
		r.clauses = append(r.clauses, alternatives)
	}
	return i
}
