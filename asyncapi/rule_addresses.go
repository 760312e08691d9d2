package asyncapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/internal/spelling"
)

// inBraces are the {names} of an address.
var inBraces = regexp.MustCompile(`\{([^{}]*)\}`)

func namesIn(address string) []string {
	var names []string
	for _, match := range inBraces.FindAllStringSubmatch(address, -1) {
		if !slices.Contains(names, match[1]) {
			names = append(names, match[1])
		}
	}
	return names
}

// channelAddresses looks at the addresses of channels. In 2.x an address is the channel's name, in 3.x a field; channels
// among the components of 2.x have none.
func (j *judge) channelAddresses(channels, components value) {
	if j.major == 2 {
		for _, f := range j.fields(channels) {
			if extension(f.key) {
				continue
			}
			address := Text{Place: f.keyAt, Value: f.key}
			if template.MatchString(f.key) && f.key != "" {
				j.delimiters(address)
			} else {
				j.say("document/invalid-key", f.keyAt, "write parameters as {name}, with letters, digits and _, and nothing else in braces",
					fmt.Sprintf("%s is no name for a channel: it has to be a URI template", quote(f.key)))
			}
			if channel, ok := j.quietly(f.value); ok {
				j.parameters(address, true, j.part(channel, "parameters"))
			}
		}
		return
	}
	for _, all := range []value{channels, j.part(components, "channels")} {
		j.each(all, func(_ field, channel value) {
			address, stated := j.str(channel, "address")
			if stated {
				j.delimiters(address)
			} else {
				address.Place = channel.at
			}
			j.parameters(address, stated, j.part(channel, "parameters"))
		})
	}
}

// delimiters looks for what begins a query or a fragment: "Query parameters and fragments SHALL NOT be used" (Channels
// Object).
func (j *judge) delimiters(address Text) {
	bare := inBraces.ReplaceAllString(address.Value, "")
	if i := strings.IndexAny(bare, "?#"); i >= 0 {
		what, hint := "a query", "describe it in bindings.ws.query"
		if bare[i] == '#' {
			what, hint = "a fragment", "if it is an MQTT wildcard, name each level as a {parameter}"
		}
		j.say("document/channel-address", address.Place, hint, fmt.Sprintf("channel address %s has %s, from %q on", quote(address.Value), what, bare[i:i+1]))
	}
}

// parameters holds the parameters of a channel against its address: "This map MUST contain all the parameters used in the
// parent channel name" (Parameters Object). A channel without the map leaves its parameters open, and a parameter that the
// address does not use is not forbidden: these are warnings.
func (j *judge) parameters(address Text, stated bool, declared value) {
	used := namesIn(address.Value)
	if !declared.isObject() {
		if len(used) > 0 && !declared.there() {
			j.note(Warning, "document/undeclared-parameter", address.Place, "add parameters: {"+used[0]+": {}}",
				fmt.Sprintf("parameter %s of channel address %s is not declared", quote(used[0]), quote(address.Value)))
		}
		return
	}
	names := j.keys(declared)
	for _, f := range j.fields(declared) {
		if slices.Contains(used, f.key) || extension(f.key) {
			continue
		}
		if strings.ContainsAny(f.key, misleading+"{}") {
			j.say("document/invalid-key", f.keyAt, "use letters, digits, _ and -", fmt.Sprintf("%s is no name for a parameter", quote(f.key)))
			continue
		}
		if near := spelling.Nearest(f.key, missing(used, names)); near != "" {
			j.say("document/undeclared-parameter", f.keyAt, fmt.Sprintf("did you mean %s?", near),
				fmt.Sprintf("parameter %s is not in channel address %s", quote(f.key), quote(address.Value)))
			continue
		}
		j.unused(f, address, stated)
	}
	for _, name := range missing(used, names) {
		if spelling.Nearest(name, missing(names, used)) == "" { // else it was said where it is misspelt
			j.say("document/undeclared-parameter", declared.at, "add "+name+" to the parameters",
				fmt.Sprintf("parameter %s of channel address %s is not declared", quote(name), quote(address.Value)))
		}
	}
}

func (j *judge) unused(f field, address Text, stated bool) {
	if !stated {
		j.note(Warning, "document/unused-parameter", f.keyAt, "write the address, with {"+f.key+"} in it",
			fmt.Sprintf("the channel has no address that parameter %s could be in", quote(f.key)))
		return
	}
	j.note(Warning, "document/unused-parameter", f.keyAt, "write {"+f.key+"} into the address, or remove the parameter",
		fmt.Sprintf("parameter %s is not in channel address %s", quote(f.key), quote(address.Value)))
}

func (j *judge) keys(v value) []string {
	var keys []string
	for _, f := range j.fields(v) {
		keys = append(keys, f.key)
	}
	return keys
}

// missing are the words that are not among others.
func missing(words, others []string) []string {
	var list []string
	for _, w := range words {
		if !slices.Contains(others, w) {
			list = append(list, w)
		}
	}
	return list
}

// serverVariables holds the variables of servers against their addresses. The specification is silent about what is not
// declared or not used: a plan needs values, and asks for them.
func (j *judge) serverVariables(servers value) {
	j.each(servers, func(_ field, server value) {
		var used []string
		var address Text
		for _, key := range []string{"url", "host", "pathname"} {
			if part, ok := j.str(server, key); ok {
				used = append(used, namesIn(part.Value)...)
				if !address.Stated() {
					address = part
				}
			}
		}
		if !address.Stated() {
			return
		}
		declared := j.part(server, "variables")
		names := j.keys(declared)
		for _, name := range missing(used, names) {
			hint := "add it to variables, with its default or enum"
			if near := spelling.Nearest(name, missing(names, used)); near != "" {
				hint = fmt.Sprintf("did you mean {%s}?", near)
			}
			j.note(Warning, "document/undeclared-variable", address.Place, hint, fmt.Sprintf("variable %s of the address is not declared", quote(name)))
		}
		for _, f := range j.fields(declared) {
			if !slices.Contains(used, f.key) && !extension(f.key) && spelling.Nearest(f.key, missing(used, names)) == "" {
				j.note(Warning, "document/unused-variable", f.keyAt, "write {"+f.key+"} into the address, or remove it",
					fmt.Sprintf("variable %s is not in the server's address", quote(f.key)))
			}
		}
	})
}
