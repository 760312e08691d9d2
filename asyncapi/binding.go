package asyncapi

import "math"

// Binding is what an object says for one protocol. That of Kafka, MQTT and WebSocket is read; it stands beside the list.
type Binding struct {
	Place
	Protocol string
}

// KafkaServer is the binding of a server to Kafka.
type KafkaServer struct {
	Place
	SchemaRegistryURL    Text
	SchemaRegistryVendor Text
}

// KafkaChannel is the binding of a channel to Kafka.
type KafkaChannel struct {
	Place
	Topic         Text // instead of the channel's address
	Partitions    Number
	Replicas      Number
	Configuration []Setting // topicConfiguration
}

// Setting is an entry of a topic's configuration.
type Setting struct {
	Text        // the value as it is written; of a list, the items with commas between
	Name string // such as retention.ms
}

// KafkaOperation is the binding of an operation to Kafka. What is nil does not narrow.
type KafkaOperation struct {
	Place
	GroupID  *Values
	ClientID *Values
}

// KafkaMessage is the binding of a message to Kafka.
type KafkaMessage struct {
	Place
	Key                     Place // of the schema of the key
	SchemaIDLocation        Text
	SchemaIDPayloadEncoding Text
	SchemaLookupStrategy    Text
}

// MQTTServer is the binding of a server to MQTT.
type MQTTServer struct {
	Place
	ClientID              Text
	CleanSession          Flag
	LastWill              *LastWill
	KeepAlive             Number // seconds
	SessionExpiryInterval Number // seconds; not stated where a schema stands for it
	MaximumPacketSize     Number // bytes; not stated where a schema stands for it
}

// LastWill is the will that clients of an MQTT server leave.
type LastWill struct {
	Place
	Topic   Text
	QoS     Number
	Message Text
	Retain  Flag
}

// MQTTOperation is the binding of an operation to MQTT.
type MQTTOperation struct {
	Place
	QoS                   Number // 0 to 2
	Retain                Flag
	MessageExpiryInterval Number // seconds; not stated where a schema stands for it
}

// MQTTMessage is the binding of a message to MQTT.
type MQTTMessage struct {
	Place
	PayloadFormatIndicator Number
	ContentType            Text
	ResponseTopic          Text // not stated where a schema stands for it
}

// WebSocketChannel is the binding of a channel to WebSocket.
type WebSocketChannel struct {
	Place
	Method  Text // GET or POST
	Query   []Property
	Headers []Property
}

// Property is a member of an object that a schema describes.
type Property struct {
	Place
	Name     string
	Required bool
	Values   Values
}

// bindings lists the protocols of a bindings object. Each is called with those that are read.
func (r *reader) bindings(v value, each map[string]func(value)) []Binding {
	v, ok := r.object(v, "bindings")
	if !ok {
		return nil
	}
	var list []Binding
	for _, f := range r.fields(v) {
		if extension(f.key) {
			continue
		}
		list = append(list, Binding{Place: f.keyAt, Protocol: f.key})
		if read := each[f.key]; read != nil {
			if b, ok := r.object(f.value, "a binding"); ok {
				read(b)
			}
		}
	}
	return list
}

func (r *reader) serverBindings(s *Server, v value) {
	s.Bindings = r.bindings(v, map[string]func(value){
		"kafka": func(b value) {
			s.Kafka = &KafkaServer{
				Place: b.at, SchemaRegistryURL: r.text(r.get(b, "schemaRegistryUrl")), SchemaRegistryVendor: r.text(r.get(b, "schemaRegistryVendor")),
			}
		},
		"mqtt": func(b value) { s.MQTT = r.mqttServer(b) },
	})
}

func (r *reader) mqttServer(b value) *MQTTServer {
	s := &MQTTServer{
		Place: b.at, ClientID: r.text(r.get(b, "clientId")), CleanSession: r.flag(r.get(b, "cleanSession")),
		KeepAlive:             r.number(r.get(b, "keepAlive"), 0, math.MaxUint16),
		SessionExpiryInterval: r.numberOrSchema(r.get(b, "sessionExpiryInterval"), math.MaxUint32),
		MaximumPacketSize:     r.numberOrSchema(r.get(b, "maximumPacketSize"), math.MaxUint32),
	}
	if w, ok := r.object(r.get(b, "lastWill"), "lastWill"); ok {
		s.LastWill = &LastWill{
			Place: w.at, Topic: r.text(r.get(w, "topic")), QoS: r.number(r.get(w, "qos"), 0, 2),
			Message: r.text(r.get(w, "message")), Retain: r.flag(r.get(w, "retain")),
		}
	}
	return s
}

// numberOrSchema is an integer field in whose place a schema may stand, since version 0.2.0 of the MQTT bindings.
func (r *reader) numberOrSchema(v value, high int) Number {
	if v.isObject() {
		return Number{}
	}
	return r.number(v, 0, high)
}

func (r *reader) channelBindings(c *Channel, v value) {
	c.Bindings = r.bindings(v, map[string]func(value){
		"kafka": func(b value) { c.Kafka = r.kafkaChannel(b) },
		"ws": func(b value) {
			c.WebSocket = &WebSocketChannel{
				Place: b.at, Method: r.text(r.get(b, "method")), Query: r.properties(r.get(b, "query")), Headers: r.properties(r.get(b, "headers")),
			}
		},
	})
}

func (r *reader) kafkaChannel(b value) *KafkaChannel {
	k := &KafkaChannel{
		Place: b.at, Topic: r.text(r.get(b, "topic")),
		Partitions: r.number(r.get(b, "partitions"), 1, math.MaxInt32), Replicas: r.number(r.get(b, "replicas"), 1, math.MaxInt16),
	}
	configuration, ok := r.object(r.get(b, "topicConfiguration"), "topicConfiguration")
	if !ok {
		return k
	}
	for _, f := range r.fields(configuration) {
		if extension(f.key) {
			continue
		}
		s := Setting{Text: Text{Place: f.at, Value: f.node.Value}, Name: f.key}
		for i, item := range r.items(f.value) {
			s.Value += map[bool]string{true: ","}[i > 0] + item.node.Value
		}
		k.Configuration = append(k.Configuration, s)
	}
	return k
}

// properties reads a schema that describes an object.
func (r *reader) properties(v value) []Property {
	v, ok := r.object(v, "a schema")
	if !ok {
		return nil
	}
	required := map[string]bool{}
	for _, name := range r.texts(r.get(v, "required")) {
		required[name.Value] = true
	}
	all, _ := r.object(r.get(v, "properties"), "properties")
	var list []Property
	for _, f := range r.fields(all) {
		list = append(list, Property{Place: f.keyAt, Name: f.key, Required: required[f.key], Values: r.values(f.value)})
	}
	return list
}

func (r *reader) operationBindings(o *Operation, v value) {
	o.Bindings = r.bindings(v, map[string]func(value){
		"kafka": func(b value) {
			o.Kafka = &KafkaOperation{Place: b.at, GroupID: r.valuesOf(r.get(b, "groupId")), ClientID: r.valuesOf(r.get(b, "clientId"))}
		},
		"mqtt": func(b value) {
			o.MQTT = &MQTTOperation{
				Place: b.at, QoS: r.number(r.get(b, "qos"), 0, 2), Retain: r.flag(r.get(b, "retain")),
				MessageExpiryInterval: r.numberOrSchema(r.get(b, "messageExpiryInterval"), math.MaxUint32),
			}
		},
	})
}

// valuesOf is a schema that may not be there. The first version of Kafka's bindings has the one value in its place.
func (r *reader) valuesOf(v value) *Values {
	switch {
	case !v.there():
		return nil
	case v.isString():
		return &Values{Place: v.at, Enum: []Text{r.text(v)}}
	}
	s := r.values(v)
	return &s
}

func (r *reader) messageBindings(m *Message, v value) {
	m.Bindings = r.bindings(v, map[string]func(value){
		"kafka": func(b value) {
			m.Kafka = &KafkaMessage{
				Place: b.at, Key: r.get(b, "key").at, SchemaIDLocation: r.text(r.get(b, "schemaIdLocation")),
				SchemaIDPayloadEncoding: r.text(r.get(b, "schemaIdPayloadEncoding")), SchemaLookupStrategy: r.text(r.get(b, "schemaLookupStrategy")),
			}
		},
		"mqtt": func(b value) {
			m.MQTT = &MQTTMessage{
				Place: b.at, PayloadFormatIndicator: r.number(r.get(b, "payloadFormatIndicator"), 0, 1), ContentType: r.text(r.get(b, "contentType")),
			}
			if topic := r.get(b, "responseTopic"); !topic.isObject() {
				m.MQTT.ResponseTopic = r.text(topic)
			}
		},
	})
}
