package proposal

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// Template is an address that the operator wants topics of its shape to be folded into.
type Template struct {
	address    string
	segments   []plan.Segment
	parameters []string // their names, in the order of the address
	kafka      *regexp.Regexp
	mqtt       *regexp.Regexp
}

var (
	hole          = regexp.MustCompile(`\{([^{}]*)\}`)
	parameterName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`) // as both versions of the specification have it
)

// ParseTemplate reads an address with parameters in braces, such as orders.{region}. What a parameter stands for is what the
// rules of the protocol have: a run of letters, digits, - and _ on Kafka, one level on MQTT.
func ParseTemplate(address string) (*Template, error) {
	t := &Template{address: address}
	kafka, mqtt, from := "", "", 0
	literal := func(text string) {
		if text != "" {
			t.segments = append(t.segments, plan.Segment{Literal: text})
		}
		kafka, mqtt = kafka+regexp.QuoteMeta(text), mqtt+regexp.QuoteMeta(text)
	}
	for _, at := range hole.FindAllStringSubmatchIndex(address, -1) {
		literal(address[from:at[0]])
		name := address[at[2]:at[3]]
		if !parameterName.MatchString(name) {
			return nil, fmt.Errorf("template %s: %s is no name of a parameter; letters, digits, - and _ are", quoted(address), quoted(name))
		}
		if slices.Contains(t.parameters, name) {
			return nil, fmt.Errorf("template %s: two parameters are called %s", quoted(address), name)
		}
		t.parameters = append(t.parameters, name)
		t.segments = append(t.segments, plan.Segment{Parameter: &plan.Parameter{Name: name}})
		kafka, mqtt, from = kafka+`([A-Za-z0-9_-]+)`, mqtt+`([^/+#\x00]+)`, at[1]
	}
	literal(address[from:])
	switch {
	case strings.ContainsAny(hole.ReplaceAllString(address, ""), "{}"):
		return nil, fmt.Errorf("template %s: a brace without its other half", quoted(address))
	case len(t.parameters) == 0:
		return nil, fmt.Errorf("template %s has no parameter; write {name} for what varies", quoted(address))
	}
	t.kafka, t.mqtt = regexp.MustCompile(`^(?s:`+kafka+`)$`), regexp.MustCompile(`^(?s:`+mqtt+`)$`)
	return t, nil
}

// values are what the parameters would have to be for a name; nil: it has another shape.
func (t *Template) values(c *candidate) []string {
	form := t.kafka
	if c.server.MQTT != nil {
		form = t.mqtt
	}
	found := form.FindStringSubmatch(c.name)
	if found == nil {
		return nil
	}
	return found[1:]
}

// match is a name of a template's shape.
type match struct {
	values     []string
	candidates []*candidate
}

// uses tells where a name was used, and for what. Only names of the same uses can be one channel.
func (f *match) uses() string {
	var all []string
	for _, c := range f.candidates {
		all = append(all, c.server.Name+"\x00"+string(c.action))
	}
	slices.Sort(all)
	return strings.Join(all, "\x00")
}

// fold makes one candidate of all that are of a template's shape and were used in the same way. Its parameters have the values
// that were seen and no other. Where several parameters would make more of them than was seen, nothing is folded.
func (m *maker) fold(all []*candidate, templates []*Template) []*candidate {
	for _, t := range templates {
		names := map[string]*match{}
		for _, c := range all {
			if values := t.values(c); values != nil && len(c.levels) == 0 {
				key := c.name + "\x00" + strings.Join(values, "\x00") // what is one name to Kafka and MQTT may have other parts
				if names[key] == nil {
					names[key] = &match{values: values}
				}
				names[key].candidates = append(names[key].candidates, c)
			}
		}
		if len(names) == 0 {
			m.tell("template %s: nothing that is proposed has that shape", quoted(t.address))
		}
		alike := map[string][]*match{}
		for _, key := range slices.Sorted(maps.Keys(names)) {
			uses := names[key].uses()
			alike[uses] = append(alike[uses], names[key])
		}
		taken := m.doc.Major == 2 && slices.ContainsFunc(m.doc.Channels, func(c asyncapi.Channel) bool { return c.Name == t.address })
		for _, uses := range slices.SortedFunc(maps.Keys(alike), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(alike[b]), len(alike[a])), cmp.Compare(a, b))
		}) {
			enums := t.enums(alike[uses])
			switch {
			case enums == nil:
				m.tell("template %s leaves %s: every value of one parameter with every value of the next is more than was seen",
					quoted(t.address), asTheyAre(alike[uses]))
			case taken:
				m.tell("template %s leaves %s: AsyncAPI 2 has one channel of that address, and they were used in another way",
					quoted(t.address), asTheyAre(alike[uses]))
			default:
				all, taken = m.foldAlike(all, t, alike[uses], enums), m.doc.Major == 2
			}
		}
	}
	return all
}

// enums are the values of each parameter; nil if they make other names too.
func (t *Template) enums(matches []*match) [][]string {
	enums, product := make([][]string, len(t.parameters)), 1
	for i := range t.parameters {
		for _, f := range matches {
			enums[i] = append(enums[i], f.values[i])
		}
		slices.Sort(enums[i])
		enums[i] = slices.Compact(enums[i])
		if product *= len(enums[i]); product > len(matches) {
			return nil
		}
	}
	return enums
}

// foldAlike folds names that were used in the same way.
func (m *maker) foldAlike(all []*candidate, t *Template, matches []*match, enums [][]string) []*candidate {
	segments, parameter := slices.Clone(t.segments), 0
	for i, s := range segments {
		if s.Parameter != nil {
			segments[i].Parameter = &plan.Parameter{Name: s.Parameter.Name, Enum: enums[parameter]}
			parameter++
		}
	}
	inside := map[*candidate]bool{}
	for i := range matches[0].candidates {
		first := matches[0].candidates[i]
		folded := &candidate{server: first.server, action: first.action, name: first.name, address: t.address, segments: segments,
			levels: t.parameters, enums: enums}
		for _, f := range matches {
			for _, c := range f.candidates {
				if c.server == first.server && c.action == first.action {
					inside[c] = true
					folded.seen = append(folded.seen, c.seen...)
					m.out.wanted = append(m.out.wanted, c)
				}
			}
		}
		all = append(all, folded)
	}
	return slices.DeleteFunc(all, func(c *candidate) bool { return inside[c] })
}

// asTheyAre names topics that are not folded.
func asTheyAre(matches []*match) string {
	name, more := shown(matches[0].candidates[0].name), len(matches)-1
	if more == 0 {
		return name + " as a channel of its own"
	}
	return fmt.Sprintf("%s and %d more as channels of their own", name, more)
}

// tell says something about the proposal that is no fault of it.
func (m *maker) tell(format string, args ...any) {
	m.out.Notes = append(m.out.Notes, fmt.Sprintf(format, args...))
}
