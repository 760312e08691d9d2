package orgpolicy

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// compiled is the schema, ready to be used.
var compiled = sync.OnceValue(func() *jsonschema.Schema {
	const name = "policy.json"
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		panic(err) // it is in the program
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, parsed); err != nil {
		panic(err)
	}
	return c.MustCompile(name)
})

// validate reports what the schema does not allow, one problem a place.
func (r *reader) validate(value any) {
	invalid := (*jsonschema.ValidationError)(nil)
	if err := compiled().Validate(value); !errors.As(err, &invalid) {
		return
	}
	r.causes(invalid)
}

func (r *reader) causes(e *jsonschema.ValidationError) {
	for _, cause := range e.Causes {
		r.causes(cause)
	}
	if len(e.Causes) > 0 {
		return
	}
	pointer := ""
	for _, token := range e.InstanceLocation {
		pointer += "/" + escape.Replace(token)
	}
	what, at := nameOf(e.InstanceLocation), r.places[pointer]
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			child := pointer + "/" + escape.Replace(key)
			r.fault("policy/unknown-key", r.keys[child], child, "known here: "+strings.Join(keysAt(e.InstanceLocation), ", "),
				"%s has no key %q", what, key)
		}
	case *kind.Type:
		r.fault("policy/wrong-type", at, pointer, "", "%s has to be %s, not %s", what, typeNames[k.Want[0]], typeNames[k.Got])
	case *kind.Enum:
		r.fault("policy/invalid-value", at, pointer, "write one of "+list(k.Want), "%s: %s is none of the values there are", what, list([]any{k.Got}))
	case *kind.MinItems, *kind.MinLength:
		r.fault("policy/invalid-value", at, pointer, "leave it out if nothing is asked for", "%s is empty", what)
	case *kind.Minimum:
		r.fault("policy/invalid-value", at, pointer, "leave it out if none are needed", "%s has to be 1 or more", what)
	default:
		r.fault("policy/invalid-value", at, pointer, "", "%s cannot have this value", what)
	}
}

// typeNames are the types of JSON in words.
var typeNames = map[string]string{
	"object": "an object", "array": "a list", "string": "a string", "boolean": "true or false", "integer": "a whole number",
	"number": "a number", "null": "empty",
}

// nameOf is what a place is called in messages.
func nameOf(location []string) string {
	if len(location) == 0 {
		return "the policy"
	}
	last := location[len(location)-1]
	if _, err := strconv.Atoi(last); err == nil {
		return "item " + last + " of " + nameOf(location[:len(location)-1])
	}
	return strings.Trim(strconv.Quote(last), `"`)
}

// list is values for a message.
func list(values []any) string {
	var words []string
	for _, v := range values {
		if s, ok := v.(string); ok && len(values) > 1 {
			words = append(words, s)
		} else {
			words = append(words, fmt.Sprintf("%q", fmt.Sprint(v)))
		}
	}
	return strings.Join(words, ", ")
}

// keysAt are the keys that the schema knows in an object of the policy.
func keysAt(location []string) []string {
	s := compiled()
	for _, token := range location {
		if s = s.Properties[token]; s == nil {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(s.Properties))
}
