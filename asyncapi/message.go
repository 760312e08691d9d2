package asyncapi

// Message is a kind of message. Its traits are merged into it. What it carries is not looked into.
type Message struct {
	Place       // of the object that describes it
	Name        string
	ID          Text // messageId, 2.4 to 2.6
	Title       Text
	ContentType Text
	Payload     Place // of its schema
	Headers     Place // of their schema
	Tags        []Tag

	Bindings []Binding
	Kafka    *KafkaMessage
	MQTT     *MQTTMessage

	Broken bool
}

// messageMap reads messages by their names.
func (r *reader) messageMap(v value) []*Message {
	all, ok := r.object(v, "messages")
	if !ok {
		return nil
	}
	var list []*Message
	for _, f := range r.fields(all) {
		if extension(f.key) {
			continue
		}
		if m := r.message(f.value, f.key); m != nil {
			list = append(list, m)
		}
	}
	return list
}

// messageList reads the messages of a 3.x operation.
func (r *reader) messageList(v value) []*Message {
	if v.there() && !v.isList() {
		r.fault("document/wrong-type", v.at, "", "messages has to be a list, not %s", v.kind())
	}
	var list []*Message
	for _, item := range r.items(v) {
		if m := r.message(item, ""); m != nil {
			list = append(list, m)
		}
	}
	return list
}

// messageOrOneOf reads the messages of a 2.x operation.
func (r *reader) messageOrOneOf(v value) []*Message {
	if one := r.get(v, "oneOf"); one.there() {
		return r.messageList(one)
	}
	if m := r.message(v, ""); m != nil {
		return []*Message{m}
	}
	return nil
}

// message reads a message, once however often it is referred to. The name is that of its key, where it has one.
func (r *reader) message(v value, key string) *Message {
	defer r.aside(true)()
	v, ok := r.object(v, "a message")
	if !ok {
		return nil
	}
	if m := r.messages[v.node]; m != nil {
		return m
	}
	m := &Message{Place: v.at, Name: key}
	r.messages[v.node] = m
	before := r.faults
	v, ok = r.withTraits(v, "a message trait", "payload")
	if name := r.text(r.get(v, "name")); name.Stated() {
		m.Name = name.Value
	}
	if r.major == 2 {
		m.ID = r.text(r.get(v, "messageId"))
	}
	m.Title, m.ContentType = r.text(r.get(v, "title")), r.text(r.get(v, "contentType"))
	m.Payload, m.Headers = r.get(v, "payload").at, r.get(v, "headers").at
	m.Tags = r.tags(r.get(v, "tags"))
	r.messageBindings(m, r.get(v, "bindings"))
	m.Broken = !ok || r.faults != before
	return m
}
