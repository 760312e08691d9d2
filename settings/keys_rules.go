package settings

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// The perspectives: who the clients of the gateway are to the application that the document describes.
const (
	Application  = "application"  // the application itself
	Counterparty = "counterparty" // those that it exchanges messages with
	Either       = "either"       // it is not said, so the direction of an operation is not enforced
)

// Grant is something that the settings allow beyond the document.
type Grant struct {
	At
	Principal Value[string] // name; "*": every principal
	Actions   []plan.Action // empty for groups and transactions
	Kind      string        // topic, group or transaction
	Name      string        // exactly this one, or
	Prefix    string        // everything that begins so
}

// Parameter is what the settings say of a {parameter} in the addresses of a server's channels.
type Parameter struct {
	At
	Name      string
	Dots      Value[bool]
	Principal Value[string] // "name", or an attribute of the principal that the value must equal
}

func (r *reader) enforce(to *Value[plan.Enforce]) func(node) {
	return func(n node) {
		var v Value[string]
		if r.choice(&v, string(plan.Connections), string(plan.Operations), string(plan.Observe))(n); v.Stated() {
			*to = Value[plan.Enforce]{v.At, plan.Enforce(v.V)}
		}
	}
}

// grant reads an item of grants: a principal, and one topic, group or transaction.
func (r *reader) grant(s *Settings, n node) {
	g := Grant{At: n.at}
	var topic, group, transaction Value[string]
	var actions []Value[string]
	before := len(r.problems)
	if !r.object(n, "a grant", keys{
		"principal":   r.text(&g.Principal),
		"topic":       r.text(&topic),
		"group":       r.text(&group),
		"transaction": r.text(&transaction),
		"actions":     r.actions(&actions),
	}) {
		return
	}
	r.needs(n, "a grant", "principal")
	for kind, name := range map[string]Value[string]{"topic": topic, "group": group, "transaction": transaction} {
		switch {
		case !name.Stated():
		case g.Kind != "":
			r.fault(n.at, "settings/invalid-value", "write a grant for each", "a grant has one of topic, group and transaction")
		default:
			g.Kind, g.Name = kind, name.V
		}
	}
	for _, a := range actions {
		g.Actions = append(g.Actions, plan.Action(a.V))
	}
	if prefix, ok := strings.CutSuffix(g.Name, "*"); ok {
		g.Name, g.Prefix = "", prefix
	}
	switch {
	case len(r.problems) > before:
	case g.Kind == "":
		r.fault(n.at, "settings/missing-key", "write topic: NAME, group: NAME or transaction: NAME", "a grant needs what it grants")
	case g.Kind == "topic" && len(g.Actions) == 0:
		r.fault(n.at, "settings/missing-key", "write actions: [produce, consume], or one of them", "a grant of a topic needs actions")
	case g.Kind != "topic" && len(g.Actions) > 0:
		r.fault(actions[0].At, "settings/invalid-value", "leave actions out", "a grant of a %s is for any use of it", g.Kind)
	case strings.Contains(g.Name+g.Prefix, "*"):
		r.fault(n.at, "settings/invalid-value", "write one * at the end, or none", "only the last character of a name can be *")
	default:
		s.Grants = append(s.Grants, g)
	}
}

func (r *reader) actions(to *[]Value[string]) func(node) {
	return func(n node) {
		r.items(n, "a list of actions", func(item node) {
			var v Value[string]
			r.choice(&v, string(plan.Produce), string(plan.Consume), string(plan.Create), string(plan.Delete))(item)
			if v.Stated() && !slices.ContainsFunc(*to, func(old Value[string]) bool { return old.V == v.V }) {
				*to = append(*to, v)
			}
		})
	}
}

// parameters reads what a server says of parameters.
func (r *reader) parameters(s *Server, n node) {
	r.members(n, func(key string, keyAt At, val node) {
		p := Parameter{At: keyAt, Name: key}
		r.object(val, "a parameter", keys{"dots": r.flag(&p.Dots), "principal": r.text(&p.Principal)})
		s.Parameters = append(s.Parameters, p)
	})
}
