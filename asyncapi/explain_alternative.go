package asyncapi

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// meant is the alternative that a value was probably meant to be: the one with which least is wrong.
func meant(err *jsonschema.ValidationError) *jsonschema.ValidationError {
	depth := len(err.InstanceLocation)
	best, least := err.Causes[0], distance(err.Causes[0], depth)
	for _, alternative := range err.Causes[1:] {
		if d := distance(alternative, depth); d < least {
			best, least = alternative, d
		}
	}
	return best
}

// discriminators are fields whose value says what an object is.
var discriminators = map[string]bool{
	"type": true, "scheme": true, "in": true, "bindingVersion": true, "destinationType": true, "is": true, "schemaFormat": true,
}

// Distances: a value of another type is not meant at all; a discriminator of another value hardly; a field that is missing
// is further from a match than one that is too many, and what is wrong deeper down less than either.
const (
	otherType  = 10_000
	otherValue = 1000
	excluded   = 200
	fieldShort = 20
	fieldOver  = 10
	deeper     = 1
)

// distance measures how far a value is from an alternative; depth is where the alternative is tried.
func distance(err *jsonschema.ValidationError, depth int) int {
	here := len(err.InstanceLocation) == depth
	switch k := err.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		if len(err.Causes) == 0 {
			return fieldOver
		}
		return distance(meant(err), depth)
	case *kind.Type:
		if here {
			return otherType
		}
	case *kind.Enum, *kind.Const:
		if here {
			return otherType / 2
		}
		if len(err.InstanceLocation) == depth+1 && discriminators[err.InstanceLocation[depth]] {
			return otherValue
		}
	case *kind.Not:
		return excluded
	case *kind.Required:
		if here {
			return fieldShort * len(k.Missing)
		}
	case *kind.AdditionalProperties:
		if here {
			return fieldOver * len(k.Properties)
		}
	}
	if len(err.Causes) == 0 {
		return deeper
	}
	sum := 0
	for _, cause := range err.Causes {
		sum += distance(cause, depth)
	}
	return sum
}

// kindsWanted are the types that the alternatives ask for, if a value is of none of them. Nil if some alternative takes its
// type.
func kindsWanted(err *jsonschema.ValidationError) []string {
	var want []string
	for _, alternative := range err.Causes {
		types := typesWanted(alternative, len(err.InstanceLocation))
		if types == nil {
			return nil
		}
		for _, t := range types {
			if !slices.Contains(want, t) {
				want = append(want, t)
			}
		}
	}
	return want
}

func typesWanted(err *jsonschema.ValidationError, depth int) []string {
	if len(err.InstanceLocation) != depth {
		return nil
	}
	switch k := err.ErrorKind.(type) {
	case *kind.Type:
		return k.Want
	case *kind.AnyOf, *kind.OneOf:
		return kindsWanted(err)
	}
	for _, cause := range err.Causes {
		if types := typesWanted(cause, depth); types != nil {
			return types
		}
	}
	return nil
}

// nouns are what the definitions of the official schemas are called in messages.
var nouns = map[string]string{
	"": "the document", "info": "info", "contact": "contact", "license": "license", "server": "a server", "serverVariable": "a server variable",
	"channel": "a channel", "channelItem": "a channel", "operation": "an operation", "operationTrait": "an operation trait",
	"message": "a message", "messageObject": "a message", "messageTrait": "a message trait", "parameter": "a parameter",
	"correlationId": "a correlation id", "schema": "a schema", "tag": "a tag", "externalDocs": "externalDocs", "components": "components",
	"operationReply": "a reply", "operationReplyAddress": "a reply address", "Reference": "a reference", "SecurityScheme": "a security scheme",
	"multiFormatSchema": "a schema with a format", "oauth2Flow": "a flow", "messageExampleObject": "an example",
}

// definitionOf is the definition of the official schema that an error comes from, or empty.
func definitionOf(err *jsonschema.ValidationError) string {
	if tokens := schemaPath(err.SchemaURL); len(tokens) > 1 && tokens[0] == "definitions" {
		return tokens[1]
	}
	return ""
}

// nounOf names the object that an error is about.
func nounOf(err *jsonschema.ValidationError, v value) string {
	tokens := schemaPath(err.SchemaURL)
	if len(tokens) == 0 {
		return nouns[""]
	}
	if tokens[0] == "definitions" && len(tokens) > 1 && !slices.Contains(tokens[2:], "properties") && !slices.Contains(tokens[2:], "items") {
		if noun := nouns[tokens[1]]; noun != "" {
			return noun
		}
	}
	return last(v.at.Pointer)
}

// schemaPath is where in the schema an error comes from.
func schemaPath(url string) []string {
	_, pointer, _ := strings.Cut(url, "#")
	var tokens []string
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if token != "" {
			tokens = append(tokens, plainToken(token))
		}
	}
	return tokens
}
