package asyncapi

import (
	"fmt"
	"strings"
)

// serverNames looks at the servers that channels of 2.x name.
func (j *judge) serverNames(channels value) {
	servers := j.part(j.root, "servers")
	j.each(channels, func(_ field, channel value) {
		for _, item := range j.items(j.member(channel, "servers").value) {
			if !item.isString() || j.member(servers, item.node.Value).there() {
				continue
			}
			j.say("document/undefined-server", item.at, j.choices(servers, item.node.Value), fmt.Sprintf("there is no server %s in servers", quote(item.node.Value)))
		}
	})
}

// channelServers looks at the servers that channels of 3.x refer to: those of a channel under channels "MUST point to a subset
// of server definitions located in the root Servers Object" (Channel Object).
func (j *judge) channelServers(channels value) {
	for _, f := range j.fields(channels) {
		if j.isReference(f.value) {
			continue // a channel of the components may be of servers of the components
		}
		for _, item := range j.items(j.member(f.value, "servers").value) {
			j.leadsInto(item, "servers", "a server", "document/server-reference")
		}
	}
}

// hop is what a reference points at itself, which may be a reference again.
func (j *judge) hop(v value) (ref Text, target value, ok bool) {
	ref, ok = j.str(v, "$ref")
	if !ok {
		return ref, value{}, false
	}
	j.muted = true
	target, ok = j.target(ref)
	j.muted = false
	return ref, target, ok
}

// leadsInto reports a reference that does not lead to an entry of a root object of the document.
func (j *judge) leadsInto(v value, root, what, code string) bool {
	ref, target, ok := j.hop(v)
	if !ok && (!ref.Stated() || strings.HasPrefix(ref.Value, "#")) {
		return false // said already
	}
	if ok && target.at.File == j.root.at.File && parent(target.at.Pointer) == "/"+root {
		return true
	}
	hint := "write #/" + root + "/NAME"
	if entry := j.entry(root, v); entry != "" {
		hint = "write #" + entry
	}
	j.say(code, ref.Place, hint, fmt.Sprintf("reference %s does not lead to %s under %s", quote(ref.Value), what, root))
	return false
}

// operationTargets looks at where the operations of 3.x lead.
func (j *judge) operationTargets() {
	for _, f := range j.fields(j.part(j.root, "operations")) {
		if !extension(f.key) {
			j.operationTarget(f.value, !j.isReference(f.value))
		}
	}
	j.each(j.part(j.part(j.root, "components"), "operations"), func(_ field, operation value) { j.operationTarget(operation, false) })
}

// operationTarget looks at one operation. The channel of one that stands under operations "MUST point to a channel definition
// located in the root Channels Object"; its messages "MUST point to a subset of the messages defined in the channel"
// (Operation Object). The same is said of its reply (Operation Reply Object), of which nothing is enforced but the channel:
// what is wrong with the rest is a warning.
func (j *judge) operationTarget(v value, rooted bool) {
	operation, ok := j.quietly(v)
	if !ok || !operation.isObject() {
		return
	}
	channel := j.member(operation, "channel").value
	if !rooted || j.leadsInto(channel, "channels", "a channel", "document/channel-reference") {
		j.messagesOf(operation, channel, Error)
	}
	reply := j.part(operation, "reply")
	to := j.member(reply, "channel").value
	if !to.isObject() {
		return
	}
	if !rooted || j.leadsInto(to, "channels", "a channel", "document/channel-reference") {
		j.messagesOf(reply, to, Warning)
	}
	if to, ok = j.quietly(to); !ok || !j.member(reply, "address").there() {
		return
	}
	if address, stated := j.str(to, "address"); stated {
		j.note(Warning, "document/reply-address", j.member(reply, "address").keyAt, "leave the address of the reply out, or write address: null in the channel",
			fmt.Sprintf("the reply has an address, and its channel has one too: %s", quote(address.Value)))
	}
}

// notInURI are characters that a URI cannot carry as they are (RFC 3986), and that names of channels have.
const notInURI = "{}[]<>|^`\\\" "

// messagesOf looks whether messages are those of a channel, and referred to through it. To refer to a message where it is
// described is a warning if the reference through the channel would be hard to write: converters to 3.0 did so.
func (j *judge) messagesOf(v, reference value, severity Severity) {
	channel, ok := j.quietly(reference)
	if !ok || !channel.isObject() {
		return
	}
	own := j.part(channel, "messages")
	path, _ := j.str(reference, "$ref")
	for _, item := range j.items(j.member(v, "messages").value) {
		ref, target, ok := j.hop(item)
		if !ok || own.there() && target.at.File == own.at.File && parent(target.at.Pointer) == own.at.Pointer ||
			strings.HasPrefix(ref.Value, path.Value+"/messages/") {
			continue
		}
		if key, same := j.leadingTo(own, target); same {
			how := severity
			if strings.ContainsAny(path.Value, notInURI) {
				how = Warning
			}
			j.note(how, "document/message-reference", ref.Place, "write "+path.Value+"/messages/"+escapePointer.Replace(key),
				fmt.Sprintf("message %s has to be referred to in channel %s", quote(ref.Value), quote(path.Value)))
			continue
		}
		hint := j.choices(own, "")
		if hint == "" {
			hint = "add it to the messages of the channel"
		}
		j.note(severity, "document/message-reference", ref.Place, hint,
			fmt.Sprintf("message %s is not one of the messages of channel %s", quote(ref.Value), quote(path.Value)))
	}
}

// leadingTo is the key of the member of an object that leads to the same as a value.
func (j *judge) leadingTo(all, v value) (string, bool) {
	v, ok := j.quietly(v)
	if !ok {
		return "", false
	}
	for _, f := range j.fields(all) {
		if same, ok := j.quietly(f.value); ok && same.node == v.node {
			return f.key, true
		}
	}
	return "", false
}
