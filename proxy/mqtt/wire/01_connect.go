package wire

import (
	"bytes"
	"unicode/utf8"
)

// What a CONNECT may take, in bytes, fixed header included. The gateway keeps this much for somebody it does not know yet: no client id, user,
// password or token that is in use comes near the first, and a will may be as long as a string of MQTT.
const (
	MaxConnectHead = 8 << 10  // without the will
	MaxConnect     = 72 << 10 // in all
)

// maxClientID31 is how many characters a client id of 3.1 may have (MQTT 3.1 section 3.1).
const maxClientID31 = 23

// Connect is a CONNECT. There is no session, and nothing else of the client is believed, until it was decided upon.
type Connect struct {
	Version    Version
	CleanStart bool   // Clean Session in 3.x
	KeepAlive  uint16 // seconds; 0: none
	Properties Properties
	ClientID   string // empty: the server is to assign one
	Will       *Will  // nil: none

	HasUsername bool
	Username    string
	HasPassword bool
	Password    []byte // any bytes
}

// Will is the message that the broker publishes if the client goes away without a word.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Properties Properties
}

// size is how many bytes of a CONNECT the will takes.
func (w *Will) size(v Version) int {
	if w == nil {
		return 0
	}
	return w.Properties.size(v) + 2 + len(w.Topic) + 2 + len(w.Payload)
}

// The flags of a CONNECT (MQTT 5 section 3.1.2.3).
const (
	connectReserved = 0x01
	connectClean    = 0x02
	connectWill     = 0x04
	connectWillQoS  = 0x18
	connectRetain   = 0x20
	connectPassword = 0x40
	connectUsername = 0x80
)

// The names of the protocol, with their lengths.
var (
	protocolName   = []byte("\x00\x04MQTT")
	protocolName31 = []byte("\x00\x06MQIsdp")
)

// DecodeConnect reads the body of a CONNECT. With an error, which is a [*Malformed], the result is not nil either: its
// Version is what the answer has to be written in, 0 if there is none, because the name is not that of MQTT or the
// level was not reached. A level that is not known is answered as 3.1.1 would be.
func DecodeConnect(body []byte) (*Connect, error) {
	c := &Connect{}
	r := &reader{b: body}
	if c.protocol(r); r.failed() {
		return c, r.end(CONNECT)
	}
	flags := r.byte("Connect Flags")
	c.KeepAlive = r.uint16("Keep Alive")
	c.flags(r, flags)
	c.CleanStart = flags&connectClean != 0
	c.Properties = r.properties(CONNECT, c.Version)
	if !c.Properties.Has(AuthenticationMethod) && c.Properties.Has(AuthenticationData) {
		r.fail(AuthenticationMethod.String(), ProtocolError, reasonAbsent)
	}
	c.clientID(r, string(r.text("Client Identifier")))
	if flags&connectWill != 0 {
		c.Will = r.will(flags, c.Version)
	}
	c.credentials(r, flags)
	if err := r.end(CONNECT); err != nil {
		return c, err
	}
	if 1+VarintLen(len(body))+len(body)-c.Will.size(c.Version) > MaxConnectHead {
		r.fail("", PacketTooLarge, reasonLimit)
	}
	return c, r.end(CONNECT)
}

// protocol reads the name and the level.
func (c *Connect) protocol(r *reader) {
	switch {
	case bytes.HasPrefix(r.b, protocolName):
		r.take("", len(protocolName))
	case bytes.HasPrefix(r.b, protocolName31):
		r.take("", len(protocolName31))
		c.Version = V31
	default:
		r.fail("Protocol Name", UnsupportedProtocolVersion, reasonValue)
		return
	}
	level := Version(r.byte("Protocol Version"))
	switch {
	case r.failed():
		c.Version = 0
	case c.Version == V31 && level == V31, c.Version == 0 && (level == V311 || level == V5):
		c.Version = level
	default:
		c.Version = V311
		r.fail("Protocol Version", UnsupportedProtocolVersion, reasonValue)
	}
}

// flags judges the flags by themselves. Before MQTT 5 a password needs a user name (MQTT 3.1.1 section 3.1.2.9).
func (c *Connect) flags(r *reader, flags byte) {
	switch {
	case r.failed():
	case flags&connectReserved != 0:
		r.fail("Connect Flags", MalformedPacket, reasonFlags)
	case flags&connectWillQoS == connectWillQoS:
		r.fail("Will QoS", MalformedPacket, reasonQoS)
	case flags&connectWill == 0 && flags&(connectWillQoS|connectRetain) != 0:
		r.fail("Will Flag", MalformedPacket, reasonWill)
	case c.Version != V5 && flags&connectPassword != 0 && flags&connectUsername == 0:
		r.fail("User Name Flag", MalformedPacket, reasonPassword)
	}
}

// clientID judges the client id by what the version demands of it.
func (c *Connect) clientID(r *reader, id string) {
	c.ClientID = id
	switch {
	case r.failed():
	case c.Version == V31 && id == "", c.Version == V311 && id == "" && !c.CleanStart:
		r.fail("Client Identifier", ClientIdentifierNotValid, reasonEmpty)
	case c.Version == V31 && utf8.RuneCountInString(id) > maxClientID31:
		r.fail("Client Identifier", ClientIdentifierNotValid, reasonLimit)
	}
}

// will reads the will. Its topic is the name of a topic like that of a PUBLISH.
func (r *reader) will(flags byte, v Version) *Will {
	w := &Will{QoS: flags & connectWillQoS >> 3, Retain: flags&connectRetain != 0}
	w.Properties = r.properties(will, v)
	w.Topic = string(r.topicName("Will Topic", r.text("Will Topic")))
	if response, ok := w.Properties.Bytes(ResponseTopic); ok {
		r.topicName(ResponseTopic.String(), response)
	}
	w.Payload = r.binary("Will Payload")
	return w
}

// credentials reads user name and password. In 3.1 the flags may promise what then is missing: the length of the packet
// counts more (MQTT 3.1 section 3.1).
func (c *Connect) credentials(r *reader, flags byte) {
	missing := func() bool { return c.Version == V31 && len(r.b) == 0 }
	if flags&connectUsername != 0 && !missing() {
		c.Username, c.HasUsername = string(r.text("User Name")), true
	}
	if flags&connectPassword != 0 && !missing() {
		c.Password, c.HasPassword = r.binary("Password"), true
	}
}

// Append appends the whole packet. A client id, a user name, a password and the parts of a will may have 65535 bytes
// each.
func (c *Connect) Append(dst []byte) []byte {
	var flags byte
	name := protocolName
	if c.Version == V31 {
		name = protocolName31
	}
	remaining := len(name) + 1 + 1 + 2 + c.Properties.size(c.Version) + 2 + len(c.ClientID) + c.Will.size(c.Version)
	if c.CleanStart {
		flags |= connectClean
	}
	if w := c.Will; w != nil {
		flags |= connectWill | w.QoS<<3
		if w.Retain {
			flags |= connectRetain
		}
	}
	if c.HasUsername {
		flags |= connectUsername
		remaining += 2 + len(c.Username)
	}
	if c.HasPassword {
		flags |= connectPassword
		remaining += 2 + len(c.Password)
	}
	dst = append(appendHeader(dst, CONNECT, 0, remaining), name...)
	dst = append(dst, byte(c.Version), flags, byte(c.KeepAlive>>8), byte(c.KeepAlive))
	dst = c.Properties.append(dst, c.Version)
	dst = appendBinary(dst, c.ClientID)
	if w := c.Will; w != nil {
		dst = appendBinary(appendBinary(w.Properties.append(dst, c.Version), w.Topic), w.Payload)
	}
	if c.HasUsername {
		dst = appendBinary(dst, c.Username)
	}
	if c.HasPassword {
		dst = appendBinary(dst, c.Password)
	}
	return dst
}
