package asyncapi

// Operation is what the application that the document describes does in a channel. Its traits are merged into it.
type Operation struct {
	Place             // of the entry; in 2.x of publish or subscribe
	Name       string // its key; in 2.x operationId, or the channel and the verb
	Definition Place

	Action  Text     // send or receive; in 2.x publish or subscribe
	Channel *Channel // nil if it could not be found
	Title   Text     // 3.x
	Summary Text

	Security *Security  // to be met besides the server's; nil: none of its own
	Messages []*Message // of the channel; empty: all of them
	Reply    *Reply     // 3.x
	Tags     []Tag

	Bindings []Binding
	Kafka    *KafkaOperation
	MQTT     *MQTTOperation

	// Broken says that something that bears on who may do what could not be read; a problem says what. A requirement that
	// is broken is marked itself.
	Broken bool
}

// Reply is where the answer to a message goes.
type Reply struct {
	Place
	Definition Place
	Channel    *Channel // nil: none is stated, or it could not be found
	Location   Text     // a runtime expression: where in the request the address is found
	Messages   []*Message
	Broken     bool
}

// operations reads the operations of a document: in 3.x its operations, in 2.x those of its channels.
func (r *reader) operations(channels []Channel) []Operation {
	if r.major == 2 {
		return r.verbs(channels)
	}
	return r.operationMap(r.get(r.root, "operations"), channels, true)
}

func (r *reader) operationMap(v value, channels []Channel, root bool) []Operation {
	all, ok := r.object(v, "operations")
	if !ok {
		return nil
	}
	var list []Operation
	for _, f := range r.fields(all) {
		if extension(f.key) {
			continue
		}
		o := Operation{Place: f.keyAt, Name: f.key}
		if root {
			o.Pointer, o.File = member("/operations", f.key), r.root.at.File
		}
		before := r.faults
		v, ok := r.object(f.value, "an operation")
		if ok {
			o.Definition = v.at
			v, ok = r.withTraits(v, "an operation trait", "action", "channel", "messages", "reply")
			o.Action = r.action(v)
			o.Channel = r.operationChannel(v, channels, root)
			r.readOperation(&o, v)
			o.Reply = r.reply(r.get(v, "reply"), channels)
		}
		o.Broken = !ok || r.faults != before
		faults := r.faults
		o.Messages = r.messageList(r.get(v, "messages"))
		r.faults = faults
		list = append(list, o)
	}
	return list
}

// action is send or receive.
func (r *reader) action(v value) Text {
	r.require(v, "an operation", "action")
	action := r.text(r.get(v, "action"))
	if action.Stated() && action.Value != "send" && action.Value != "receive" {
		r.fault("document/invalid-value", action.Place, "write action: send or action: receive", "%s is no action", quote(action.Value))
	}
	return action
}

// verbs reads the operations of 2.x.
func (r *reader) verbs(channels []Channel) []Operation {
	all, ok := r.object(r.get(r.root, "channels"), "channels")
	if !ok {
		return nil
	}
	var list []Operation
	for i := range channels {
		item, ok := r.object(r.get(all, channels[i].Name), "a channel")
		if !ok {
			continue
		}
		for _, f := range r.fields(item) {
			if f.key == "publish" || f.key == "subscribe" {
				list = append(list, r.verb(f, &channels[i]))
			}
		}
	}
	return list
}

func (r *reader) verb(f field, channel *Channel) Operation {
	o := Operation{
		Place: f.keyAt, Name: channel.Name + " " + f.key, Channel: channel, Action: Text{Place: f.keyAt, Value: f.key},
	}
	before := r.faults
	v, ok := r.object(f.value, "an operation")
	if ok {
		o.Definition = v.at
		v, ok = r.withTraits(v, "an operation trait", "message")
		if id := r.text(r.get(v, "operationId")); id.Value != "" {
			o.Name = id.Value
		}
		r.readOperation(&o, v)
	}
	o.Broken = !ok || r.faults != before
	faults := r.faults
	o.Messages = r.messageOrOneOf(r.get(v, "message"))
	r.faults = faults
	return o
}

// readOperation reads what operations of all versions have.
func (r *reader) readOperation(o *Operation, v value) {
	o.Title, o.Summary = r.text(r.get(v, "title")), r.text(r.get(v, "summary"))
	o.Security = r.security(r.get(v, "security")) // before 2.4 there was none; what is written is not passed over
	o.Tags = r.tags(r.get(v, "tags"))
	r.operationBindings(o, r.get(v, "bindings"))
}

// operationChannel reads the field channel, which every operation of 3.x has.
func (r *reader) operationChannel(operation value, channels []Channel, root bool) *Channel {
	if v := r.get(operation, "channel"); v.there() {
		return r.channelOf(v, channels, root)
	}
	if !r.misspelt(operation, "channel") {
		r.fault("document/missing-field", operation.at, "write channel: { $ref: '#/channels/NAME' }", "an operation needs the field channel")
	}
	return nil
}

// channelOf finds the channel that an operation refers to: one of the document's own. An operation under components may
// refer to others.
func (r *reader) channelOf(v value, channels []Channel, root bool) *Channel {
	if _, is := r.reference(v); !is {
		if r.tellMisspelt(v, "a reference", "$ref") {
			return nil
		}
		r.fault("document/wrong-type", v.at, "write channel: { $ref: '#/channels/NAME' }", "channel has to be a reference, not %s", v.kind())
		return nil
	}
	hop := v
	for range maxHops {
		ref, is := r.reference(hop)
		if !is || !ref.Stated() {
			break
		}
		next, ok := r.target(ref)
		if !ok {
			return nil
		}
		if i, ok := r.channelPointers[next.at.Pointer]; ok && next.at.File == r.root.at.File {
			return &channels[i]
		}
		if i, ok := r.channelNodes[next.node]; ok {
			return &channels[i]
		}
		hop = next
	}
	if root {
		r.fault("document/channel-reference", v.at, r.referenceHint("write channel: { %s }", "channels", v),
			"the channel of an operation has to be one of the document's channels")
	}
	return nil
}

// reply reads the reply of an operation.
func (r *reader) reply(v value, channels []Channel) *Reply {
	if !v.there() {
		return nil
	}
	reply := &Reply{Place: v.at}
	before := r.faults
	v, ok := r.object(v, "a reply")
	if ok {
		reply.Definition = v.at
		if address, there := r.object(r.get(v, "address"), "a reply address"); there {
			reply.Location = r.text(r.get(address, "location"))
		}
		if channel := r.get(v, "channel"); channel.there() {
			reply.Channel = r.channelOf(channel, channels, true)
		}
	}
	reply.Broken = !ok || r.faults != before
	faults := r.faults
	reply.Messages = r.messageList(r.get(v, "messages"))
	r.faults = faults
	return reply
}
