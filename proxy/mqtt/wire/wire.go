// Package wire knows the structure of every MQTT packet of the versions 3.1, 3.1.1 and 5, and believes none.
//
// [Stream.Scan] walks a buffer and says where a packet ends, or that it can be none, from its first two to five bytes; it judges
// the length before anything of the body has to be read. The Decode functions read a body to the depth that decisions
// need and refuse what the specification of its version does not allow; the Append methods write packets. Bytes of a
// payload are never looked at: [Publish] is the head of a PUBLISH, which may be changed without copying what follows.
//
// The work of each is linear in the bytes it is given, whatever the bytes say, and nothing is allocated in proportion to
// a number that the peer wrote. Lists of properties and of topic filters stay the bytes they are: [Properties],
// [Subscribe] and [Unsubscribe] are iterated, not unpacked.
//
// Unless a comment says otherwise byte slices in a decoded packet are parts of the buffer that it was decoded from, and
// strings are copies. The package does no I/O.
package wire

import (
	"errors"
	"fmt"
)

// Version is the protocol level of a CONNECT. Where a connection has not said its version yet it is 0, which is read as
// strictly as 3.1.1.
type Version byte

// The versions that there are.
const (
	V31  Version = 3 // MQTT 3.1, protocol name "MQIsdp"
	V311 Version = 4 // MQTT 3.1.1
	V5   Version = 5 // MQTT 5
)

// String is the version as people write it, e.g. "3.1.1".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5"
	}
	return fmt.Sprintf("level %d", byte(v))
}

// Type is the type of a control packet (MQTT 5 section 2.1.2).
type Type byte

// The types that there are. Auth is of MQTT 5 alone.
const (
	CONNECT     Type = 1
	CONNACK     Type = 2
	PUBLISH     Type = 3
	PUBACK      Type = 4
	PUBREC      Type = 5
	PUBREL      Type = 6
	PUBCOMP     Type = 7
	SUBSCRIBE   Type = 8
	SUBACK      Type = 9
	UNSUBSCRIBE Type = 10
	UNSUBACK    Type = 11
	PINGREQ     Type = 12
	PINGRESP    Type = 13
	DISCONNECT  Type = 14
	AUTH        Type = 15
)

var typeNames = [16]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the name of the type in the specification.
func (t Type) String() string { return typeNames[t&15] }

// Sender is who sent a packet: some may come from one side only.
type Sender byte

// The two sides of a connection.
const (
	Client Sender = 1
	Server Sender = 2
)

// ErrShort is the answer for a packet that goes on after the bytes at hand. It is no fault of the packet.
var ErrShort = errors.New("packet ends too early")

// Malformed says where a packet breaks the specification of its version. It never carries bytes of the packet.
type Malformed struct {
	Packet Type
	Field  string     // in the words of the specification; empty: the fixed header
	Reason string     // constant text
	Code   ReasonCode // what MQTT 5 calls it; see [ReasonCode.ReturnCode] for what the other versions can say
}

// Error is the reason with its place, for logs.
func (m *Malformed) Error() string {
	if m.Field == "" {
		return "malformed " + m.Packet.String() + ": " + m.Reason
	}
	return "malformed " + m.Packet.String() + ": " + m.Field + ": " + m.Reason
}

// What can be wrong with a packet of any type; files of packets have the rest.
const (
	reasonType     = "reserved packet type"
	reasonSender   = "not for this side to send"
	reasonVersion  = "packet type that this version does not have"
	reasonFlags    = "reserved flag bits"
	reasonQoS      = "quality of service 3"
	reasonDup      = "duplicate of quality of service 0"
	reasonVarint   = "variable byte integer of more than four bytes"
	reasonMinimal  = "variable byte integer that is not as short as it could be"
	reasonLimit    = "longer than allowed"
	reasonLength   = "length that this packet cannot have"
	reasonShort    = "ends too early"
	reasonTrailing = "trailing bytes"
	reasonUTF8     = "not well-formed UTF-8"
	reasonNul      = "contains U+0000"
	reasonZero     = "is zero"
	reasonEmpty    = "is empty"
	reasonValue    = "value that is not defined"
	reasonCode     = "reason code that this packet cannot have"
	reasonForeign  = "property that this packet cannot have"
	reasonTwice    = "stands there twice"
	reasonAbsent   = "is absent"
	reasonShare    = "shared subscription without a group or a filter"
	reasonNoLocal  = "set for a shared subscription"
	reasonWill     = "flags of a will without a will"
	reasonPassword = "password without a user name"
	reasonName     = "wildcard in a topic name"
	reasonFilter   = "wildcard in a place where none may stand"
)
