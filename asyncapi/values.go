package asyncapi

import (
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// nodeOf is the tree of something that was read; what is the same node is the same thing.
type nodeOf = *yaml.Node

// Number is an integer of the document and its place.
type Number struct {
	Place
	Value int
}

// Flag is a boolean of the document and its place.
type Flag struct {
	Place
	Value bool
}

// Values says which strings there are, as a JSON Schema does. What is not stated does not narrow.
type Values struct {
	Place
	Enum      []Text // the only values there are; numbers and booleans as they are written
	Pattern   Text   // a regular expression of ECMA-262 that is searched for in the value
	MinLength Number // in characters
	MaxLength Number // in characters
	Integer   bool   // decimal digits

	// Other are words of the schema that narrow too and are not read. Whoever enforces the schema must not pass over them.
	Other []Text
}

// ignored are the words of a JSON Schema that do not narrow which strings there are: annotations, and what is said of objects
// and lists. Format is an annotation unless somebody says otherwise (JSON Schema draft 7, validation, section 7.2).
var ignored = []string{
	"$schema", "$id", "$comment", "$ref", "$defs", "title", "description", "default", "example", "examples", "format", "deprecated",
	"readOnly", "writeOnly", "externalDocs", "definitions", "contentEncoding", "contentMediaType", "discriminator", "nullable",
	"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "propertyNames",
	"dependencies", "items", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems",
}

// values reads a JSON Schema.
func (r *reader) values(v value) Values {
	if !v.there() || v.is("!!bool") && v.node.Value == "true" {
		return Values{}
	}
	v, ok := r.object(v, "a schema")
	if !ok {
		return Values{}
	}
	s := Values{Place: v.at}
	for _, f := range r.fields(v) {
		switch {
		case f.key == "type":
			r.valueType(&s, f)
		case f.key == "enum":
			s.narrow(r.scalars(f.value))
		case f.key == "const":
			s.narrow(r.scalar(f.value))
		case f.key == "pattern":
			s.Pattern = r.text(f.value)
		case f.key == "minLength":
			s.MinLength = r.number(f.value, 0, math.MaxInt32)
		case f.key == "maxLength":
			s.MaxLength = r.number(f.value, 0, math.MaxInt32)
		case !extension(f.key) && !slices.Contains(ignored, f.key):
			s.Other = append(s.Other, Text{Place: f.keyAt, Value: f.key})
		}
	}
	return s
}

// narrow leaves only values that are also in a list.
func (s *Values) narrow(list []Text) {
	if s.Enum == nil {
		s.Enum = append([]Text{}, list...)
		return
	}
	s.Enum = slices.DeleteFunc(s.Enum, func(t Text) bool {
		return !slices.ContainsFunc(list, func(other Text) bool { return other.Value == t.Value })
	})
}

// valueType reads the type of a schema. Every value of a topic is text, so a type narrows only what the text looks like.
func (r *reader) valueType(s *Values, f field) {
	types := []Text{}
	if f.isList() {
		types = r.texts(f.value)
	} else if t := r.text(f.value); t.Stated() {
		types = []Text{t}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(types, func(t Text) bool { return t.Value == name })
	}
	switch {
	case f.isList() && len(types) == 0:
		s.Other = append(s.Other, Text{Place: f.keyAt, Value: "type: []"})
	case len(types) == 0 || has("string"): // of none it has been reported
	case has("integer"):
		s.Integer = true
	default:
		s.Other = append(s.Other, Text{Place: f.keyAt, Value: "type: " + types[0].Value})
	}
}

func (r *reader) scalars(v value) []Text {
	if !v.isList() {
		r.fault("document/wrong-type", v.at, "", "%s has to be a list, not %s", last(v.at.Pointer), v.kind())
		return nil
	}
	list := []Text{}
	for _, item := range r.items(v) {
		list = append(list, r.scalar(item)...)
	}
	return list
}

func (r *reader) scalar(v value) []Text {
	if v.node.Kind != yaml.ScalarNode || v.isNull() {
		r.fault("document/wrong-type", v.at, "", "%s has to be a string, not %s", last(v.at.Pointer), v.kind())
		return nil
	}
	return []Text{{Place: v.at, Value: v.node.Value}}
}

// is reports whether v has a tag.
func (v value) is(tag string) bool {
	return v.there() && v.node.Kind == yaml.ScalarNode && v.node.Tag == tag
}

func (v value) isNull() bool { return v.is("!!null") }

// number is an integer field within bounds.
func (r *reader) number(v value, low, high int) Number {
	if !v.there() {
		return Number{}
	}
	n, err := 0, error(nil)
	if v.is("!!int") {
		n, err = strconv.Atoi(v.node.Value)
	}
	if !v.is("!!int") || err != nil {
		r.fault("document/wrong-type", v.at, "", "%s has to be an integer, not %s", last(v.at.Pointer), v.kind())
		return Number{}
	}
	if n < low || n > high {
		r.fault("document/invalid-value", v.at, "", "%s has to be from %d to %d, not %d", last(v.at.Pointer), low, high, n)
		return Number{}
	}
	return Number{Place: v.at, Value: n}
}

// flag is a boolean field.
func (r *reader) flag(v value) Flag {
	if !v.there() {
		return Flag{}
	}
	if !v.is("!!bool") {
		r.fault("document/wrong-type", v.at, "", "%s has to be true or false, not %s", last(v.at.Pointer), v.kind())
		return Flag{}
	}
	return Flag{Place: v.at, Value: v.node.Value == "true" || v.node.Value == "True" || v.node.Value == "TRUE"}
}
