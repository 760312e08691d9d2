package credentials

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// reader turns a YAML tree into a [File] and gathers what is wrong with it.
type reader struct {
	name     string
	problems Problems
}

func (r *reader) fault(line int, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.name, Line: line, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return r.problems
}

// fields are the members of a mapping.
type fields struct {
	line  int
	nodes map[string]*yaml.Node
}

// mapping reads a mapping that may have the keys of known and no others.
func (r *reader) mapping(n *yaml.Node, what string, known ...string) (fields, bool) {
	f := fields{line: n.Line, nodes: make(map[string]*yaml.Node, len(n.Content)/2)}
	if n.Kind != yaml.MappingNode || n.Anchor != "" || n.Tag != "!!map" {
		r.fault(n.Line, "", "%s has to be a mapping of %s", what, strings.Join(known, ", "))
		return f, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := r.text(n.Content[i], "a key")
		switch {
		case !ok:
		case !slices.Contains(known, key):
			r.fault(n.Content[i].Line, "known are "+strings.Join(known, ", "), "unknown key %q in %s", cut(key), what)
		case f.nodes[key] != nil:
			r.fault(n.Content[i].Line, "", "%s has %q twice", what, key)
		default:
			f.nodes[key] = n.Content[i+1]
		}
	}
	return f, true
}

// items are the elements of a list; none for a key that is absent or empty.
func (r *reader) items(n *yaml.Node, what string) []*yaml.Node {
	if n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode || n.Anchor != "" || n.Tag != "!!seq" {
		r.fault(n.Line, "", "%s has to be a list", what)
		return nil
	}
	return n.Content
}

// text reads a scalar as it is written; anchors, aliases and tags have no place in this file.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!null" || n.Tag == "!!merge" {
		r.fault(n.Line, "", "%s has to be text", what)
		return "", false
	}
	return n.Value, true
}

func (r *reader) texts(n *yaml.Node, what string) []string {
	var texts []string
	for _, item := range r.items(n, what) {
		text, ok := r.text(item, "an element of "+what)
		switch {
		case !ok:
		case text == "" || hasControl(text):
			r.fault(item.Line, "", "an element of %s is empty, or has control characters", what)
		case slices.Contains(texts, text):
			r.fault(item.Line, "", "%s has %q twice", what, cut(text))
		default:
			texts = append(texts, text)
		}
	}
	return texts
}

func (r *reader) moment(n *yaml.Node, what string) time.Time {
	if n == nil {
		return time.Time{}
	}
	text, ok := r.text(n, what)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Unix() <= 0 {
		r.fault(n.Line, "such as 2027-01-31T00:00:00Z", "%s has to be a moment after 1970 as RFC 3339 writes it", what)
		return time.Time{}
	}
	return t
}

// cut bounds what a message shows of a file that may not be one of credentials at all.
func cut(s string) string { return fmt.Sprintf("%.40s", s) }
