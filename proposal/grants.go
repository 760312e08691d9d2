package proposal

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
)

// everybody is how a grant names every principal.
const everybody = "*"

// grantAsk is what grants have to allow.
type grantAsk struct {
	server *plan.Server
	seen   Seen
}

// grant proposes what documents cannot say: groups, transactional ids, topics that are created and deleted.
func (m *maker) grant(server *plan.Server, s *Seen) {
	g := plan.Grant{Principal: s.Principal, Kind: s.Kind, Name: s.Name}
	switch {
	case server.MQTT != nil:
		m.leaveOut(s, "MQTT has no such thing")
		return
	case s.Kind == topicKind:
		g.Actions = []plan.Action{s.Action}
	}
	if why := unwritable(&g); why != "" {
		m.leaveOut(s, "%s", why)
		return
	}
	m.keep(g)
	m.out.asks = append(m.out.asks, grantAsk{server, *s})
}

// unwritable says why the settings cannot have a grant that means exactly this.
func unwritable(g *plan.Grant) string {
	switch {
	case g.Principal == "" || g.Principal == everybody:
		return "a grant cannot name that principal"
	case strings.Contains(g.Name+g.Prefix, "*"):
		return "a star in a grant is the beginning of other names"
	}
	return ""
}

// grantBelow proposes grants for a filter that ends with # and has no other wildcard: a/# is a, and what begins with a/.
func (m *maker) grantBelow(c *candidate) bool {
	above, ok := strings.CutSuffix(c.name, "/#")
	if !ok || above == "" || strings.ContainsAny(above, "+#") {
		return false
	}
	var grants []plan.Grant
	for i := range c.seen {
		one := plan.Grant{Principal: c.seen[i].Principal, Kind: topicKind, Name: above, Actions: []plan.Action{plan.Consume}}
		below := one
		below.Name, below.Prefix = "", above+"/"
		if unwritable(&one) != "" || strings.HasPrefix(above, "$") {
			return false
		}
		grants = append(grants, one, below)
	}
	for i, g := range grants {
		m.keep(g)
		if i%2 == 0 {
			m.out.asks = append(m.out.asks, grantAsk{c.server, c.seen[i/2]})
		}
	}
	return true
}

// keep adds a grant once. What is created and deleted is one grant.
func (m *maker) keep(g plan.Grant) {
	for i := range m.out.grants {
		if old := &m.out.grants[i]; old.Principal == g.Principal && old.Kind == g.Kind && old.Name == g.Name && old.Prefix == g.Prefix {
			for _, a := range g.Actions {
				if !slices.Contains(old.Actions, a) {
					old.Actions = append(old.Actions, a)
				}
			}
			return
		}
	}
	m.out.grants = append(m.out.grants, g)
	m.out.Grants++
}

// grantsText is the block for the settings, in ASCII, so that it can stand in a comment.
func grantsText(grants []plan.Grant) (string, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, g := range grants {
		item := object("principal", text(g.Principal))
		name := g.Name
		if g.Prefix != "" {
			name = g.Prefix + "*"
		}
		put(item, g.Kind, text(name))
		if len(g.Actions) > 0 {
			actions := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			for _, a := range g.Actions {
				actions.Content = append(actions.Content, text(string(a)))
			}
			put(item, "actions", actions)
		}
		item.Style = yaml.FlowStyle
		list.Content = append(list.Content, item)
	}
	out, err := yaml.Dump(object("grants", list), yaml.WithUnicode(false), yaml.WithLineWidth(-1))
	return strings.TrimSpace(string(out)), err
}

// granted proves the grants.
func (p *Proposal) granted(servers map[string]*plan.Server) error {
	for i := range p.asks {
		ask := &p.asks[i]
		server := servers[ask.server.Name]
		all, err := deciders(map[*plan.Server][]plan.Rule{server: nil}, p.grants, ask.seen.Principal)
		if err != nil {
			return err
		}
		kind := map[string]policy.Kind{topicKind: policy.Topic, groupKind: policy.Group, transactionKind: policy.Transaction}[ask.seen.Kind]
		if d := all[server].Decide(ask.seen.Action, policy.Resource{Kind: kind, Name: ask.seen.Name}); !d.Allowed {
			return &mismatch{ask.seen.String(), d.Reason}
		}
	}
	return nil
}
