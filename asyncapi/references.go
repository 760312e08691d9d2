package asyncapi

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// progress is how far a node has been walked.
type progress int8

const (
	walking progress = iota + 1 // its inside, or what it refers to, is being walked
	walkedAll
)

// kindOfValue says what the words in an object mean.
type kindOfValue int8

const (
	inObject  kindOfValue = iota // an object of AsyncAPI
	inSchema                     // a JSON Schema, where cycles are common and allowed
	inNames                      // an object whose keys are names of schemas, not words of JSON Schema
	inForeign                    // a schema in another language, which may lie in a file of its own
	inMessage                    // a message, of which nothing is enforced
)

// maxNested bounds how deep the walk goes into what references lead to, each within the last. What lies deeper is walked
// afterwards.
const maxNested = 100

// later is what is walked afterwards.
type later struct {
	value
	kind kindOfValue
}

// allReferences follows every reference of a document.
func (r *reader) allReferences() {
	r.references(r.root, inObject, 0)
	for len(r.later) > 0 {
		next := r.later[len(r.later)-1]
		r.later = r.later[:len(r.later)-1]
		r.references(next.value, next.kind, 0)
	}
}

// references follows every reference, wherever it stands, so that one that leads nowhere is found also where nothing else
// looks. What other tools write (extensions) and examples are not looked into: a $ref there is data.
func (r *reader) references(v value, kind kindOfValue, nested int) {
	if v.node.Kind == yaml.ScalarNode || r.walked[v.node] != 0 {
		return
	}
	r.walked[v.node] = walking
	defer func() { r.walked[v.node] = walkedAll }()
	if v.isList() {
		for i, item := range v.node.Content {
			item = follow(item)
			at := Place{File: v.at.File, Line: item.Line, Column: item.Column, Pointer: element(v.at.Pointer, i)}
			r.references(value{node: item, at: at}, kind, nested)
		}
		return
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		f := r.field(v, follow(v.node.Content[i]), follow(v.node.Content[i+1]))
		if f.key == "$ref" && f.isString() {
			r.follow(Text{Place: f.at, Value: f.node.Value}, kind, nested)
			return // what stands beside it counts for nothing
		}
	}
	if kind == inForeign {
		return
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		f := r.field(v, follow(v.node.Content[i]), follow(v.node.Content[i+1]))
		if inner, ok := r.inside(v, f, kind); ok {
			r.references(f.value, inner, nested)
		}
	}
}

// follow walks what a reference leads to.
func (r *reader) follow(ref Text, kind kindOfValue, nested int) {
	defer r.aside(kind != inObject)()
	schema := kind != inObject && kind != inMessage
	if name, _, _ := strings.Cut(ref.Value, "#"); schema && name != "" && (kind == inForeign || opaque(name)) {
		r.open(ref, name) // it has to be there; what it says is for others
		return
	}
	v, ok := r.target(ref)
	if !ok {
		return
	}
	if nested == maxNested {
		r.later = append(r.later, later{v, kind})
		return
	}
	if r.cyclic[v.node].Stated() {
		return // said already
	}
	if r.walked[v.node] == walking && (!schema || r.circular(v)) {
		r.fault("document/reference-cycle", ref.Place, "", "reference %s leads back to itself", quote(ref.Value))
		return
	}
	r.references(v, kind, nested+1)
}

// aside says whether what follows is of no account for what is enforced. The answer ends it.
func (r *reader) aside(is bool) (end func()) {
	before := r.unneeded
	r.unneeded = is
	return func() { r.unneeded = before }
}

// circular reports whether a chain of references never comes to anything else.
func (r *reader) circular(v value) bool {
	for range maxHops {
		ref := r.get(v, "$ref")
		if !ref.isString() {
			return false
		}
		var ok bool
		if v, ok = r.target(Text{Place: ref.at, Value: ref.node.Value}); !ok {
			return false
		}
	}
	return true
}

// opaque reports whether a file is a schema in a language of its own: Avro, Protobuf, RAML.
func opaque(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".avsc", ".avdl", ".avpr", ".proto", ".raml", ".xsd":
		return true
	}
	return false
}

// inside says what a member of an object is, and whether it is looked into.
func (r *reader) inside(parent value, f field, kind kindOfValue) (kindOfValue, bool) {
	switch kind {
	case inNames:
		return inSchema, true
	case inSchema:
		if slices.Contains(dataWords, f.key) || extension(f.key) {
			return inSchema, false
		}
		if foreign(r.get(parent, "schemaFormat")) {
			return inForeign, true
		}
		if slices.Contains(nameWords, f.key) {
			return inNames, f.isObject()
		}
		return inSchema, true
	}
	switch {
	case extension(f.key), f.key == "examples" && f.isList():
		return kind, false
	case slices.Contains(messageWords, f.key):
		return inMessage, true
	case f.key == "schemas" && f.isObject():
		return inNames, true
	case slices.Contains(schemaWords, f.key):
		if foreign(r.get(parent, "schemaFormat")) {
			return inForeign, true
		}
		return inSchema, true
	}
	return kind, true
}

var (
	dataWords    = []string{"default", "const", "enum", "example", "examples"}
	nameWords    = []string{"properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"}
	messageWords = []string{"message", "messages", "messageTraits", "correlationIds", "externalDocs", "tags"}
	schemaWords  = []string{"payload", "headers", "schema", "key", "groupId", "clientId", "query"}
)

// foreign reports whether a payload is in a schema language that has references of its own, or none.
func foreign(format value) bool {
	return format.isString() && !strings.Contains(format.node.Value, "asyncapi") &&
		!strings.Contains(format.node.Value, "schema+") && !strings.Contains(format.node.Value, "openapi")
}
