package asyncapi

import (
	"bytes"
	_ "embed"
	"errors"
	"maps"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// bindingSchemas are definitions for the bindings of 2.x that the gateway reads, in the form of the official schemas. Those
// of 2.x take anything for a binding; the texts of the bindings do not.
//
//go:embed bindings2.json
var bindingSchemas []byte

// bindingSites are the definitions of 2.x with bindings, and which kind they have.
var bindingSites = map[string]string{
	"server": "serverBindings", "channelItem": "channelBindings",
	"operation": "operationBindings", "operationTrait": "operationBindings",
	"message": "messageBindings", "messageTrait": "messageBindings",
}

// prepare makes four changes to an official schema. None changes what is valid, but where the schema is at odds with its
// specification:
//
//   - "oneOf: [Reference, X]" becomes "referenceOr: X": an object with a $ref is a reference, anything else is X. In 2.0 to
//     2.4 many an X allows a $ref of its own, so that a reference is both and oneOf fails (the official examples do). It is
//     also what a person means, so what is wrong with X can be said.
//   - A schema object was checked against draft 7 at every level for all levels below, which costs the square of the depth.
//     Now each level is checked once.
//   - In 3.x, true and false are schemas, as in JSON Schema: the official schema takes every value that is no object for one
//     with a format.
//   - In 2.x, bindings for Kafka, MQTT and WebSocket have to be what their texts say.
func prepare(source map[string]any, v2 bool) error {
	definitions, _ := source["definitions"].(map[string]any)
	if err := flattenDraft7(definitions); err != nil {
		return err
	}
	if condition, ok := object(definitions, "anySchema", "if"); ok {
		condition["type"] = "object"
	}
	if v2 {
		// The library loses the place of a bad name; channelAddresses looks at them.
		if channels, ok := object(definitions, "channels"); ok {
			delete(channels, "propertyNames")
		}
		if channel, ok := object(definitions, "channelItem"); ok {
			channel["refersTo"] = map[string]any{"$ref": "#/definitions/channelItem"}
		}
		if err := typeBindings(definitions); err != nil {
			return err
		}
	}
	rewrite(source)
	return nil
}

// object is what a path of keys leads to, if that is an object.
func object(at map[string]any, path ...string) (map[string]any, bool) {
	for _, key := range path {
		next, ok := at[key].(map[string]any)
		if !ok {
			return nil, false
		}
		at = next
	}
	return at, true
}

const (
	draft7     = "json-schema-draft-07-schema"
	flatDraft7 = "json-schema-draft-07-one-level"
	reference  = "#/definitions/Reference"
)

// flattenDraft7 gives the definition schema a copy of draft 7 that does not go down where the definition goes down itself.
func flattenDraft7(definitions map[string]any) error {
	meta, _ := object(definitions, draft7)
	properties, _ := object(definitions, draft7, "properties")
	own, _ := object(definitions, "schema")
	all, _ := own["allOf"].([]any)
	if len(all) != 2 || properties == nil || all[0].(map[string]any)["$ref"] != "#/definitions/"+draft7 {
		return errors.New("the definition schema is not draft 7 and more")
	}
	flat, kept := maps.Clone(meta), maps.Clone(properties)
	below, _ := all[1].(map[string]any)["properties"].(map[string]any)
	for name := range below {
		delete(kept, name)
	}
	delete(flat, "definitions")
	flat["properties"] = kept
	definitions[flatDraft7] = flat
	all[0] = map[string]any{"$ref": "#/definitions/" + flatDraft7}
	own["refersTo"] = map[string]any{"$ref": "#/definitions/schema"}
	return nil
}

// typeBindings gives each place of 2.x that has bindings the definition of its kind.
func typeBindings(definitions map[string]any) error {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(bindingSchemas))
	if err != nil {
		return err
	}
	for name, definition := range parsed.(map[string]any) {
		definitions[name] = definition
	}
	for site, kind := range bindingSites {
		replaceBindings(definitions[site], "#/definitions/"+kind)
	}
	properties, _ := object(definitions, "components", "properties")
	for _, kind := range bindingSites {
		if member, ok := properties[kind].(map[string]any); ok {
			member["additionalProperties"] = map[string]any{"$ref": "#/definitions/" + kind}
		}
	}
	return nil
}

func replaceBindings(at any, with string) {
	switch v := at.(type) {
	case map[string]any:
		if v["$ref"] == "#/definitions/bindingsObject" {
			v["$ref"] = with
		}
		for _, child := range v {
			replaceBindings(child, with)
		}
	case []any:
		for _, child := range v {
			replaceBindings(child, with)
		}
	}
}

// rewrite introduces referenceOr, and the formats of ours.
func rewrite(at any) {
	switch v := at.(type) {
	case map[string]any:
		for _, keyword := range []string{"oneOf", "anyOf"} {
			if list, ok := v[keyword].([]any); ok {
				rewriteAlternatives(v, keyword, list)
			}
		}
		if format, ok := v["format"].(string); ok {
			v["format"] = ourFormat(format)
		}
		for _, child := range v {
			rewrite(child)
		}
	case []any:
		for _, child := range v {
			rewrite(child)
		}
	}
}

func rewriteAlternatives(v map[string]any, keyword string, list []any) {
	var others []any
	for _, alternative := range list {
		if !isReference(alternative) {
			others = append(others, alternative)
		}
	}
	if len(others) == len(list) || len(others) == 0 {
		return
	}
	delete(v, keyword)
	if len(others) == 1 {
		v["referenceOr"] = others[0]
		return
	}
	v["referenceOr"] = map[string]any{keyword: others}
}

// isReference reports whether an alternative is the definition Reference, of AsyncAPI or of OpenAPI. The Avro schema has
// references of another kind.
func isReference(alternative any) bool {
	object, _ := alternative.(map[string]any)
	to, _ := object["$ref"].(string)
	return to == reference || to == "#/definitions/openapiSchema_3_0/definitions/Reference"
}

// listIndex is a token of a pointer as the index of a list, or -1.
func listIndex(token string) int {
	i, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(i) != token {
		return -1
	}
	return i
}
