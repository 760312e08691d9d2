package asyncapi

// Channel is where messages travel: a topic.
type Channel struct {
	Place             // of the entry, which may be a reference
	Name       string // its key; in 2.x the address
	Definition Place  // of the object that describes it: Place, or where the reference leads

	// Address is the topic, with {parameters}. Not stated (3.x: left out, or null) it is unknown, which never means any.
	Address Text
	Title   Text

	Servers    []ServerReference // those that have the channel; empty: every server of the document
	Parameters []Parameter
	Messages   []*Message // 3.x; in 2.x operations have them
	Tags       []Tag

	Bindings  []Binding
	Kafka     *KafkaChannel
	WebSocket *WebSocketChannel

	// Broken says that something that bears on who may do what could not be read; a problem says what.
	Broken bool
}

// ServerReference names a server that has a channel.
type ServerReference struct {
	Place
	Name   string // of an entry of the document's servers
	Broken bool   // it leads to none; a problem says so
}

// Parameter is a {parameter} of a channel's address.
type Parameter struct {
	Place
	Name       string
	Definition Place
	Default    Text   // 3.x
	Location   Text   // a runtime expression: where in a message the value is found
	Values     Values // 3.x: enum; 2.x: schema
	Broken     bool
}

// channels reads the channels object, under the document or its components.
func (r *reader) channels(v value, root bool) []Channel {
	all, ok := r.object(v, "channels")
	if !ok {
		return nil
	}
	var list []Channel
	for _, f := range r.fields(all) {
		if extension(f.key) {
			continue
		}
		c := Channel{Place: f.keyAt, Name: f.key}
		if root {
			c.Pointer = member("/channels", f.key) // also where the channels object stands elsewhere
			c.File = r.root.at.File
		}
		if node := r.readChannel(&c, f.value); node != nil && root {
			if _, twice := r.channelNodes[node]; !twice {
				r.channelNodes[node] = len(list)
			}
			r.channelPointers[c.Pointer] = len(list)
		}
		list = append(list, c)
	}
	return list
}

// readChannel answers the node of the channel's definition, if there is one.
func (r *reader) readChannel(c *Channel, v value) (definition nodeOf) {
	before := r.faults
	defer func() { c.Broken = r.faults != before }()
	v, ok := r.object(v, "a channel")
	if !ok {
		if v.there() {
			r.faults++
		}
		return nil
	}
	c.Definition = v.at
	if r.major == 2 {
		c.Address = Text{Place: c.Place, Value: c.Name}
	} else if address := r.get(v, "address"); !address.isNull() {
		c.Address = r.text(address)
	}
	c.Title = r.text(r.get(v, "title"))
	if r.since(2) { // before, the schema refuses it
		c.Servers = r.channelServers(r.get(v, "servers"))
	}
	c.Parameters = r.parameters(r.get(v, "parameters"))
	r.channelBindings(c, r.get(v, "bindings"))
	faults := r.faults // what follows says nothing of who may do what
	c.Tags = r.tags(r.get(v, "tags"))
	if r.major > 2 {
		c.Messages = r.messageMap(r.get(v, "messages"))
	}
	r.faults = faults
	return v.node
}

// channelServers reads the list of a channel's servers: names in 2.x, references in 3.x.
func (r *reader) channelServers(v value) []ServerReference {
	if !v.there() {
		return nil
	}
	if !v.isList() {
		r.fault("document/wrong-type", v.at, "", "servers has to be a list, not %s", v.kind())
		return nil
	}
	var list []ServerReference
	for _, item := range r.items(v) {
		ref := ServerReference{Place: item.at, Broken: true}
		if r.major == 2 {
			ref.Name = r.text(item).Value
			ref.Broken = ref.Name == "" || !r.get(r.rootServers, ref.Name).there()
			if ref.Broken && item.isString() {
				r.fault("document/undefined-server", item.at, r.choices(r.rootServers, ref.Name), "the document has no server %s", quote(ref.Name))
			}
		} else {
			ref.Name, ref.Broken = r.referredServer(item)
		}
		list = append(list, ref)
	}
	return list
}

// referredServer finds the entry of servers that a reference leads to.
func (r *reader) referredServer(item value) (name string, broken bool) {
	before := r.faults
	hop := item
	for range maxHops {
		ref, is := r.reference(hop)
		if !is || !ref.Stated() {
			break
		}
		next, ok := r.target(ref)
		if !ok {
			return "", true
		}
		for _, f := range r.fields(r.rootServers) {
			if f.node == next.node {
				return f.key, false
			}
		}
		hop = next
	}
	if r.faults == before {
		r.fault("document/undefined-server", item.at, r.referenceHint("write - %s", "servers", item), "a channel names servers of the document, by reference")
	}
	return "", true
}

// parameters reads the parameters of a channel, or those under components.
func (r *reader) parameters(v value) []Parameter {
	all, ok := r.object(v, "parameters")
	if !ok {
		return nil
	}
	var list []Parameter
	for _, f := range r.fields(all) {
		if extension(f.key) {
			continue
		}
		list = append(list, r.parameter(f))
	}
	return list
}

func (r *reader) parameter(f field) Parameter {
	p := Parameter{Place: f.keyAt, Name: f.key}
	before := r.faults
	v, ok := r.object(f.value, "a parameter")
	if ok {
		p.Definition = v.at
		p.Location = r.text(r.get(v, "location"))
		if r.major == 2 {
			p.Values = r.values(r.get(v, "schema"))
		} else {
			p.Default = r.text(r.get(v, "default"))
			if enum := r.get(v, "enum"); enum.there() {
				p.Values = Values{Place: enum.at, Enum: append([]Text{}, r.texts(enum)...)}
			}
		}
	}
	p.Broken = !ok || r.faults != before
	return p
}
