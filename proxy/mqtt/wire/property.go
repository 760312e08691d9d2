package wire

// Property is the identifier of a property of MQTT 5 (section 2.2.2.2).
type Property byte

// The properties that there are.
const (
	PayloadFormatIndicator          Property = 0x01
	MessageExpiryInterval           Property = 0x02 // seconds
	ContentType                     Property = 0x03
	ResponseTopic                   Property = 0x08
	CorrelationData                 Property = 0x09
	SubscriptionIdentifier          Property = 0x0B
	SessionExpiryInterval           Property = 0x11 // seconds; 0xFFFFFFFF: never
	AssignedClientIdentifier        Property = 0x12
	ServerKeepAlive                 Property = 0x13 // seconds
	AuthenticationMethod            Property = 0x15
	AuthenticationData              Property = 0x16
	RequestProblemInformation       Property = 0x17
	WillDelayInterval               Property = 0x18 // seconds
	RequestResponseInformation      Property = 0x19
	ResponseInformation             Property = 0x1A
	ServerReference                 Property = 0x1C
	ReasonString                    Property = 0x1F
	ReceiveMaximum                  Property = 0x21
	TopicAliasMaximum               Property = 0x22
	TopicAlias                      Property = 0x23
	MaximumQoS                      Property = 0x24
	RetainAvailable                 Property = 0x25
	UserProperty                    Property = 0x26
	MaximumPacketSize               Property = 0x27 // bytes
	WildcardSubscriptionAvailable   Property = 0x28
	SubscriptionIdentifierAvailable Property = 0x29
	SharedSubscriptionAvailable     Property = 0x2A
)

// will stands for the properties of a will in the table below: they are a list of their own inside of a CONNECT.
const will Type = 0

// kind is how the value of a property is written.
type kind byte

const (
	unknown kind = iota
	oneByte
	twoBytes
	fourBytes
	varint
	text
	opaque
	pair
)

// definition is what the specification says of one property.
type definition struct {
	name  string
	kind  kind
	in    uint16 // the packets that it may stand in, one bit for each type
	most  uint32 // the highest value of an integer; 0: no bound but that of its kind
	least uint32
	code  ReasonCode // of a value out of bounds; 0: Protocol Error
	often uint16     // the packets that it may stand in more than once
}

// integer reports whether the value is a number.
func (d *definition) integer() bool {
	return d.kind == oneByte || d.kind == twoBytes || d.kind == fourBytes || d.kind == varint
}

// answers are the packets that say how something went.
var answers = in(CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)

// definitions is the table of MQTT 5 section 2.2.2.2, and of the sections of the packets for the bounds. Where reading is
// concerned it is all that there is to know of a property.
var definitions = [0x2B]definition{
	PayloadFormatIndicator:          {name: "Payload Format Indicator", kind: oneByte, in: in(PUBLISH, will), most: 1},
	MessageExpiryInterval:           {name: "Message Expiry Interval", kind: fourBytes, in: in(PUBLISH, will)},
	ContentType:                     {name: "Content Type", kind: text, in: in(PUBLISH, will)},
	ResponseTopic:                   {name: "Response Topic", kind: text, in: in(PUBLISH, will)},
	CorrelationData:                 {name: "Correlation Data", kind: opaque, in: in(PUBLISH, will)},
	SubscriptionIdentifier:          {name: "Subscription Identifier", kind: varint, in: in(PUBLISH, SUBSCRIBE), least: 1, often: in(PUBLISH)},
	SessionExpiryInterval:           {name: "Session Expiry Interval", kind: fourBytes, in: in(CONNECT, CONNACK, DISCONNECT)},
	AssignedClientIdentifier:        {name: "Assigned Client Identifier", kind: text, in: in(CONNACK)},
	ServerKeepAlive:                 {name: "Server Keep Alive", kind: twoBytes, in: in(CONNACK)},
	AuthenticationMethod:            {name: "Authentication Method", kind: text, in: in(CONNECT, CONNACK, AUTH)},
	AuthenticationData:              {name: "Authentication Data", kind: opaque, in: in(CONNECT, CONNACK, AUTH)},
	RequestProblemInformation:       {name: "Request Problem Information", kind: oneByte, in: in(CONNECT), most: 1},
	WillDelayInterval:               {name: "Will Delay Interval", kind: fourBytes, in: in(will)},
	RequestResponseInformation:      {name: "Request Response Information", kind: oneByte, in: in(CONNECT), most: 1},
	ResponseInformation:             {name: "Response Information", kind: text, in: in(CONNACK)},
	ServerReference:                 {name: "Server Reference", kind: text, in: in(CONNACK, DISCONNECT)},
	ReasonString:                    {name: "Reason String", kind: text, in: answers},
	ReceiveMaximum:                  {name: "Receive Maximum", kind: twoBytes, in: in(CONNECT, CONNACK), least: 1},
	TopicAliasMaximum:               {name: "Topic Alias Maximum", kind: twoBytes, in: in(CONNECT, CONNACK)},
	TopicAlias:                      {name: "Topic Alias", kind: twoBytes, in: in(PUBLISH), least: 1, code: TopicAliasInvalid},
	MaximumQoS:                      {name: "Maximum QoS", kind: oneByte, in: in(CONNACK), most: 1},
	RetainAvailable:                 {name: "Retain Available", kind: oneByte, in: in(CONNACK), most: 1},
	UserProperty:                    {name: "User Property", kind: pair, in: everywhere, often: everywhere},
	MaximumPacketSize:               {name: "Maximum Packet Size", kind: fourBytes, in: in(CONNECT, CONNACK), least: 1},
	WildcardSubscriptionAvailable:   {name: "Wildcard Subscription Available", kind: oneByte, in: in(CONNACK), most: 1},
	SubscriptionIdentifierAvailable: {name: "Subscription Identifier Available", kind: oneByte, in: in(CONNACK), most: 1},
	SharedSubscriptionAvailable:     {name: "Shared Subscription Available", kind: oneByte, in: in(CONNACK), most: 1},
}

// everywhere is where a User Property may stand: all packets that have properties.
var everywhere = answers | in(CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, will)

// define looks a property up; its kind is unknown if there is none of that identifier.
func define(p Property) *definition {
	if int(p) < len(definitions) {
		return &definitions[p]
	}
	return &definitions[0]
}

// String is the name of the property in the specification.
func (p Property) String() string {
	if d := define(p); d.kind != unknown {
		return d.name
	}
	return "unknown property"
}
