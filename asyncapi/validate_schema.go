package asyncapi

import (
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// validateSchema holds the document against its schema, and what its references lead to against what has to be there.
func (j *judge) validateSchema() {
	j.schema.Lock()
	defer j.schema.Unlock()
	defer func() { j.schema.leads = nil }()
	j.hold(j.root, j.schema.root)
	type check struct {
		schema *jsonschema.Schema
		node   *yaml.Node
	}
	done := map[check]bool{}
	for len(j.schema.leads) > 0 {
		next := j.schema.leads[0]
		j.schema.leads = j.schema.leads[1:]
		from := j.values.object(next.from)
		if done[check{next.schema, from.node}] {
			continue
		}
		done[check{next.schema, from.node}] = true
		target, ok := j.quietly(value{node: from.node, at: Place{File: from.file}})
		if !ok || done[check{next.schema, target.node}] {
			continue
		}
		done[check{next.schema, target.node}] = true
		j.hold(target, next.schema)
	}
}

// hold holds a value against a schema. References in it are added to the leads.
func (j *judge) hold(v value, s *jsonschema.Schema) {
	err := s.Validate(j.values.value(v.node, v.at.File))
	var bad *jsonschema.ValidationError
	if errors.As(err, &bad) {
		e := explainer{judge: j, base: v}
		e.explain(bad)
	}
}

// quietly is resolve for a reference that the reader has followed already, and spoken of.
func (j *judge) quietly(v value) (value, bool) {
	j.muted = true
	defer func() { j.muted = false }()
	return j.resolve(v)
}

// at is what a path of a validation error leads to.
func (j *judge) at(v value, path []string) value {
	for _, token := range path {
		v = j.child(v, token)
	}
	return v
}

// child is the member of an object or the item of a list.
func (j *judge) child(v value, token string) value {
	if v.isList() {
		if i := listIndex(token); i >= 0 && i < len(v.node.Content) {
			n := follow(v.node.Content[i])
			return value{node: n, at: Place{File: v.at.File, Line: n.Line, Column: n.Column, Pointer: element(v.at.Pointer, i)}}
		}
		return value{}
	}
	return j.member(v, token).value
}
