package proposal

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Bounds of what is written: names of channels and operations are for people, and so are comments.
const (
	maxName       = 64 // bytes of a new channel's name
	maxPrincipals = 10 // named in a comment; the rest is counted
	maxLine       = 8  // values of a parameter on one line; more have a line each
)

// write adds the channels to the document.
func (m *maker) write(source []byte, channels []*channel) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Load(source, &document); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s is not a YAML mapping", m.doc.File)
	}
	root := document.Content[0]
	root.Style &^= yaml.FlowStyle
	if len(channels) > 0 {
		add := m.add3
		if m.doc.Major == 2 {
			add = m.add2
		}
		if err := add(root, channels); err != nil {
			return nil, err
		}
	}
	if err := m.head(&document); err != nil {
		return nil, err
	}
	return yaml.Dump(&document, yaml.WithIndent(2), yaml.WithLineWidth(-1))
}

// head writes the grants that the settings need into the comment at the top.
func (m *maker) head(document *yaml.Node) error {
	if len(m.out.grants) == 0 {
		return nil
	}
	block, err := grantsText(m.out.grants)
	if err != nil {
		return err
	}
	comment := "What was observed needs these grants in the settings, too:\n#\n" + block
	if document.HeadComment != "" {
		comment += "\n#\n" + document.HeadComment
	}
	document.HeadComment = comment
	return nil
}

// add3 adds channels and operations to a document of 3.x.
func (m *maker) add3(root *yaml.Node, channels []*channel) error {
	all, err := section(root, "channels")
	if err != nil {
		return err
	}
	operations, err := section(root, "operations")
	if err != nil {
		return err
	}
	channelNames, operationNames := namesOf(all), namesOf(operations)
	for _, ch := range channels {
		var pointer, name string
		if ch.old != nil {
			name, pointer = legalName(ch.old.Name), ch.old.Pointer
		} else {
			name = channelNames.unused(legalName(ch.address))
			pointer = "/channels/" + name
			item := object("address", text(ch.address))
			servers := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			for _, s := range ch.servers {
				servers.Content = append(servers.Content, reference(s.Pointer))
			}
			put(item, "servers", servers)
			if len(ch.levels) > 0 {
				parameters := mapping()
				for i, p := range ch.levels {
					put(parameters, p, ch.parameter(i))
				}
				put(item, "parameters", parameters)
			}
			put(all, name, item)
		}
		for _, verb := range ch.verbs {
			operation := object("action", text(verb))
			put(operation, "channel", reference(pointer))
			put(operations, operationNames.unused(verb+"-"+name), operation).HeadComment = m.comment(ch.by[verb])
		}
	}
	return nil
}

// add2 adds channels with their operations to a document of 2.x.
func (m *maker) add2(root *yaml.Node, channels []*channel) error {
	all, err := section(root, "channels")
	if err != nil {
		return err
	}
	for _, ch := range channels {
		item := mapping()
		if ch.old != nil {
			if item = member(all, ch.old.Name); item == nil || item.Kind != yaml.MappingNode {
				return fmt.Errorf("channel %s is an alias or stands elsewhere, which is not supported", shown(ch.old.Name))
			}
			item.Style &^= yaml.FlowStyle
		} else {
			put(all, ch.address, item)
			if m.doc.Minor >= 2 {
				servers := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
				for _, s := range ch.servers {
					servers.Content = append(servers.Content, text(s.Name))
				}
				put(item, "servers", servers)
			}
			if len(ch.levels) > 0 {
				parameters := mapping()
				for i, p := range ch.levels {
					schema := object("type", text("string"))
					schema.Content = append(schema.Content, ch.parameter(i).Content...)
					put(parameters, p, object("schema", schema))
				}
				put(item, "parameters", parameters)
			}
		}
		for _, verb := range ch.verbs {
			put(item, verb, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}).HeadComment = m.comment(ch.by[verb])
		}
	}
	return nil
}

// parameter is the definition of a parameter in 3.x; in 2.x its schema says the same.
func (ch *channel) parameter(i int) *yaml.Node {
	if ch.enums == nil {
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	}
	values := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range ch.enums[i] {
		values.Content = append(values.Content, text(v))
	}
	if len(values.Content) <= maxLine {
		values.Style = yaml.FlowStyle
	}
	return object("enum", values)
}

// comment says who has done it, how often, and where.
func (m *maker) comment(all []*candidate) string {
	var lines []string
	for _, c := range all {
		var who []string
		times := map[string]uint64{}
		for _, s := range c.seen {
			times[s.Principal] += m.record.seen[s]
		}
		for _, principal := range slices.Sorted(maps.Keys(times)) {
			often := fmt.Sprintf("%d times", times[principal])
			if times[principal] == 1 {
				often = "once"
			}
			who = append(who, quoted(principal)+" "+often)
		}
		if more := len(who) - maxPrincipals; more > 0 {
			who = append(who[:maxPrincipals], fmt.Sprintf("%d more", more))
		}
		lines = append(lines, fmt.Sprintf("observed on server %s, at least: %s", shown(c.server.Name), strings.Join(who, ", ")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// section is a member of the document that channels or operations are added to.
func section(root *yaml.Node, key string) (*yaml.Node, error) {
	v := member(root, key)
	switch {
	case v == nil:
		v = mapping()
		put(root, key, v)
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
		*v = yaml.Node{Kind: yaml.MappingNode}
	case v.Kind != yaml.MappingNode || member(v, "$ref") != nil:
		return nil, fmt.Errorf("%s is an alias or stands elsewhere, which is not supported: write it out", key)
	}
	v.Style &^= yaml.FlowStyle
	return v, nil
}

func member(of *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(of.Content); i += 2 {
		if of.Content[i].Value == key {
			return of.Content[i+1]
		}
	}
	return nil
}

// legalName makes a name that needs no escaping of an address, in URIs either.
func legalName(address string) string {
	var b strings.Builder
	for _, r := range address {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			b.WriteRune(r)
		} else if !strings.HasSuffix(b.String(), "_") {
			b.WriteByte('_')
		}
		if b.Len() == maxName {
			break
		}
	}
	if name := b.String(); !strings.HasPrefix(name, "x-") { // that would be an extension
		return name
	}
	return "_" + b.String()
}

// names are the keys of an object, and what has been tried to find new ones: addresses may agree in all that a name has of them.
type names struct {
	taken map[string]bool
	next  map[string]int
}

func namesOf(v *yaml.Node) *names {
	n := &names{taken: map[string]bool{}, next: map[string]int{}}
	for i := 0; i+1 < len(v.Content); i += 2 {
		n.taken[v.Content[i].Value] = true
	}
	return n
}

// unused makes a name that nothing has yet.
func (n *names) unused(name string) string {
	free := name
	for n.taken[free] {
		n.next[name]++
		free = fmt.Sprintf("%s-%d", name, n.next[name]+1)
	}
	n.taken[free] = true
	return free
}

// reference leads to a place in the document.
func reference(pointer string) *yaml.Node {
	v := object("$ref", text((&url.URL{Fragment: pointer}).String()))
	v.Style = yaml.FlowStyle
	return v
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

// object is a mapping with one member.
func object(key string, value *yaml.Node) *yaml.Node {
	v := mapping()
	put(v, key, value)
	return v
}

// put adds a member and returns the node of its key.
func put(to *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	k := text(key)
	to.Content = append(to.Content, k, value)
	return k
}
