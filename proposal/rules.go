package proposal

import (
	"slices"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// stripped is a rule as far as topics and direction go.
func stripped(r plan.Rule) plan.Rule {
	r.Stated, r.Alternatives, r.Narrow = false, nil, plan.Narrow{}
	r.Segments = slices.Clone(r.Segments)
	for i, s := range r.Segments {
		if s.Parameter != nil && s.Parameter.Principal != "" {
			p := *s.Parameter
			p.Principal = ""
			r.Segments[i].Parameter = &p
		}
	}
	return r
}

func (m *maker) rules() map[*plan.Server][]plan.Rule {
	all := map[*plan.Server][]plan.Rule{}
	for _, s := range m.servers {
		all[s] = nil
	}
	return all
}

// nobody is a principal that no grant names.
const nobody = "\x00"

// deciders are those of somebody whom only these rules and grants allow anything.
func deciders(all map[*plan.Server][]plan.Rule, grants []plan.Grant, who string) (map[*plan.Server]policy.Decider, error) {
	p := &plan.Plan{Enforce: plan.Operations, Grants: grants}
	out := map[*plan.Server]policy.Decider{}
	for s, rules := range all {
		server := *s
		server.Rules = rules
		compiled, err := policy.Compile(p, &server)
		if err != nil {
			return nil, err
		}
		out[s] = compiled.Subject(nil, &sasl.Principal{Name: who})
	}
	return out, nil
}
