package asyncapi

import "go.yaml.in/yaml/v4"

// Strings calls each for every string of the document and of the files that were looked into for it, keys too, in their
// order. Where a string stands is worked out for whoever asks. What an alias stands for comes once, where its anchor is.
func (d *Document) Strings(each func(s string, at func() Place)) {
	walk(d.root.node, &step{file: d.File}, each)
	for _, name := range d.Files {
		if f := d.files[name]; f != nil && name != d.File {
			walk(f.root.node, &step{file: name}, each)
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

// step is one on the way from the top of a file to a value.
type step struct {
	up    *step // nil at the top
	key   *yaml.Node
	index int // where key is nil
	file  string
}

func (s *step) pointer() string {
	switch {
	case s.up == nil:
		return ""
	case s.key == nil:
		return element(s.up.pointer(), s.index)
	}
	return member(s.up.pointer(), follow(s.key).Value)
}

func walk(n *yaml.Node, at *step, each func(string, func() Place)) {
	if n == nil {
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if (value{node: n}).isString() {
			each(n.Value, func() Place { return Place{at.file, n.Line, n.Column, at.pointer()} })
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			walk(item, &step{at, nil, i, at.file}, each)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			member := &step{at, n.Content[i], 0, at.file}
			walk(n.Content[i], member, each)
			walk(n.Content[i+1], member, each)
		}
	}
}
