package policy

import (
	"slices"
	"strings"
)

// index finds the rules whose address could be a name: a trie over the parts of names, which a separator divides. What
// it finds has the right literal text; whether the parameters have the right values is for the rule to say.
type index struct {
	language *language
	root     node
	wide     []*rule // with a parameter that separators do not end
}

// node is what can follow after some parts of a name.
type node struct {
	literal  []branch         // by part
	many     map[string]*node // instead of literal, if there are many
	any      *node            // a part that is one parameter
	partials *partials        // parts of text and parameters together; nil: none
	rules    []*rule          // whose address ends here
}

type branch struct {
	part string
	next *node
}

// partials are parts of text and parameters, by the text they begin with.
type partials struct {
	of      map[string][]partial
	lengths []int // of these texts, ascending
}

// partial is one of them, by the text it ends with.
type partial struct {
	suffix string
	next   *node
}

// maxBranches is how many literal parts a node searches one by one: beyond it a map is quicker, and takes more memory.
const maxBranches = 12

// maxExpanded is how many names a parameter's values may make of one address in the index. Beyond it the values are looked
// at one rule after the other.
const maxExpanded = 64

// add puts a rule in.
func (x *index) add(r *rule) {
	for _, p := range r.pieces {
		if p.parameter != nil && p.parameter.Dots {
			x.wide = append(x.wide, r)
			return
		}
	}
	left := maxExpanded
	x.root.add(r.parts, r, &left)
}

// parts divides an address at the separators of its literal text.
func (x *index) parts(pieces []piece) [][]piece {
	parts := [][]piece{nil}
	last := func() *[]piece { return &parts[len(parts)-1] }
	for _, p := range pieces {
		if p.parameter != nil {
			*last() = append(*last(), p)
			continue
		}
		for i, text := range strings.Split(p.literal, string(x.language.separator)) {
			if i > 0 {
				parts = append(parts, nil)
			}
			if text != "" {
				*last() = append(*last(), piece{literal: text})
			}
		}
	}
	return parts
}

func (n *node) add(parts [][]piece, r *rule, left *int) {
	if len(parts) == 0 {
		if !slices.Contains(n.rules, r) { // two values of an enum may be equal
			n.rules = append(n.rules, r)
		}
		return
	}
	part, rest := parts[0], parts[1:]
	switch {
	case len(part) == 0:
		n.child("").add(rest, r, left)
	case len(part) == 1 && part[0].parameter == nil:
		n.child(part[0].literal).add(rest, r, left)
	case len(part) == 1 && len(part[0].parameter.Enum) > 0 && len(part[0].parameter.Enum) <= *left:
		*left /= len(part[0].parameter.Enum)
		for _, value := range part[0].parameter.Enum {
			l := *left
			n.child(value).add(rest, r, &l)
		}
	case len(part) == 1:
		if n.any == nil {
			n.any = new(node)
		}
		n.any.add(rest, r, left)
	default:
		n.partial(part[0].literal, part[len(part)-1].literal).add(rest, r, left)
	}
}

// child is the node after a literal part.
func (n *node) child(part string) *node {
	if n.many != nil {
		if n.many[part] == nil {
			n.many[part] = new(node)
		}
		return n.many[part]
	}
	for _, b := range n.literal {
		if b.part == part {
			return b.next
		}
	}
	next := new(node)
	n.literal = append(n.literal, branch{part, next})
	if len(n.literal) > maxBranches {
		n.many = make(map[string]*node, len(n.literal))
		for _, b := range n.literal {
			n.many[b.part] = b.next
		}
		n.literal = nil
	}
	return next
}

// partial is the node after a part with that text around its parameters.
func (n *node) partial(prefix, suffix string) *node {
	if n.partials == nil {
		n.partials = &partials{of: make(map[string][]partial)}
	}
	p := n.partials
	for _, known := range p.of[prefix] {
		if known.suffix == suffix {
			return known.next
		}
	}
	if i, found := slices.BinarySearch(p.lengths, len(prefix)); !found {
		p.lengths = slices.Insert(p.lengths, i, len(prefix))
	}
	next := new(node)
	p.of[prefix] = append(p.of[prefix], partial{suffix, next})
	return next
}

// find shows the question every rule whose address could be the name.
func (x *index) find(name string, q *question) {
	x.root.find(name, x.language.separator, q)
	for _, r := range x.wide {
		q.visit(r)
	}
}

func (n *node) find(name string, separator byte, q *question) {
	part, rest, more := cut(name, separator)
	if n.many != nil {
		n.many[part].follow(rest, more, separator, q)
	}
	for i := range n.literal {
		if n.literal[i].part == part {
			n.literal[i].next.follow(rest, more, separator, q)
			break
		}
	}
	if part == "" {
		return // no parameter stands for nothing
	}
	n.any.follow(rest, more, separator, q)
	if n.partials == nil {
		return
	}
	for _, length := range n.partials.lengths {
		if length >= len(part) {
			break
		}
		for _, p := range n.partials.of[part[:length]] {
			if len(part) > length+len(p.suffix) && strings.HasSuffix(part, p.suffix) {
				p.next.follow(rest, more, separator, q)
			}
		}
	}
}

// follow goes on with the rest of a name; a nil node has nothing.
func (n *node) follow(rest string, more bool, separator byte, q *question) {
	switch {
	case n == nil:
	case more:
		n.find(rest, separator, q)
	default:
		for _, r := range n.rules {
			q.visit(r)
		}
	}
}

func cut(name string, separator byte) (part, rest string, more bool) {
	if i := strings.IndexByte(name, separator); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return name, "", false
}
