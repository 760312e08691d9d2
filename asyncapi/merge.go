package asyncapi

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// withTraits applies the traits of an operation or a message to it, by JSON Merge Patch (RFC 7396), in the order they
// stand in. In 2.x a trait overrides the object, in 3.x the object wins. Own are fields that no trait can have. It answers
// false if a trait could not be read: the object is not what it was meant to be then.
func (r *reader) withTraits(v value, what string, own ...string) (value, bool) {
	list := r.get(v, "traits")
	if !list.there() {
		return v, true
	}
	if !list.isList() {
		r.fault("document/wrong-type", list.at, "", "traits has to be a list, not %s", list.kind())
		return v, false
	}
	ok := true
	var traits []value
	for _, item := range r.items(list) {
		trait, there := r.object(item, what)
		if ok = ok && there; there {
			traits = append(traits, r.without(trait, own))
		}
	}
	out := v
	if r.major > 2 {
		out = r.made(v, nil) // the object comes last
	}
	for _, trait := range traits {
		out, ok = r.overlay(out, trait, ok)
	}
	if r.major > 2 {
		out, ok = r.overlay(out, v, ok)
	}
	return out, ok
}

// without is an object but for some of its fields.
func (r *reader) without(v value, names []string) value {
	var fields []field
	for _, f := range r.fields(v) {
		if f.key != "traits" && !slices.Contains(names, f.key) {
			fields = append(fields, f)
		}
	}
	return r.made(v, fields)
}

// made is an object that stands nowhere. Its members keep the places they come from.
func (r *reader) made(v value, fields []field) value {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: v.node.Line, Column: v.node.Column}
	parts := make(map[string]field, len(fields))
	for _, f := range fields {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.key, Line: f.keyAt.Line, Column: f.keyAt.Column}, f.node)
		parts[f.key] = f
	}
	r.merged[n] = parts
	return value{node: n, at: v.at}
}

// overlay applies a patch to an object.
func (r *reader) overlay(target, patch value, ok bool) (value, bool) {
	fields := r.fields(target)
	for _, f := range r.fields(patch) {
		i := slices.IndexFunc(fields, func(old field) bool { return old.key == f.key })
		switch {
		case f.isNull() && f.key != "security": // null removes; but security that is null is a mistake, and nobody's wish to have none
			if i >= 0 {
				fields = slices.Delete(fields, i, i+1)
			}
		case i < 0:
			fields = append(fields, f)
		default:
			fields[i], ok = r.overlayField(fields[i], f, ok)
		}
	}
	return r.made(target, fields), ok
}

// overlayField merges two objects, also behind references; anything else replaces what was there.
func (r *reader) overlayField(old, patch field, ok bool) (field, bool) {
	if !old.isObject() || !patch.isObject() {
		return patch, ok
	}
	a, there1 := r.resolve(old.value)
	b, there2 := r.resolve(patch.value)
	if !there1 || !there2 {
		return patch, false
	}
	if !a.isObject() || !b.isObject() {
		return patch, ok
	}
	patch.value, ok = r.overlay(a, b, ok)
	patch.at = b.at
	return patch, ok
}
