package wire_test

import (
	"bytes"
	"fmt"
	"testing"

	paho "github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// secondOpinion has two other codecs read what was found good, and compares what they understand. Both believe more than
// ours, so nothing is said about what ours refuses. paho knows MQTT 5 alone.
//
// Left out is where they are wrong: paho does not read a DISCONNECT or an AUTH without properties, mochi not the code of
// such a DISCONNECT. mochi does not know what 3.1 allows: a DUP flag elsewhere than in a PUBLISH, or there with QoS 0, and
// a user name or password that its flag promises and that is missing.
func secondOpinion(t *testing.T, s wire.Stream, b []byte) {
	t.Helper()
	h, err := s.Scan(b)
	if err != nil {
		return
	}
	b = b[:h.Len()]
	ours, ok := plainly(s, h, b[h.Size:])
	if !ok {
		return
	}
	bare := (h.Type == wire.DISCONNECT || h.Type == wire.AUTH) && h.Remaining < 2
	if (s.Version == wire.V5 || h.Type == wire.CONNECT && b[h.Size+6] == byte(wire.V5)) && !bare {
		if theirs := asPaho(b); theirs != ours {
			t.Errorf("%x:\nours %s\npaho %s", b, ours, theirs)
		}
	}
	dup := h.Flags&8 != 0 && (h.Type != wire.PUBLISH || h.Flags>>1&3 == 0)
	if bare || dup || missing(h, b[h.Size:]) {
		return
	}
	if theirs := asMochi(s, h, b); theirs != ours {
		t.Errorf("%x:\nours  %s\nmochi %s", b, ours, theirs)
	}
}

// missing reports whether a CONNECT of 3.1 promises more than it has.
func missing(h wire.Header, body []byte) bool {
	if h.Type != wire.CONNECT || body[1] != 6 {
		return false
	}
	c, err := wire.DecodeConnect(body)
	flags := body[9]
	return err == nil && (flags&0x80 != 0 && !c.HasUsername || flags&0x40 != 0 && !c.HasPassword)
}

// plainly is what this package understands of a packet; false if it is none.
func plainly(s wire.Stream, h wire.Header, body []byte) (string, bool) {
	switch h.Type {
	case wire.CONNECT:
		c, err := wire.DecodeConnect(body)
		w := c.Will
		if w == nil {
			w = &wire.Will{}
		}
		return connect(c.Version, c.CleanStart, c.KeepAlive, c.ClientID, c.Will != nil, w.Topic, w.Payload, w.QoS, w.Retain,
			c.HasUsername, c.Username, c.HasPassword, c.Password, users(c.Properties)+users(w.Properties)), err == nil
	case wire.CONNACK:
		c, err := wire.DecodeConnack(body, s.Version)
		return outcome(c.SessionPresent, byte(c.Code), users(c.Properties)), err == nil
	case wire.PUBLISH:
		p, n, err := wire.DecodePublish(h, body, s.Version, s.From)
		return publish(p.Topic, p.PacketID, p.QoS, p.Dup, p.Retain, p.Alias, users(p.Properties), body[n:]), err == nil
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		a, err := wire.DecodeAck(h.Type, body, s.Version)
		return outcome(a.PacketID, byte(a.Code), users(a.Properties)), err == nil
	case wire.SUBSCRIBE:
		u, err := wire.DecodeSubscribe(body, s.Version)
		all := outcome(u.PacketID, 0, users(u.Properties))
		for one := range u.All() {
			all += subscription(string(one.Filter), one.QoS, one.NoLocal, one.RetainAsPublished, one.RetainHandling)
		}
		return all, err == nil
	case wire.UNSUBSCRIBE:
		u, err := wire.DecodeUnsubscribe(body, s.Version)
		all := outcome(u.PacketID, 0, users(u.Properties))
		for filter := range u.All() {
			all += fmt.Sprintf(" %q", filter)
		}
		return all, err == nil
	case wire.SUBACK, wire.UNSUBACK:
		a, err := wire.DecodeSuback(h.Type, body, s.Version)
		return outcome(a.PacketID, a.Codes, users(a.Properties)), err == nil
	case wire.DISCONNECT:
		d, err := wire.DecodeDisconnect(body, s.Version, s.From)
		return outcome(0, byte(d.Code), users(d.Properties)), err == nil
	case wire.AUTH:
		a, err := wire.DecodeAuth(body, s.From)
		return outcome(a.Method()+string(a.Data()), byte(a.Code), users(a.Properties)), err == nil
	}
	return h.Type.String(), true
}

func users(p wire.Properties) (n int) {
	for range p.UserProperties() {
		n++
	}
	return n
}

// The forms in which what the codecs understand is compared.
func connect[V ~uint8, U string | []byte](version V, clean bool, alive uint16, id string, will bool, topic string, message []byte, qos byte, retain, hasUser bool, user U, hasPassword bool, password []byte, users int) string {
	return fmt.Sprintf("%d %v %d %q %v %q %x %d %v %v %q %v %x %d", version, clean, alive, id, will, topic, message, qos, retain, hasUser, user, hasPassword, password, users)
}

func publish[S string | []byte](topic S, id uint16, qos byte, dup, retain bool, alias uint16, users int, payload []byte) string {
	return fmt.Sprintf("%q %d %d %v %v %d %d %x", topic, id, qos, dup, retain, alias, users, payload)
}

func outcome(id, code any, users int) string { return fmt.Sprintf("%v %x %d", id, code, users) }

func subscription(filter string, qos byte, noLocal, published bool, handling byte) string {
	return fmt.Sprintf(" %q %d %v %v %d", filter, qos, noLocal, published, handling)
}

func asPaho(b []byte) string {
	packet, err := paho.ReadPacket(bytes.NewReader(b))
	if err != nil {
		return err.Error()
	}
	switch p := packet.Content.(type) {
	case *paho.Connect:
		n := len(p.Properties.User)
		if p.WillProperties != nil {
			n += len(p.WillProperties.User)
		}
		return connect(p.ProtocolVersion, p.CleanStart, p.KeepAlive, p.ClientID, p.WillFlag, p.WillTopic, p.WillMessage, p.WillQOS, p.WillRetain,
			p.UsernameFlag, p.Username, p.PasswordFlag, p.Password, n)
	case *paho.Connack:
		return outcome(p.SessionPresent, p.ReasonCode, len(p.Properties.User))
	case *paho.Publish:
		alias := uint16(0)
		if p.Properties.TopicAlias != nil {
			alias = *p.Properties.TopicAlias
		}
		return publish(p.Topic, p.PacketID, p.QoS, p.Duplicate, p.Retain, alias, len(p.Properties.User), p.Payload)
	case *paho.Puback:
		return outcome(p.PacketID, p.ReasonCode, len(p.Properties.User))
	case *paho.Pubrec:
		return outcome(p.PacketID, p.ReasonCode, len(p.Properties.User))
	case *paho.Pubrel:
		return outcome(p.PacketID, p.ReasonCode, len(p.Properties.User))
	case *paho.Pubcomp:
		return outcome(p.PacketID, p.ReasonCode, len(p.Properties.User))
	case *paho.Subscribe:
		all := outcome(p.PacketID, 0, len(p.Properties.User))
		for _, o := range p.Subscriptions {
			all += subscription(o.Topic, o.QoS, o.NoLocal, o.RetainAsPublished, o.RetainHandling)
		}
		return all
	case *paho.Unsubscribe:
		all := outcome(p.PacketID, 0, len(p.Properties.User))
		for _, filter := range p.Topics {
			all += fmt.Sprintf(" %q", filter)
		}
		return all
	case *paho.Suback:
		return outcome(p.PacketID, p.Reasons, len(p.Properties.User))
	case *paho.Unsuback:
		return outcome(p.PacketID, p.Reasons, len(p.Properties.User))
	case *paho.Disconnect:
		return outcome(0, p.ReasonCode, len(p.Properties.User))
	case *paho.Auth:
		return outcome(p.Properties.AuthMethod+string(p.Properties.AuthData), p.ReasonCode, len(p.Properties.User))
	}
	return wire.Type(packet.Type).String()
}

func asMochi(s wire.Stream, h wire.Header, b []byte) string {
	p := mochi.Packet{ProtocolVersion: byte(s.Version)}
	if err := p.FixedHeader.Decode(b[0]); err != nil {
		return err.Error()
	}
	p.FixedHeader.Remaining = h.Remaining
	decode := map[wire.Type]func([]byte) error{
		wire.CONNECT: p.ConnectDecode, wire.CONNACK: p.ConnackDecode, wire.PUBLISH: p.PublishDecode, wire.PUBACK: p.PubackDecode,
		wire.PUBREC: p.PubrecDecode, wire.PUBREL: p.PubrelDecode, wire.PUBCOMP: p.PubcompDecode, wire.SUBSCRIBE: p.SubscribeDecode,
		wire.SUBACK: p.SubackDecode, wire.UNSUBSCRIBE: p.UnsubscribeDecode, wire.UNSUBACK: p.UnsubackDecode,
		wire.PINGREQ: p.PingreqDecode, wire.PINGRESP: p.PingrespDecode, wire.DISCONNECT: p.DisconnectDecode, wire.AUTH: p.AuthDecode,
	}[h.Type]
	if err := decode(b[h.Size:]); err != nil {
		return err.Error()
	}
	n := len(p.Properties.User)
	switch h.Type {
	case wire.CONNECT:
		c := p.Connect
		return connect(p.ProtocolVersion, c.Clean, c.Keepalive, c.ClientIdentifier, c.WillFlag, c.WillTopic, c.WillPayload, c.WillQos, c.WillRetain,
			c.UsernameFlag, c.Username, c.PasswordFlag, c.Password, n+len(c.WillProperties.User))
	case wire.CONNACK:
		return outcome(p.SessionPresent, p.ReasonCode, n)
	case wire.PUBLISH:
		return publish(p.TopicName, p.PacketID, p.FixedHeader.Qos, p.FixedHeader.Dup, p.FixedHeader.Retain, p.Properties.TopicAlias, n, p.Payload)
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		return outcome(p.PacketID, p.ReasonCode, n)
	case wire.SUBSCRIBE, wire.UNSUBSCRIBE:
		all := outcome(p.PacketID, 0, n)
		for _, f := range p.Filters {
			if h.Type == wire.UNSUBSCRIBE {
				all += fmt.Sprintf(" %q", f.Filter)
				continue
			}
			all += subscription(f.Filter, f.Qos, f.NoLocal, f.RetainAsPublished, f.RetainHandling)
		}
		return all
	case wire.SUBACK, wire.UNSUBACK:
		return outcome(p.PacketID, p.ReasonCodes, n)
	case wire.DISCONNECT:
		return outcome(0, p.ReasonCode, n)
	case wire.AUTH:
		return outcome(p.Properties.AuthenticationMethod+string(p.Properties.AuthenticationData), p.ReasonCode, n)
	}
	return h.Type.String()
}
