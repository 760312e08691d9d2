package wire_test

import (
	"fmt"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

var withProperties = []wire.Type{wire.CONNECT, wire.CONNACK, wire.PUBLISH, wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP,
	wire.SUBSCRIBE, wire.SUBACK, wire.UNSUBSCRIBE, wire.UNSUBACK, wire.DISCONNECT, wire.AUTH}

// Every packet is of the shortest form that may have properties, for one property in it.
var shells = map[wire.Type]struct{ head, tail string }{
	wire.CONNECT: {`10 [ "MQTT" 05 02 003C [ `, ` ] "id" ]`}, wire.CONNACK: {`20 [ 00 00 [ `, ` ] ]`}, wire.PUBLISH: {`30 [ "a" [ `, ` ] ]`},
	wire.PUBACK: {`40 [ 0001 00 [ `, ` ] ]`}, wire.PUBREC: {`50 [ 0001 00 [ `, ` ] ]`}, wire.PUBREL: {`62 [ 0001 00 [ `, ` ] ]`}, wire.PUBCOMP: {`70 [ 0001 00 [ `, ` ] ]`},
	wire.SUBSCRIBE: {`82 [ 0001 [ `, ` ] "a" 00 ]`}, wire.SUBACK: {`90 [ 0001 [ `, ` ] 00 ]`}, wire.UNSUBSCRIBE: {`A2 [ 0001 [ `, ` ] "a" ]`}, wire.UNSUBACK: {`B0 [ 0001 [ `, ` ] 00 ]`},
	wire.DISCONNECT: {`E0 [ 00 [ `, ` ] ]`}, wire.AUTH: {`F0 [ 18 [ `, ` ] ]`},
}

// values has a good value for each property.
var values = map[wire.Property]string{
	wire.PayloadFormatIndicator: "01", wire.MessageExpiryInterval: "00000001", wire.ContentType: `"x"`, wire.ResponseTopic: `"x"`, wire.CorrelationData: `"x"`,
	wire.SubscriptionIdentifier: "05", wire.SessionExpiryInterval: "00000001", wire.AssignedClientIdentifier: `"x"`, wire.ServerKeepAlive: "0001",
	wire.AuthenticationMethod: `"x"`, wire.AuthenticationData: `"x"`, wire.RequestProblemInformation: "01", wire.WillDelayInterval: "00000001",
	wire.RequestResponseInformation: "01", wire.ResponseInformation: `"x"`, wire.ServerReference: `"x"`, wire.ReasonString: `"x"`, wire.ReceiveMaximum: "0001",
	wire.TopicAliasMaximum: "0001", wire.TopicAlias: "0001", wire.MaximumQoS: "01", wire.RetainAvailable: "01", wire.UserProperty: `"a" "b"`,
	wire.MaximumPacketSize: "00000001", wire.WildcardSubscriptionAvailable: "01", wire.SubscriptionIdentifierAvailable: "01", wire.SharedSubscriptionAvailable: "01",
}

// differs is where paho's table is not the specification's: it has the properties of a will among those of the CONNECT.
func differs(p wire.Property, t wire.Type) bool {
	switch p {
	case wire.PayloadFormatIndicator, wire.MessageExpiryInterval, wire.ContentType, wire.ResponseTopic, wire.CorrelationData, wire.WillDelayInterval:
		return t == wire.CONNECT
	}
	return false
}

// TestPropertiesStandWhereTheyMay: the table of properties is paho's.
func TestPropertiesStandWhereTheyMay(t *testing.T) {
	checked := 0
	for n := range 256 {
		id := wire.Property(n)
		value, known := values[id]
		if known != (id.String() != "unknown property") {
			t.Errorf("property 0x%02X is %v", byte(id), id)
		}
		for _, packet := range withProperties {
			more := ""
			if packet == wire.AUTH && id != wire.AuthenticationMethod || packet == wire.CONNECT && id == wire.AuthenticationData {
				more = ` 15 "method"`
			}
			b := inside(t, packet, id, value+more)
			want := paho.ValidateID(byte(packet), byte(id)) && !differs(id, packet)
			if got := accepted(b, packet); got != want {
				t.Errorf("%v in %v: %v, %s", id, packet, got, read(streamOf(packet), b))
			}
			checked++
		}
	}
	t.Logf("%d properties in %d packets: %d", len(values), len(withProperties), checked)
}

// inside is a packet of MQTT 5 with one property.
func inside(t *testing.T, packet wire.Type, id wire.Property, value string) []byte {
	t.Helper()
	return spell(t, fmt.Sprintf("%s %02X %s %s", shells[packet].head, byte(id), value, shells[packet].tail))
}

// streamOf is a direction in which packets of that type may travel.
func streamOf(packet wire.Type) wire.Stream {
	s := wire.Stream{Version: wire.V5, From: wire.Server}
	switch packet {
	case wire.CONNECT, wire.SUBSCRIBE, wire.UNSUBSCRIBE:
		s.From = wire.Client
	}
	return s
}

// accepted reports whether a packet is good from one of the sides.
func accepted(b []byte, packet wire.Type) bool {
	for _, from := range []wire.Sender{wire.Client, wire.Server} {
		s := wire.Stream{Version: wire.V5, From: from}
		h, err := s.Scan(b)
		if err != nil || h.Type != packet {
			continue
		}
		if _, err := decode(s, h, b[h.Size:]); err == nil {
			return true
		}
	}
	return false
}

// TestReasonCodes: names and numbers are those that mochi has, and what an acknowledgement may say is what mochi lets it.
func TestReasonCodes(t *testing.T) {
	for code, theirs := range map[wire.ReasonCode]mochi.Code{
		wire.Success: mochi.CodeSuccess, wire.GrantedQoS1: mochi.CodeGrantedQos1, wire.GrantedQoS2: mochi.CodeGrantedQos2,
		wire.DisconnectWithWillMessage: mochi.CodeDisconnectWillMessage, wire.NoMatchingSubscribers: mochi.CodeNoMatchingSubscribers,
		wire.NoSubscriptionExisted: mochi.CodeNoSubscriptionExisted, wire.ContinueAuthentication: mochi.CodeContinueAuthentication,
		wire.ReAuthenticate: mochi.CodeReAuthenticate, wire.UnspecifiedError: mochi.ErrUnspecifiedError, wire.MalformedPacket: mochi.ErrMalformedPacket,
		wire.ImplementationSpecificError: mochi.ErrImplementationSpecificError, wire.UnsupportedProtocolVersion: mochi.ErrUnsupportedProtocolVersion,
		wire.ClientIdentifierNotValid: mochi.ErrClientIdentifierNotValid, wire.NotAuthorized: mochi.ErrNotAuthorized,
		wire.ServerUnavailable: mochi.ErrServerUnavailable, wire.ServerBusy: mochi.ErrServerBusy, wire.Banned: mochi.ErrBanned,
		wire.ServerShuttingDown: mochi.ErrServerShuttingDown, wire.BadAuthenticationMethod: mochi.ErrBadAuthenticationMethod,
		wire.KeepAliveTimeout: mochi.ErrKeepAliveTimeout, wire.TopicFilterInvalid: mochi.ErrTopicFilterInvalid, wire.TopicNameInvalid: mochi.ErrTopicNameInvalid,
		wire.PacketIdentifierInUse: mochi.ErrPacketIdentifierInUse, wire.PacketIdentifierNotFound: mochi.ErrPacketIdentifierNotFound,
		wire.ReceiveMaximumExceeded: mochi.ErrReceiveMaximum, wire.TopicAliasInvalid: mochi.ErrTopicAliasInvalid, wire.PacketTooLarge: mochi.ErrPacketTooLarge,
		wire.MessageRateTooHigh: mochi.ErrMessageRateTooHigh, wire.QuotaExceeded: mochi.ErrQuotaExceeded, wire.AdministrativeAction: mochi.ErrAdministrativeAction,
		wire.PayloadFormatInvalid: mochi.ErrPayloadFormatInvalid, wire.RetainNotSupported: mochi.ErrRetainNotSupported, wire.QoSNotSupported: mochi.ErrQosNotSupported,
		wire.UseAnotherServer: mochi.ErrUseAnotherServer, wire.ServerMoved: mochi.ErrServerMoved,
		wire.SharedSubscriptionsNotSupported: mochi.ErrSharedSubscriptionsNotSupported, wire.ConnectionRateExceeded: mochi.ErrConnectionRateExceeded,
		wire.MaximumConnectTime: mochi.ErrMaxConnectTime, wire.SubscriptionIdentifiersNotSupported: mochi.ErrSubscriptionIdentifiersNotSupported,
		wire.WildcardSubscriptionsNotSupported: mochi.ErrWildcardSubscriptionsNotSupported,
	} {
		if byte(code) != theirs.Code || !strings.EqualFold(code.String(), theirs.Reason) {
			t.Errorf("0x%02X %v, mochi has 0x%02X %s", byte(code), code, theirs.Code, theirs.Reason)
		}
	}
	for _, packet := range []wire.Type{wire.PUBREC, wire.PUBREL, wire.PUBCOMP, wire.SUBACK, wire.UNSUBACK} {
		for code := range 256 {
			theirs := mochi.Packet{FixedHeader: mochi.FixedHeader{Type: byte(packet)}, ReasonCode: byte(code)}
			if c := wire.ReasonCode(code); c.In(packet) != theirs.ReasonCodeValid() {
				t.Errorf("%v in %v: %v", c, packet, c.In(packet))
			}
		}
	}
}

// TestReturnCodes: what each code of MQTT 5 is to a client of 3.1 or 3.1.1 that is refused. All others close without a
// CONNACK.
func TestReturnCodes(t *testing.T) {
	want := map[wire.ReasonCode]byte{
		wire.Success: 0, wire.UnsupportedProtocolVersion: 1, wire.ClientIdentifierNotValid: 2,
		wire.ServerUnavailable: 3, wire.ServerBusy: 3, wire.ServerShuttingDown: 3, wire.UseAnotherServer: 3, wire.ServerMoved: 3, wire.QuotaExceeded: 3, wire.ConnectionRateExceeded: 3,
		wire.BadUserNameOrPassword: 4, wire.NotAuthorized: 5, wire.Banned: 5,
	}
	for code := range 256 {
		c := wire.ReasonCode(code)
		got, ok := c.ReturnCode()
		if expected, said := want[c]; said != ok || got != expected {
			t.Errorf("%v: %d %v", c, got, ok)
		}
	}
	for _, c := range []struct {
		version wire.Version
		code    wire.ReasonCode
		want    string
	}{
		{wire.V31, wire.BadUserNameOrPassword, "20020004"}, {wire.V311, wire.NotAuthorized, "20020005"}, {wire.V311, wire.MalformedPacket, ""},
		{0, wire.NotAuthorized, ""}, {wire.V5, wire.NotAuthorized, "2003008700"}, {wire.V5, wire.ServerShuttingDown, "2003008000"},
		{wire.V311, wire.UnsupportedProtocolVersion, "20020001"},
	} {
		want := spell(t, c.want)
		if got := wire.AppendRefusal(nil, c.version, c.code, nil); string(got) != string(want) {
			t.Errorf("%v to %v: %x, want %x", c.code, c.version, got, want)
		}
	}
}

// TestFirstBytes writes down which first bytes are good, from whom, in which version: all else is refused after one byte.
func TestFirstBytes(t *testing.T) {
	publish := func(dup0 bool) (all string) { // QoS 0 to 2; DUP with QoS 0 in 3.1 alone
		all = "30 31 32 33 34 35 "
		if dup0 {
			all += "38 39 "
		}
		return all + "3A 3B 3C 3D "
	}
	for _, c := range []struct {
		stream wire.Stream
		want   string
	}{
		{wire.Stream{From: wire.Client}, "10 " + publish(false) + "40 50 62 70 82 A2 C0 E0"},
		{wire.Stream{From: wire.Client, Version: wire.V31}, "10 " + publish(true) + "40 50 62 6A 70 82 8A A2 AA C0 E0"},
		{wire.Stream{From: wire.Client, Version: wire.V311}, "10 " + publish(false) + "40 50 62 70 82 A2 C0 E0"},
		{wire.Stream{From: wire.Client, Version: wire.V5}, "10 " + publish(false) + "40 50 62 70 82 A2 C0 E0 F0"},
		{wire.Stream{From: wire.Server, Version: wire.V31}, "20 " + publish(true) + "40 50 62 6A 70 90 B0 D0"},
		{wire.Stream{From: wire.Server, Version: wire.V311}, "20 " + publish(false) + "40 50 62 70 90 B0 D0"},
		{wire.Stream{From: wire.Server, Version: wire.V5}, "20 " + publish(false) + "40 50 62 70 90 B0 D0 E0 F0"},
	} {
		var got []byte
		for first := range 256 {
			if _, err := c.stream.Scan([]byte{byte(first)}); err == wire.ErrShort {
				got = append(got, byte(first))
			}
		}
		if want := spell(t, c.want); string(got) != string(want) {
			t.Errorf("%+v: % X, want %s", c.stream, got, c.want)
		}
	}
}
