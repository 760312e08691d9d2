package policy

import (
	"slices"

	"github.com/asyncgate/asyncgate/plan"
)

// everybody is the principal of a grant for all.
const everybody = "*"

// grants are those of a plan, by principal.
type grants struct {
	of map[string]*granted
}

// granted is what one principal is granted, by name and by prefix.
type granted struct {
	exact   map[grantKey][]*plan.Grant
	prefix  map[grantKey][]*plan.Grant
	lengths []int // of the prefixes, ascending
}

type grantKey struct {
	kind string
	text string
}

func (g *grants) add(all []plan.Grant) {
	g.of = make(map[string]*granted)
	for i := range all {
		grant := &all[i]
		to := g.of[grant.Principal]
		if to == nil {
			to = &granted{exact: make(map[grantKey][]*plan.Grant), prefix: make(map[grantKey][]*plan.Grant)}
			g.of[grant.Principal] = to
		}
		if grant.Name != "" {
			key := grantKey{grant.Kind, grant.Name}
			to.exact[key] = append(to.exact[key], grant)
		}
		if grant.Prefix != "" {
			key := grantKey{grant.Kind, grant.Prefix}
			to.prefix[key] = append(to.prefix[key], grant)
			if n := len(grant.Prefix); !slices.Contains(to.lengths, n) {
				to.lengths = append(to.lengths, n)
			}
		}
	}
	for _, to := range g.of {
		slices.Sort(to.lengths)
	}
}

// find returns a grant for an action on a resource of that name; nil: there is none. If exact, prefixes do not count.
func (g *granted) find(kind, name string, action plan.Action, exact bool) *plan.Grant {
	if g == nil {
		return nil
	}
	if grant := first(g.exact[grantKey{kind, name}], action); grant != nil {
		return grant
	}
	if exact {
		return nil
	}
	for _, n := range g.lengths {
		if n > len(name) {
			return nil
		}
		if grant := first(g.prefix[grantKey{kind, name[:n]}], action); grant != nil {
			return grant
		}
	}
	return nil
}

func first(all []*plan.Grant, action plan.Action) *plan.Grant {
	for _, g := range all {
		if covers(g, action) {
			return g
		}
	}
	return nil
}

// covers reports whether a grant is one for the action. Whoever may do something with a thing may see it. A grant of
// topics without actions allows nothing.
func covers(g *plan.Grant, action plan.Action) bool {
	if g.Kind != Topic.String() && len(g.Actions) == 0 {
		return action == Use || action == Describe
	}
	for _, a := range g.Actions {
		if a == action || action == Describe {
			return true
		}
	}
	return false
}

// Use and the others are the actions that are no operation's; package plan has their meaning.
const (
	Produce  = plan.Produce
	Consume  = plan.Consume
	Describe = plan.Describe
	Use      = plan.Use
	Create   = plan.Create
	Delete   = plan.Delete
)
