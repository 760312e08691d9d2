package asyncapi

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// unknownHint says what to do about a field that an object does not have.
func (e *explainer) unknownHint(definition string, schema map[string]any, name string, known []string) string {
	if near := nearestKey(name, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if came := since[definition+"/"+name]; came != "" {
		return fmt.Sprintf("%s came with AsyncAPI %s: raise the version, or leave it out", name, came)
	}
	if hint := moved[[2]any{e.major, name}]; hint != "" {
		return hint
	}
	hint := "remove it"
	if _, ok := schema["patternProperties"].(map[string]any); ok {
		hint += ", or begin its name with x-"
	}
	if len(known) > 0 && len(known) <= 12 {
		hint += "; there is " + oneOf(known)
	}
	return hint
}

// since are fields that later versions of 2.x brought, by the definitions of the official schemas.
var since = map[string]string{
	"channelItem/servers": "2.2.0", "components/servers": "2.3.0", "components/channels": "2.3.0",
	"operation/security": "2.4.0", "operationTrait/security": "2.4.0", "message/messageId": "2.4.0", "messageTrait/messageId": "2.4.0",
	"components/serverVariables": "2.4.0", "server/tags": "2.5.0",
}

// moved says of fields where the other major version, or OpenAPI, has them.
var moved = map[[2]any]string{
	{3, "publish"}:    "3.x has no publish: write an operation with action: receive and this channel under operations",
	{3, "subscribe"}:  "3.x has no subscribe: write an operation with action: send and this channel under operations",
	{3, "tags"}:       "in 3.x the tags of the whole document stand in info",
	{3, "message"}:    "3.x has messages, under the channel",
	{3, "schema"}:     "a parameter of 3.x has no schema: write enum, default and examples beside it",
	{2, "operations"}: "2.x has publish and subscribe under each channel; operations came with 3.0.0",
	{2, "address"}:    "in 2.x the name of a channel is its address",
	{2, "messages"}:   "2.x has message, under publish and subscribe",
	{2, "host"}:       "2.x has url",
	{2, "paths"}:      "AsyncAPI has channels",
	{3, "paths"}:      "AsyncAPI has channels",
}

// format reports a text of another form than the schema names.
func (e *explainer) format(at Place, name string, k *kind.Format) {
	got, _ := k.Got.(string)
	said := map[string][2]string{
		"our-uri":          {"an absolute URL", "write it as https://example.org/…"},
		"our-email":        {"an e-mail address", "write it as name@example.org"},
		"our-uri-template": {"a URI template", "write parameters as {name}, with letters, digits and _"},
		"our-regex":        {"a regular expression", "look at its brackets and parentheses"},
		"uuid":             {"a UUID", ""},
	}[k.Want]
	if said[0] == "" {
		said[0] = "a " + k.Want
	}
	e.say("document/invalid-format", at, said[1], fmt.Sprintf("%s has to be %s, not %s", name, said[0], quote(got)))
}

// pattern reports a text that does not match.
func (e *explainer) pattern(at Place, name string, k *kind.Pattern) {
	if strings.HasPrefix(k.Want, `^\$message`) {
		e.say("document/invalid-format", at, "write $message.header#/… or $message.payload#/…",
			fmt.Sprintf("%s has to be a runtime expression, not %s", name, quote(k.Got)))
		return
	}
	e.say("document/invalid-format", at, "it has to match "+k.Want, fmt.Sprintf("%s cannot be %s", name, quote(k.Got)))
}
