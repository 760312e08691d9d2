package asyncapi

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// value is a node of the document and its place.
type value struct {
	node *yaml.Node // never an alias; nil for a field that is not there
	at   Place
}

// field is a member of an object.
type field struct {
	key   string
	keyAt Place
	value
}

func (v value) there() bool    { return v.node != nil }
func (v value) isObject() bool { return v.there() && v.node.Kind == yaml.MappingNode }
func (v value) isList() bool   { return v.there() && v.node.Kind == yaml.SequenceNode }

// isString reports whether v is a string. Dates are strings too: JSON knows no others.
func (v value) isString() bool {
	return v.there() && v.node.Kind == yaml.ScalarNode &&
		(v.node.Tag == "!!str" || v.node.Tag == "!!timestamp" || v.node.Tag == "!!binary")
}

// kind names what v is, for messages.
func (v value) kind() string {
	switch {
	case !v.there():
		return "nothing"
	case v.isObject():
		return "an object"
	case v.isList():
		return "a list"
	case v.isString():
		return "a string"
	}
	switch v.node.Tag {
	case "!!null":
		return "null"
	case "!!bool":
		return "the boolean " + v.node.Value
	case "!!int", "!!float":
		return "the number " + v.node.Value
	}
	return "a value of tag " + quote(v.node.Tag)
}

// follow leaves aliases behind. The composer makes an alias point at a node with an anchor, never at another alias.
func follow(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// maxVisits and visitsANode bound how often values are looked at: aliases and references let a small file stand for an
// endless one. A document of n values may look at maxVisits + visitsANode × n. A server takes about a hundred; of 830 public
// documents none looks more than five times at a value of its own.
const (
	maxVisits   = 200_000
	visitsANode = 10
)

// tooLarge ends reading from wherever it is; Read catches it.
type tooLarge struct{ at Place }

func (r *reader) visit(at Place, values int) {
	if r.visits += values; r.visits > maxVisits+visitsANode*r.nodes {
		panic(tooLarge{at})
	}
}

// fields are the members of an object in the order of the document. Merge keys ("<<") are followed; what an object
// says itself wins over what it merges.
func (r *reader) fields(v value) []field {
	if !v.isObject() {
		return nil
	}
	list := make([]field, 0, len(v.node.Content)/2)
	r.members(v, v.node, map[string]bool{}, map[*yaml.Node]bool{}, &list)
	return list
}

func (r *reader) members(v value, n *yaml.Node, have map[string]bool, merged map[*yaml.Node]bool, list *[]field) {
	if merged[n] {
		return
	}
	merged[n] = true
	var merge []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := follow(n.Content[i]), follow(n.Content[i+1])
		r.visit(v.at, 1)
		if key.Tag == "!!merge" {
			merge = append(merge, val)
			continue
		}
		if have[key.Value] {
			continue
		}
		have[key.Value] = true
		*list = append(*list, r.field(v, key, val))
	}
	for _, m := range merge {
		switch m.Kind {
		case yaml.MappingNode:
			r.members(v, m, have, merged, list)
		case yaml.SequenceNode:
			for _, item := range m.Content {
				if item = follow(item); item.Kind == yaml.MappingNode {
					r.members(v, item, have, merged, list)
				}
			}
		}
	}
}

// field places a member: an object or a list where its key stands, anything else where the value stands.
func (r *reader) field(v value, key, val *yaml.Node) field {
	if parts := r.merged[v.node]; parts != nil {
		return parts[key.Value]
	}
	pointer := member(v.at.Pointer, key.Value)
	keyAt := Place{File: v.at.File, Line: key.Line, Column: key.Column, Pointer: pointer}
	at := keyAt
	if val.Kind == yaml.ScalarNode && val.Line > 0 {
		at.Line, at.Column = val.Line, val.Column
	}
	return field{key: key.Value, keyAt: keyAt, value: value{node: val, at: at}}
}

// get is the member of that name, or a value that is not there.
func (r *reader) get(v value, key string) value { return r.member(v, key).value }

// manyMembers is from where on an object is looked up in an index.
const manyMembers = 16

// member is that of an object with its key, or one that is not there.
func (r *reader) member(v value, key string) field {
	if !v.isObject() {
		return field{}
	}
	r.visit(v.at, 1)
	n := v.node
	if len(n.Content) >= 2*manyMembers {
		at := r.indexed(v)
		if i, ok := at.of[key]; ok {
			return r.field(v, follow(n.Content[i]), follow(n.Content[i+1]))
		}
		if !at.merges {
			return field{}
		}
	} else {
		merges := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch name := follow(n.Content[i]); {
			case name.Tag == "!!merge":
				merges = true
			case name.Value == key:
				return r.field(v, name, follow(n.Content[i+1]))
			}
		}
		if !merges {
			return field{}
		}
	}
	for _, f := range r.fields(v) {
		if f.key == key {
			return f
		}
	}
	return field{}
}

// index is where the members of a large object stand in it.
type index struct {
	of     map[string]int // the first of a name
	merges bool
}

func (r *reader) indexed(v value) *index {
	n := v.node
	at := r.indexes[n]
	if at == nil {
		at = &index{of: make(map[string]int, len(n.Content)/2)}
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			if name := follow(n.Content[i]); name.Tag == "!!merge" {
				at.merges = true
			} else {
				at.of[name.Value] = i
			}
		}
		r.indexes[n] = at
	}
	return at
}

// items are the members of a list.
func (r *reader) items(v value) []value {
	if !v.isList() {
		return nil
	}
	list := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		n = follow(n)
		list[i] = value{node: n, at: Place{
			File: v.at.File, Line: n.Line, Column: n.Column, Pointer: element(v.at.Pointer, i),
		}}
		r.visit(list[i].at, 1)
	}
	return list
}

// text is a string field; anything else in its place is a fault.
func (r *reader) text(v value) Text {
	if !v.there() {
		return Text{}
	}
	if !v.isString() {
		hint := ""
		if v.node.Kind == yaml.ScalarNode && v.node.Tag != "!!null" {
			hint = fmt.Sprintf("put it in quotes: %q", v.node.Value)
		}
		r.fault("document/wrong-type", v.at, hint, "%s has to be a string, not %s", last(v.at.Pointer), v.kind())
		return Text{}
	}
	return Text{Place: v.at, Value: v.node.Value}
}

// texts is a list of strings.
func (r *reader) texts(v value) []Text {
	if !v.there() {
		return nil
	}
	if !v.isList() {
		r.fault("document/wrong-type", v.at, "", "%s has to be a list of strings, not %s", last(v.at.Pointer), v.kind())
		return nil
	}
	var list []Text
	for _, item := range r.items(v) {
		if t := r.text(item); t.Stated() {
			list = append(list, t)
		}
	}
	return list
}
