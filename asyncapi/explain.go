package asyncapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explainer says for people what a schema says of a value.
type explainer struct {
	*judge
	base value // what was held against the schema
}

// explain walks down to what is wrong. Where a value fits none of several alternatives, it follows the one that was meant.
func (e *explainer) explain(err *jsonschema.ValidationError) {
	switch err.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		e.explainAll(err.Causes)
	case *kind.AnyOf, *kind.OneOf:
		if len(err.Causes) == 0 {
			e.explainOne(err)
			return
		}
		if want := kindsWanted(err); want != nil {
			v := e.at(e.base, err.InstanceLocation)
			e.wrongType(v, want)
			return
		}
		e.explain(meant(err))
	default:
		e.explainOne(err)
	}
}

// explainAll explains several faults. Fields that are missing and fields that are unknown are seen together: a misspelt
// name is one mistake.
func (e *explainer) explainAll(errs []*jsonschema.ValidationError) {
	unknown := map[string][]string{}
	for _, err := range errs {
		if k, ok := err.ErrorKind.(*kind.AdditionalProperties); ok {
			at := strings.Join(err.InstanceLocation, "\x00")
			unknown[at] = append(unknown[at], k.Properties...)
		}
	}
	for _, err := range errs {
		if k, ok := err.ErrorKind.(*kind.Required); ok {
			var missing []string
			for _, name := range k.Missing {
				if nearestKey(name, unknown[strings.Join(err.InstanceLocation, "\x00")]) == "" {
					missing = append(missing, name)
				}
			}
			e.missing(err, missing)
			continue
		}
		e.explain(err)
	}
}

// explainOne explains a fault that has no parts.
func (e *explainer) explainOne(err *jsonschema.ValidationError) {
	v := e.at(e.base, err.InstanceLocation)
	schema := e.schema.object(schemaPath(err.SchemaURL))
	name := last(v.at.Pointer)
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		e.missing(err, k.Missing)
	case *kind.AdditionalProperties:
		e.unknown(err, v, schema, k.Properties)
	case *kind.Type:
		e.wrongType(v, k.Want)
	case *kind.Enum:
		e.notOneOf(v, k.Got, k.Want)
	case *kind.Const:
		e.notOneOf(v, k.Got, []any{k.Want})
	case *kind.Format:
		e.format(v.at, name, k)
	case *kind.Pattern:
		e.pattern(v.at, name, k)
	case *kind.UniqueItems:
		second := e.child(v, fmt.Sprint(k.Duplicates[1]))
		e.say("document/duplicate-item", second.at, "remove one of the two",
			fmt.Sprintf("%s is the same as item %d", last(second.at.Pointer), k.Duplicates[0]))
	case *kind.Not:
		e.not(v, schema)
	default:
		e.say("document/invalid-value", v.at, "", e.bound(name, err.ErrorKind))
	}
}

// bound puts a limit that was passed into words.
func (e *explainer) bound(name string, k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MinItems:
		return fmt.Sprintf("%s has to have %s", name, atLeast(k.Want, "item"))
	case *kind.MinProperties:
		return fmt.Sprintf("%s has to have %s", name, atLeast(k.Want, "field"))
	case *kind.MinLength:
		return fmt.Sprintf("%s has to have %s", name, atLeast(k.Want, "character"))
	case *kind.MaxLength:
		return fmt.Sprintf("%s has more than %d characters", name, k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("%s has more than %d items", name, k.Want)
	case *kind.Minimum:
		return fmt.Sprintf("%s has to be at least %s", name, k.Want.RatString())
	case *kind.Maximum:
		return fmt.Sprintf("%s has to be at most %s", name, k.Want.RatString())
	case *kind.ExclusiveMinimum:
		return fmt.Sprintf("%s has to be more than %s", name, k.Want.RatString())
	case *kind.OneOf:
		return name + " can be read in two ways: it has fields of both"
	}
	return fmt.Sprintf("%s is not what AsyncAPI allows here (%s)", name, strings.Join(k.KeywordPath(), " "))
}

func atLeast(n int, what string) string {
	if n == 1 {
		return "at least one " + what
	}
	return fmt.Sprintf("at least %d %ss", n, what)
}

// missing reports fields that have to be there.
func (e *explainer) missing(err *jsonschema.ValidationError, names []string) {
	v := e.at(e.base, err.InstanceLocation)
	if len(names) > 0 && (e.referenceNotAllowed(v) || e.referenceMisspelt(v)) {
		return
	}
	for _, name := range names {
		e.say("document/missing-field", v.at, "", fmt.Sprintf("%s needs the field %s", nounOf(err, v), name))
	}
}

// unknown reports fields that there are not.
func (e *explainer) unknown(err *jsonschema.ValidationError, v value, schema map[string]any, names []string) {
	if e.referenceNotAllowed(v) || e.referenceMisspelt(v) {
		return
	}
	properties, _ := schema["properties"].(map[string]any)
	var known []string
	for name := range properties {
		known = append(known, name)
	}
	slices.Sort(known)
	what := nounOf(err, v)
	for _, name := range names {
		f := e.member(v, name)
		e.say("document/unknown-field", f.keyAt, e.unknownHint(definitionOf(err), schema, name, known), fmt.Sprintf("%s has no field %s", what, quote(name)))
	}
}

// referenceNotAllowed reports an object that is a reference where none may stand.
func (e *explainer) referenceNotAllowed(v value) bool {
	ref := e.member(v, "$ref")
	if !ref.isString() {
		return false
	}
	e.say("document/reference-not-allowed", ref.keyAt, "write out what "+quote(ref.node.Value)+" leads to",
		fmt.Sprintf("AsyncAPI %s allows no $ref for %s", e.doc.Version, last(v.at.Pointer)))
	return true
}

// referenceMisspelt reports an object that was meant to be a reference.
func (e *explainer) referenceMisspelt(v value) bool {
	f, ok := e.nearField(v, "$ref")
	if ok {
		e.say("document/unknown-field", f.keyAt, "did you mean $ref?", fmt.Sprintf("%s has no field %s", last(v.at.Pointer), quote(f.key)))
	}
	return ok
}

// wrongType reports a value of another type. Types are those of JSON Schema.
func (e *explainer) wrongType(v value, want []string) {
	if v.isObject() && e.referenceNotAllowed(v) {
		return
	}
	slices.SortStableFunc(want, func(a, b string) int { return cmp.Compare(typeOrder[a], typeOrder[b]) })
	names := make([]string, len(want))
	for i, w := range want {
		names[i] = typeNames[w]
	}
	hint := ""
	if slices.Contains(want, "object") && v.there() && v.isNull() {
		hint = emptyHint(v)
	} else if v.there() && slices.Contains(want, "string") && len(v.node.Content) == 0 && v.node.Value != "" && !v.isObject() && !v.isList() {
		hint = fmt.Sprintf("put it in quotes: %q", cut(v.node.Value))
	} else if v.isString() && len(want) == 1 && (want[0] == "boolean" || want[0] == "integer" || want[0] == "number") {
		hint = "write it without quotes, as " + typeNames[want[0]]
	}
	e.say("document/wrong-type", v.at, hint, fmt.Sprintf("%s has to be %s, not %s", last(v.at.Pointer), oneOf(names), v.kind()))
}

// typeOrder begins with what is meant most often.
var typeOrder = map[string]int{"object": 1, "array": 2, "string": 3, "integer": 4, "number": 5, "boolean": 6, "null": 7}

var typeNames = map[string]string{
	"string": "a string", "object": "an object", "array": "a list", "boolean": "true or false", "integer": "a whole number",
	"number": "a number", "null": "null",
}

// notOneOf reports a value that is none of those there are.
func (e *explainer) notOneOf(v value, got any, want []any) {
	words := make([]string, len(want))
	for i, w := range want {
		words[i] = plain(w)
	}
	hint := ""
	if near := nearestKey(plain(got), words); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	} else if len(words) <= 16 {
		hint = "write " + oneOf(words)
	}
	shown := v.kind()
	if s, ok := got.(string); ok {
		shown = quote(s)
	}
	e.say("document/invalid-value", v.at, hint, fmt.Sprintf("%s cannot be %s", last(v.at.Pointer), shown))
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "something"
	}
	return string(text)
}

// not reports what excludes something else.
func (e *explainer) not(v value, schema map[string]any) {
	excluded, _ := schema["not"].(map[string]any)
	required, _ := excluded["required"].([]any)
	for _, name := range required {
		if f := e.member(v, plain(name)); f.there() {
			e.say("document/unknown-field", f.keyAt, "remove it", fmt.Sprintf("%s cannot have the field %s beside its others", last(v.at.Pointer), quote(f.key)))
			return
		}
	}
	e.say("document/invalid-value", v.at, "", last(v.at.Pointer)+" is not what AsyncAPI allows here")
}

func cut(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
