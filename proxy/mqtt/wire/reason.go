package wire

import "fmt"

// ReasonCode is the outcome of something, as MQTT 5 section 2.4 numbers and names it.
type ReasonCode byte

// The reason codes of MQTT 5. Success is also the normal disconnection and the granted QoS 0.
const (
	Success                             ReasonCode = 0x00
	GrantedQoS1                         ReasonCode = 0x01
	GrantedQoS2                         ReasonCode = 0x02
	DisconnectWithWillMessage           ReasonCode = 0x04
	NoMatchingSubscribers               ReasonCode = 0x10
	NoSubscriptionExisted               ReasonCode = 0x11
	ContinueAuthentication              ReasonCode = 0x18
	ReAuthenticate                      ReasonCode = 0x19
	UnspecifiedError                    ReasonCode = 0x80
	MalformedPacket                     ReasonCode = 0x81
	ProtocolError                       ReasonCode = 0x82
	ImplementationSpecificError         ReasonCode = 0x83
	UnsupportedProtocolVersion          ReasonCode = 0x84
	ClientIdentifierNotValid            ReasonCode = 0x85
	BadUserNameOrPassword               ReasonCode = 0x86
	NotAuthorized                       ReasonCode = 0x87
	ServerUnavailable                   ReasonCode = 0x88
	ServerBusy                          ReasonCode = 0x89
	Banned                              ReasonCode = 0x8A
	ServerShuttingDown                  ReasonCode = 0x8B
	BadAuthenticationMethod             ReasonCode = 0x8C
	KeepAliveTimeout                    ReasonCode = 0x8D
	SessionTakenOver                    ReasonCode = 0x8E
	TopicFilterInvalid                  ReasonCode = 0x8F
	TopicNameInvalid                    ReasonCode = 0x90
	PacketIdentifierInUse               ReasonCode = 0x91
	PacketIdentifierNotFound            ReasonCode = 0x92
	ReceiveMaximumExceeded              ReasonCode = 0x93
	TopicAliasInvalid                   ReasonCode = 0x94
	PacketTooLarge                      ReasonCode = 0x95
	MessageRateTooHigh                  ReasonCode = 0x96
	QuotaExceeded                       ReasonCode = 0x97
	AdministrativeAction                ReasonCode = 0x98
	PayloadFormatInvalid                ReasonCode = 0x99
	RetainNotSupported                  ReasonCode = 0x9A
	QoSNotSupported                     ReasonCode = 0x9B
	UseAnotherServer                    ReasonCode = 0x9C
	ServerMoved                         ReasonCode = 0x9D
	SharedSubscriptionsNotSupported     ReasonCode = 0x9E
	ConnectionRateExceeded              ReasonCode = 0x9F
	MaximumConnectTime                  ReasonCode = 0xA0
	SubscriptionIdentifiersNotSupported ReasonCode = 0xA1
	WildcardSubscriptionsNotSupported   ReasonCode = 0xA2
)

// The CONNACK return codes of 3.1 and 3.1.1 (MQTT 3.1.1 section 3.2.2.3).
const (
	Accepted                    byte = 0
	UnacceptableProtocolVersion byte = 1
	IdentifierRejected          byte = 2
	ServerIsUnavailable         byte = 3
	BadUserNameOrPassword3      byte = 4
	NotAuthorized3              byte = 5
)

// Failure is the SUBACK return code of 3.1.1 for a filter that was refused. 3.1 has none.
const Failure byte = 0x80

// Failed reports whether the code is a refusal or an error rather than a kind of success.
func (c ReasonCode) Failed() bool { return c >= 0x80 }

// ReturnCode is what the CONNACK of 3.1 and 3.1.1 has for a reason code. With false it has nothing: the connection is
// closed without a CONNACK.
func (c ReasonCode) ReturnCode() (code byte, ok bool) {
	switch c {
	case Success:
		return Accepted, true
	case UnsupportedProtocolVersion:
		return UnacceptableProtocolVersion, true
	case ClientIdentifierNotValid:
		return IdentifierRejected, true
	case ServerUnavailable, ServerBusy, ServerShuttingDown, UseAnotherServer, ServerMoved, QuotaExceeded, ConnectionRateExceeded:
		return ServerIsUnavailable, true
	case BadUserNameOrPassword:
		return BadUserNameOrPassword3, true
	case NotAuthorized, Banned:
		return NotAuthorized3, true
	}
	return 0, false
}

// reasons has the name of every reason code, and the packets that may carry it: one bit for each type.
var reasons = map[ReasonCode]struct {
	name string
	in   uint16
}{
	Success:                             {"Success", in(CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)},
	GrantedQoS1:                         {"Granted QoS 1", in(SUBACK)},
	GrantedQoS2:                         {"Granted QoS 2", in(SUBACK)},
	DisconnectWithWillMessage:           {"Disconnect with Will Message", in(DISCONNECT)},
	NoMatchingSubscribers:               {"No matching subscribers", in(PUBACK, PUBREC)},
	NoSubscriptionExisted:               {"No subscription existed", in(UNSUBACK)},
	ContinueAuthentication:              {"Continue authentication", in(AUTH)},
	ReAuthenticate:                      {"Re-authenticate", in(AUTH)},
	UnspecifiedError:                    {"Unspecified error", in(CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT)},
	MalformedPacket:                     {"Malformed Packet", in(CONNACK, DISCONNECT)},
	ProtocolError:                       {"Protocol Error", in(CONNACK, DISCONNECT)},
	ImplementationSpecificError:         {"Implementation specific error", in(CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT)},
	UnsupportedProtocolVersion:          {"Unsupported Protocol Version", in(CONNACK)},
	ClientIdentifierNotValid:            {"Client Identifier not valid", in(CONNACK)},
	BadUserNameOrPassword:               {"Bad User Name or Password", in(CONNACK)},
	NotAuthorized:                       {"Not authorized", in(CONNACK, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT)},
	ServerUnavailable:                   {"Server unavailable", in(CONNACK)},
	ServerBusy:                          {"Server busy", in(CONNACK, DISCONNECT)},
	Banned:                              {"Banned", in(CONNACK)},
	ServerShuttingDown:                  {"Server shutting down", in(DISCONNECT)},
	BadAuthenticationMethod:             {"Bad authentication method", in(CONNACK, DISCONNECT)},
	KeepAliveTimeout:                    {"Keep Alive timeout", in(DISCONNECT)},
	SessionTakenOver:                    {"Session taken over", in(DISCONNECT)},
	TopicFilterInvalid:                  {"Topic Filter invalid", in(SUBACK, UNSUBACK, DISCONNECT)},
	TopicNameInvalid:                    {"Topic Name invalid", in(CONNACK, PUBACK, PUBREC, DISCONNECT)},
	PacketIdentifierInUse:               {"Packet Identifier in use", in(PUBACK, PUBREC, SUBACK, UNSUBACK)},
	PacketIdentifierNotFound:            {"Packet Identifier not found", in(PUBREL, PUBCOMP)},
	ReceiveMaximumExceeded:              {"Receive Maximum exceeded", in(DISCONNECT)},
	TopicAliasInvalid:                   {"Topic Alias invalid", in(DISCONNECT)},
	PacketTooLarge:                      {"Packet too large", in(CONNACK, DISCONNECT)},
	MessageRateTooHigh:                  {"Message rate too high", in(DISCONNECT)},
	QuotaExceeded:                       {"Quota exceeded", in(CONNACK, PUBACK, PUBREC, SUBACK, DISCONNECT)},
	AdministrativeAction:                {"Administrative action", in(DISCONNECT)},
	PayloadFormatInvalid:                {"Payload format invalid", in(CONNACK, PUBACK, PUBREC, DISCONNECT)},
	RetainNotSupported:                  {"Retain not supported", in(CONNACK, DISCONNECT)},
	QoSNotSupported:                     {"QoS not supported", in(CONNACK, DISCONNECT)},
	UseAnotherServer:                    {"Use another server", in(CONNACK, DISCONNECT)},
	ServerMoved:                         {"Server moved", in(CONNACK, DISCONNECT)},
	SharedSubscriptionsNotSupported:     {"Shared Subscriptions not supported", in(SUBACK, DISCONNECT)},
	ConnectionRateExceeded:              {"Connection rate exceeded", in(CONNACK, DISCONNECT)},
	MaximumConnectTime:                  {"Maximum connect time", in(DISCONNECT)},
	SubscriptionIdentifiersNotSupported: {"Subscription Identifiers not supported", in(SUBACK, DISCONNECT)},
	WildcardSubscriptionsNotSupported:   {"Wildcard Subscriptions not supported", in(SUBACK, DISCONNECT)},
}

// String is the name of the code in the specification.
func (c ReasonCode) String() string {
	if r, ok := reasons[c]; ok {
		return r.name
	}
	return fmt.Sprintf("reason code 0x%02X", byte(c))
}

// In reports whether a packet of that type may carry the code.
func (c ReasonCode) In(t Type) bool { return reasonsIn[c]>>t&1 == 1 }

// reasonsIn is the table of the packets by code: it is asked for every acknowledgement.
var reasonsIn = func() (all [256]uint16) {
	for c, r := range reasons {
		all[c] = r.in
	}
	return all
}()

// in is a set of packet types.
func in(types ...Type) (set uint16) {
	for _, t := range types {
		set |= 1 << t
	}
	return set
}
