package proposal

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
)

// mismatch says that a proposal does not mean what it should.
type mismatch struct{ what, why string }

func (e *mismatch) Error() string {
	return fmt.Sprintf("the proposed document does not mean what was observed: %s: %s", e.what, e.why)
}

// Holds proves a proposal by the plans of the document and of the proposed one: servers and what they ask of clients are the
// same, everything that was allowed still is, and by the same rules, what was observed is allowed now, and nothing else. An
// error is a fault of this package, and the proposal is not to be used.
func (p *Proposal) Holds(before, after *plan.Plan) error {
	if len(before.Servers) != len(after.Servers) {
		return &mismatch{"servers", "there are others"}
	}
	byName := map[string]*plan.Server{}
	rules := map[*plan.Server][]plan.Rule{}
	for i := range after.Servers {
		s := &after.Servers[i]
		if err := p.exact(&before.Servers[i], s); err != nil {
			return err
		}
		if s.Enforced {
			byName[s.Name], rules[s] = s, s.Rules
		}
	}
	all, err := deciders(rules, nil, nobody)
	if err != nil {
		return err
	}
	for _, c := range p.wanted {
		if d := all[byName[c.server.Name]].Decide(c.action, policy.Resource{Kind: policy.Topic, Name: c.name}); !d.Allowed {
			return &mismatch{c.seen[0].String(), d.Reason}
		}
	}
	return p.granted(byName)
}

// exact holds the rules of a server against those that it should have.
func (p *Proposal) exact(before, after *plan.Server) error {
	old, bare := map[string]int{}, *before
	for _, r := range before.Rules {
		old[written(r)]++
	}
	now := *after
	if bare.Rules, now.Rules = nil, nil; jsonOf(bare) != jsonOf(now) {
		return &mismatch{"server " + shown(before.Name), "it asks for something else"}
	}
	kept := 0
	for _, r := range after.Rules {
		if w := written(r); old[w] > 0 {
			old[w]--
			kept++
			continue
		}
		if r.Stated || jsonOf(r.Narrow) != jsonOf(plan.Narrow{}) || !slices.ContainsFunc(p.wanted, func(c *candidate) bool {
			return c.server.Name == after.Name && c.address == r.Address && slices.Contains(c.allows, r.Action) && jsonOf(c.segments) == jsonOf(r.Segments)
		}) {
			return &mismatch{"server " + shown(after.Name), fmt.Sprintf("operation %s allows to %s %s", shown(r.Operation), r.Action, shown(r.Address))}
		}
	}
	if kept != len(before.Rules) {
		return &mismatch{"server " + shown(after.Name), "an operation of the document is gone"}
	}
	return nil
}

// written is a rule wherever it stands.
func written(r plan.Rule) string {
	r.File, r.Line = "", 0
	return jsonOf(r)
}

// jsonOf is a plain value of package plan as something to compare.
func jsonOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types of package plan have nothing that JSON has not
	}
	return string(data)
}
