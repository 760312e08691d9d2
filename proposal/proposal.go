package proposal

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/topic"
)

// Proposal is a document that allows what was observed.
type Proposal struct {
	Document   []byte   // YAML
	Operations int      // that are new
	Channels   int      // that are new
	Grants     int      // that the settings need besides; they stand in the comment at the top
	LeftOut    []string // what the document does not allow, and why, in order
	Notes      []string // what else there is to say, in order

	wanted []*candidate
	grants []plan.Grant
	asks   []grantAsk
}

// candidate is something that an operation shall allow.
type candidate struct {
	server   *plan.Server
	action   plan.Action
	name     string // of the topic; of a filter with + it is the filter
	address  string // name, with a parameter for each +
	segments []plan.Segment
	levels   []string   // the parameters
	enums    [][]string // their only values; nil: any
	seen     []Seen     // by whom
	allows   []plan.Action
}

// maker makes one proposal.
type maker struct {
	doc         *asyncapi.Document
	plan        *plan.Plan
	perspective string
	record      *Record
	out         *Proposal
	servers     map[string]*plan.Server
	describes   []Seen // what was only looked at
}

// Make proposes a document. The text is that of the document, which is one file without a fault, and the plan was made of it.
// The perspective is the settings'; empty is that of the document's version, and an error for AsyncAPI 2, which has none.
//
// The proposal is the document itself, in its own version, and whatever stands in it stays: an operator compares the two, and
// moving a document to another version is not what was asked for.
// Topics of a template's shape become one channel, of the first template that they have the shape of.
func Make(doc *asyncapi.Document, text []byte, p *plan.Plan, perspective string, r *Record, templates []*Template) (*Proposal, error) {
	switch {
	case len(doc.Files) > 0:
		return nil, fmt.Errorf("%s refers to other files (%s), and a proposal is made of one: bundle the document first", doc.File, doc.Files[0])
	case doc.Major == 2 && perspective == "":
		return nil, errors.New("AsyncAPI 2 does not say whose actions its operations are: write perspective: application, or perspective: counterparty, into the settings")
	}
	m := &maker{doc: doc, plan: p, perspective: cmp.Or(perspective, "application"), record: r, out: &Proposal{}, servers: map[string]*plan.Server{}}
	for i := range p.Servers {
		if s := &p.Servers[i]; s.Enforced {
			m.servers[s.Name] = s
		}
	}
	wanted := m.sort()
	wanted, err := m.possible(wanted)
	if err != nil {
		return nil, err
	}
	wanted, inside := m.contained(wanted)
	channels := m.group(m.fold(wanted, templates))
	m.out.wanted = append(m.out.wanted, inside...)
	m.describe()
	slices.Sort(m.out.LeftOut)
	m.out.Document, err = m.write(text, channels)
	return m.out, err
}

func (m *maker) leaveOut(s *Seen, format string, args ...any) {
	m.out.LeftOut = append(m.out.LeftOut, s.String()+": "+fmt.Sprintf(format, args...))
}

// sort tells what operations can allow from what grants can, and both from what neither can. Its result is in order.
func (m *maker) sort() []*candidate {
	type key struct {
		server string
		action plan.Action
		name   string
	}
	all := map[key]*candidate{}
	for _, s := range slices.SortedFunc(maps.Keys(m.record.seen), compare) {
		server := m.servers[s.Server]
		switch {
		case server == nil:
			m.leaveOut(&s, "the document has no such server, or it is not enforced")
		case s.Action == plan.Describe, s.Name == anyTopic && server.MQTT == nil:
			m.describes = append(m.describes, s)
		case s.Kind != topicKind || s.Action == plan.Create || s.Action == plan.Delete:
			m.grant(server, &s)
		case s.Action != plan.Produce && s.Action != plan.Consume:
			m.leaveOut(&s, "no operation and no grant allows that action")
		default:
			name := s.Name
			if server.MQTT != nil && s.Action == plan.Consume {
				_, name, _ = topic.Unshare(name)
			}
			k := key{s.Server, s.Action, name}
			if all[k] == nil {
				all[k] = newCandidate(server, s.Action, name)
			}
			all[k].seen = append(all[k].seen, s)
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.address, b.address), cmp.Compare(a.name, b.name), cmp.Compare(a.server.Name, b.server.Name), cmp.Compare(a.action, b.action))
	})
}

func compare(a, b Seen) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Action, b.Action), cmp.Compare(a.Principal, b.Principal))
}

// newCandidate makes an address of a topic. Only a filter has parameters: one for each +, because that is what it reads.
func newCandidate(server *plan.Server, action plan.Action, name string) *candidate {
	c := &candidate{server: server, action: action, name: name, address: name, segments: []plan.Segment{{Literal: name}}}
	if server.MQTT == nil || action != plan.Consume || topic.CheckFilter(name) != nil || !strings.Contains(name, "+") {
		return c
	}
	c.segments = nil
	levels, literal := strings.Split(name, "/"), ""
	for i, level := range levels {
		if i > 0 {
			literal += "/"
		}
		if level != "+" {
			literal += level
			continue
		}
		if literal != "" {
			c.segments = append(c.segments, plan.Segment{Literal: literal})
		}
		p := fmt.Sprintf("level%d", i+1)
		c.segments, literal = append(c.segments, plan.Segment{Parameter: &plan.Parameter{Name: p}}), ""
		c.levels, levels[i] = append(c.levels, p), "{"+p+"}"
	}
	if literal != "" {
		c.segments = append(c.segments, plan.Segment{Literal: literal})
	}
	c.address = strings.Join(levels, "/")
	return c
}

// possible leaves out what no operation can allow, and what an operation of the document is about already: that one was
// denied for its security or its bindings, and another operation beside it would go around them.
func (m *maker) possible(all []*candidate) ([]*candidate, error) {
	trial, bare := m.rules(), m.rules()
	for _, c := range all {
		trial[c.server] = append(trial[c.server], plan.Rule{Action: c.action, Address: c.address, Segments: c.segments})
	}
	for name := range m.servers {
		s := m.servers[name]
		for _, r := range s.Rules {
			bare[s] = append(bare[s], stripped(r))
		}
	}
	could, err := deciders(trial, nil, nobody)
	if err != nil {
		return nil, err
	}
	does, err := deciders(bare, nil, nobody)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c *candidate) bool {
		resource := policy.Resource{Kind: policy.Topic, Name: c.name}
		why := ""
		if d := does[c.server].Decide(c.action, resource); d.Allowed {
			why = fmt.Sprintf("operation %s (line %d) has that address: it is for its security, its bindings or the settings to allow it, unless the document has changed since",
				shown(d.Rule.Operation), d.Rule.Line)
		} else if strings.ContainsAny(c.name, "{}") {
			why = "braces in an address are those of parameters"
		} else if d := could[c.server].Decide(c.action, resource); !d.Allowed {
			if m.grantBelow(c) {
				return true
			}
			why = d.Reason
		}
		for i := range c.seen {
			if why != "" {
				m.leaveOut(&c.seen[i], "%s", why)
			}
		}
		return why != ""
	}), nil
}

// contained takes out what a filter that was observed too is about: who subscribes to a/+ is observed with every topic that is
// delivered by it. In 2.x, where there may be no place for the filter, all stay.
func (m *maker) contained(all []*candidate) (kept, inside []*candidate) {
	if m.doc.Major == 2 {
		return all, nil
	}
	var filters []*candidate
	for _, c := range all {
		if len(c.levels) > 0 {
			filters = append(filters, c)
		}
	}
	for _, c := range all {
		if c.action == plan.Consume && slices.ContainsFunc(filters, func(f *candidate) bool {
			return f != c && f.server == c.server && within(f.name, c.name)
		}) {
			inside = append(inside, c)
		} else {
			kept = append(kept, c)
		}
	}
	return kept, inside
}

// within reports whether the address of a filter with + stands for a name: + takes the empty level too, and a parameter does not.
func within(filter, name string) bool {
	if !topic.Covers(filter, name) {
		return false
	}
	levels := strings.Split(name, "/")
	for i, level := range strings.Split(filter, "/") {
		if level == "+" && levels[i] == "" {
			return false
		}
	}
	return true
}

// anyTopic is the name in an observation of InitProducerId without a transactional id, on Kafka.
const anyTopic = "*"

// describe leaves out what was only looked at. Whoever may use a thing may look.
func (m *maker) describe() {
	for i := range m.describes {
		s := &m.describes[i]
		switch {
		case s.Kind == topicKind && s.Name == anyTopic:
			if !slices.ContainsFunc(m.out.wanted, func(c *candidate) bool { return c.server.Name == s.Server && c.action == plan.Produce }) {
				m.leaveOut(s, "whoever may produce to some topic may")
			}
		case s.Kind == topicKind:
			if !slices.ContainsFunc(m.out.wanted, func(c *candidate) bool { return c.server.Name == s.Server && c.name == s.Name }) {
				m.leaveOut(s, "whoever may produce or consume may look; that alone no operation allows")
			}
		case !slices.ContainsFunc(m.out.grants, func(g plan.Grant) bool { return g.Principal == s.Principal && g.Kind == s.Kind && g.Name == s.Name }):
			m.leaveOut(s, "a grant would be for any use of it, and it was only looked at")
		}
	}
}
