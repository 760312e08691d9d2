package asyncapi

import "fmt"

// rules looks at what the text of the specification says and its JSON Schema cannot. What has no right shape is passed over:
// the schema has spoken of it. What leads nowhere too: the reader has.
func (j *judge) rules() {
	channels, components := j.part(j.root, "channels"), j.part(j.root, "components")
	j.componentKeys(components)
	j.tagLists()
	j.serverVariables(j.part(j.root, "servers"))
	j.serverVariables(j.part(components, "servers"))
	j.channelAddresses(channels, components)
	if j.major == 2 {
		j.serverNames(channels)
		j.serverNames(j.part(components, "channels"))
		j.uniqueIDs(channels)
	} else {
		j.channelServers(channels)
		j.operationTargets()
	}
	j.securityOfOperations(channels, components)
}

// part is the member of an object, with references followed.
func (j *judge) part(v value, key string) value {
	m := j.member(v, key).value
	if !m.isObject() {
		return m
	}
	resolved, _ := j.quietly(m)
	return resolved
}

// each calls a function with each member of an object, extensions left out, and what it leads to if that is an object.
func (j *judge) each(all value, do func(f field, v value)) {
	for _, f := range j.fields(all) {
		if extension(f.key) {
			continue
		}
		if v, ok := j.quietly(f.value); ok && v.isObject() {
			do(f, v)
		}
	}
}

// list is a list's items, with references followed.
func (j *judge) list(v value) []value {
	var list []value
	for _, item := range j.items(v) {
		if one, ok := j.quietly(item); ok && one.there() {
			list = append(list, one)
		}
	}
	return list
}

// eachOperation calls a function with each publish and subscribe of the channels of 2.x.
func (j *judge) eachOperation(channels value, do func(v value)) {
	j.each(channels, func(_ field, channel value) {
		for _, kind := range []string{"publish", "subscribe"} {
			if v := j.part(channel, kind); v.isObject() {
				do(v)
			}
		}
	})
}

// eachMessage calls a function with each message of an operation of 2.x.
func (j *judge) eachMessage(operation value, do func(v value)) {
	message := j.part(operation, "message")
	if all := j.member(message, "oneOf").value; all.isList() {
		for _, one := range j.list(all) {
			do(one)
		}
		return
	}
	if message.isObject() {
		do(message)
	}
}

// str is a member that is a string.
func (j *judge) str(v value, key string) (Text, bool) {
	m := j.member(v, key).value
	if !m.isString() {
		return Text{}, false
	}
	return Text{Place: m.at, Value: m.node.Value}, true
}

// line tells where something else stands, for messages.
func (j *judge) line(here, there Place) string {
	if here.File != there.File {
		return fmt.Sprintf("in %s, line %d", there.File, there.Line)
	}
	return fmt.Sprintf("on line %d", there.Line)
}
