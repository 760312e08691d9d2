package asyncapi

import "github.com/santhosh-tekuri/jsonschema/v6"

// lead is a reference that the schema met, and what it has to lead to.
type lead struct {
	from   map[string]any // the object with the $ref
	schema *jsonschema.Schema
}

// vocabulary has the two keywords of ours. Both are true of an object with a $ref, and leave a lead, so that what the
// reference leads to can be held against the schema where it stands, once, and cycles end.
//
//	referenceOr: S   is S for anything else
//	refersTo: S      is true of anything else
func (s *schema) vocabulary() *jsonschema.Vocabulary {
	return &jsonschema.Vocabulary{
		URL:        "asyncapi:references",
		Subschemas: []jsonschema.SchemaPath{{jsonschema.Prop("referenceOr")}, {jsonschema.Prop("refersTo")}},
		Compile: func(ctx *jsonschema.CompilerContext, keywords map[string]any) (jsonschema.SchemaExt, error) {
			if _, ok := keywords["referenceOr"]; ok {
				ref, err := ctx.EnqueueRef(reference)
				return &referenceOr{of: s, ref: ref, other: ctx.Enqueue([]string{"referenceOr"})}, err
			}
			if _, ok := keywords["refersTo"]; ok {
				return &refersTo{of: s, to: ctx.Enqueue([]string{"refersTo"})}, nil
			}
			return nil, nil
		},
	}
}

type referenceOr struct {
	of         *schema
	ref, other *jsonschema.Schema
}

// Validate implements jsonschema.SchemaExt.
func (k *referenceOr) Validate(ctx *jsonschema.ValidatorContext, v any) {
	if k.of.noteLead(v, k.other) {
		return
	}
	what := k.other
	if object, ok := v.(map[string]any); ok {
		if _, ok := object["$ref"]; ok { // and is no string
			what = k.ref
		}
	}
	if err := ctx.Validate(what, v, nil); err != nil {
		ctx.AddErr(err)
	}
}

type refersTo struct {
	of *schema
	to *jsonschema.Schema
}

// Validate implements jsonschema.SchemaExt.
func (k *refersTo) Validate(_ *jsonschema.ValidatorContext, v any) { k.of.noteLead(v, k.to) }

// noteLead reports whether v is a reference, with a string for its $ref.
func (s *schema) noteLead(v any, to *jsonschema.Schema) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	if _, ok := object["$ref"].(string); !ok {
		return false
	}
	s.leads = append(s.leads, lead{from: object, schema: to})
	return true
}
