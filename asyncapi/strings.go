package asyncapi

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Strings calls each for every string of the document, keys too, in their order, with the place of each. What an alias
// stands for comes once, where its anchor is. References are not followed.
func (d *Document) Strings(each func(Text)) {
	walk(d.root, each)
}

func walk(v value, each func(Text)) {
	if !v.there() {
		return
	}
	switch v.node.Kind {
	case yaml.ScalarNode:
		if v.isString() {
			each(Text{v.at, v.node.Value})
		}
	case yaml.SequenceNode:
		for i, item := range v.node.Content {
			at := Place{v.at.File, item.Line, item.Column, element(v.at.Pointer, i)}
			walk(value{item, at}, each)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(v.node.Content); i += 2 {
			key, val := v.node.Content[i], v.node.Content[i+1]
			pointer := member(v.at.Pointer, follow(key).Value)
			walk(value{key, Place{v.at.File, key.Line, key.Column, pointer}}, each)
			walk(value{val, Place{v.at.File, val.Line, val.Column, pointer}}, each)
		}
	}
}

// Fields are the names of an object's members, and where it stands. Without such an object there are none, and the place
// is that of the document.
func (d *Document) Fields(pointer string) (Place, []string) {
	r := &reader{root: d.root, seen: map[Problem]bool{}}
	v := d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if v = r.get(v, unescapePointer.Replace(token)); !v.there() {
			return d.root.at, nil
		}
	}
	var names []string
	for _, f := range r.fields(v) {
		names = append(names, f.key)
	}
	return v.at, names
}
