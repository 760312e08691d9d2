package orgpolicy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/asyncgate/asyncgate/plan"
)

var escape = strings.NewReplacer("~", "~0", "/", "~1")

var printer = message.NewPrinter(language.English)

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
	slices.SortFunc(r.problems, func(a, b plan.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
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
	what := "the policy"
	if n := len(e.InstanceLocation); n > 0 {
		what = fmt.Sprintf("%q", e.InstanceLocation[n-1])
	}
	at := r.places[pointer]
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			child := pointer + "/" + escape.Replace(key)
			r.fault("policy/unknown-key", r.keys[child], child, "known here: "+strings.Join(keysAt(e.InstanceLocation), ", "),
				"%s has no key %q", what, key)
		}
	case *kind.Type:
		r.fault("policy/wrong-type", at, pointer, "", "%s has to be of type %s, not %s", what, strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		r.fault("policy/invalid-value", at, pointer, "write one of "+list(k.Want), "%s: %s is none of the values there are", what, list([]any{k.Got}))
	default:
		r.fault("policy/invalid-value", at, pointer, "", "%s: %s", what, strings.ReplaceAll(e.ErrorKind.LocalizedString(printer), "\n", " "))
	}
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
