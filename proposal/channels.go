package proposal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// channel is what the proposal says of one address: on all of its servers the same actions.
type channel struct {
	address string
	levels  []string
	enums   [][]string
	servers []*plan.Server // in the order of the document
	verbs   []string       // of operations, in order
	by      map[string][]*candidate
	old     *asyncapi.Channel // that the document has for this; nil: it is new
}

// verb is the word of the document for an action of clients.
func (m *maker) verb(a plan.Action) string {
	produces := a == plan.Produce
	if m.perspective == "counterparty" {
		produces = !produces
	}
	switch {
	case m.doc.Major == 2 && produces:
		return "subscribe"
	case m.doc.Major == 2:
		return "publish"
	case produces:
		return "send"
	}
	return "receive"
}

// group makes channels. Servers share one only if exactly the same is to be allowed on all of them: an operation counts for
// every server of its channel.
func (m *maker) group(wanted []*candidate) []*channel {
	type spot struct{ server, names string }
	actions := map[spot]string{}
	for _, c := range wanted {
		actions[spot{c.server.Name, c.names()}] += string(c.action) + " "
	}
	var all []*channel
	byKey := map[[2]string]*channel{}
	for _, c := range wanted {
		key := [2]string{c.names(), actions[spot{c.server.Name, c.names()}]}
		ch := byKey[key]
		if ch == nil {
			ch = &channel{address: c.address, levels: c.levels, enums: c.enums, by: map[string][]*candidate{}}
			byKey[key], all = ch, append(all, ch)
		}
		if !slices.Contains(ch.servers, c.server) {
			ch.servers = append(ch.servers, c.server)
		}
		v := m.verb(c.action)
		if ch.by[v] = append(ch.by[v], c); !slices.Contains(ch.verbs, v) {
			ch.verbs = append(ch.verbs, v)
		}
	}
	var kept []*channel
	taken := map[string]bool{} // addresses of 2.x
	for _, ch := range all {
		slices.Sort(ch.verbs)
		slices.SortFunc(ch.servers, func(a, b *plan.Server) int { return cmp.Compare(m.order(a), m.order(b)) })
		ch.old = m.existing(ch)
		if why := m.unplaceable(ch, taken[ch.address]); why != "" {
			m.leaveChannelOut(ch, why)
			continue
		}
		taken[ch.address] = true
		kept = append(kept, ch)
		m.want(ch)
	}
	return kept
}

// names tells channels apart: their address, and the values of its parameters.
func (c *candidate) names() string {
	all := c.address
	for _, values := range c.enums {
		all += "\x00\x00" + strings.Join(values, "\x00")
	}
	return all
}

// order is where a server stands in the document.
func (m *maker) order(s *plan.Server) int {
	return slices.IndexFunc(m.plan.Servers, func(p plan.Server) bool { return p.Name == s.Name })
}

func (m *maker) want(ch *channel) {
	for _, v := range ch.verbs {
		m.out.Operations++
		for _, c := range ch.by[v] {
			if c.allows = []plan.Action{c.action}; m.perspective == "either" {
				c.allows = []plan.Action{plan.Produce, plan.Consume}
			}
			m.out.wanted = append(m.out.wanted, c)
		}
	}
	if ch.old == nil {
		m.out.Channels++
	}
}

func (m *maker) leaveChannelOut(ch *channel, why string) {
	for _, v := range ch.verbs {
		for _, c := range ch.by[v] {
			for i := range c.seen {
				m.leaveOut(&c.seen[i], "%s", why)
			}
		}
	}
}

// existing is the document's channel of that address on exactly these servers, if operations can be added to it.
func (m *maker) existing(ch *channel) *asyncapi.Channel {
	for i := range m.doc.Channels {
		c := &m.doc.Channels[i]
		if !c.Address.Stated() || c.Address.Value != ch.address || c.Broken || len(ch.levels) > 0 || c.Kafka != nil && c.Kafka.Topic.Stated() {
			continue
		}
		same := true
		for j := range m.plan.Servers {
			s := &m.plan.Servers[j]
			on := len(c.Servers) == 0 || slices.ContainsFunc(c.Servers, func(r asyncapi.ServerReference) bool { return r.Name == s.Name })
			same = same && on == slices.ContainsFunc(ch.servers, func(p *plan.Server) bool { return p.Name == s.Name })
		}
		if same {
			return c
		}
	}
	return nil
}

// unplaceable says why a document of 2.x has no place for a channel; 3.x has one for every channel. In 2.x an address is a
// key, so that there is one channel of it, and before 2.2 a channel is on every server.
func (m *maker) unplaceable(ch *channel, taken bool) string {
	if m.doc.Major != 2 {
		return ""
	}
	switch {
	case strings.HasPrefix(ch.address, "x-"):
		return "in AsyncAPI 2 a channel that begins with x- is an extension"
	case taken:
		return "AsyncAPI 2 has one channel of that address, and another server is to allow something else there"
	case ch.old != nil && ch.old.Definition.Pointer != ch.old.Pointer:
		return "the channel is a reference, and its operations stand elsewhere"
	case ch.old != nil:
		return ""
	case slices.ContainsFunc(m.doc.Channels, func(c asyncapi.Channel) bool { return c.Name == ch.address }):
		return "the document has that channel for other servers too, or not for this one"
	case m.doc.Minor < 2 && len(ch.servers) != len(m.doc.Servers):
		return fmt.Sprintf("before AsyncAPI 2.2 a channel is on every server of the document, and this is about %d of %d", len(ch.servers), len(m.doc.Servers))
	}
	return ""
}
