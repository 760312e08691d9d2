package asyncapi

import "go.yaml.in/yaml/v4"

// Strings calls each for every string of the document and of the files that were looked into for it, keys too, in their
// order, with the place of each. What an alias stands for comes once, where its anchor is.
func (d *Document) Strings(each func(Text)) {
	walk(d.root, each)
	for _, name := range d.Files {
		if f := d.files[name]; f != nil && name != d.File {
			walk(f.root, each)
		}
	}
}

// Source is the text of the document, or of a file that a reference names. It answers false for one that was not read.
func (d *Document) Source(name string) ([]byte, bool) {
	f := d.files[name]
	if f == nil || f.err != nil {
		return nil, false
	}
	return f.data, true
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
