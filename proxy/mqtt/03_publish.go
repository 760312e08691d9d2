package mqtt

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// publish decides on a message of the client by its head.
func (c *connection) publish(h wire.Header, body []byte) (edit, error) {
	p, n, err := wire.DecodePublish(h, body, c.version, wire.Client)
	if err != nil {
		return edit{}, err
	}
	topic, err := c.up.resolve(&p)
	if err != nil {
		return edit{}, err
	}
	if why := c.publishable(topic, p.QoS, p.Retain); why != "" {
		return c.denyPublish(h, &p, topic, why)
	}
	if c.version == wire.V5 && p.QoS > 0 && !c.sent.add(p.PacketID) {
		return edit{}, &wire.Malformed{Packet: wire.PUBLISH, Reason: "more messages on their way than the Receive Maximum", Code: wire.ReceiveMaximumExceeded}
	}
	if head := c.up.forwarded(&p, c.version); head != nil {
		return edit{skip: h.Size + n, head: head}, nil
	}
	return edit{}, nil
}

// denyPublish leaves a message out. In MQTT 5 a client is told so for QoS 1 and 2; in 3.x, which has no word for it, the
// message is acknowledged and dropped, as Mosquitto does.
func (c *connection) denyPublish(h wire.Header, p *wire.Publish, topic []byte, why string) (edit, error) {
	c.session.Deny(wire.PUBLISH.String(), string(topic), &sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed", Private: why})
	code := wire.NotAuthorized
	if c.version != wire.V5 {
		code = wire.Success
	}
	var err error
	switch {
	case p.QoS == 1:
		err = c.back.write(wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID, Code: code}.Append(nil, c.version))
	case p.QoS == 2 && c.version != wire.V5 && !c.swallowed.add(p.PacketID):
		err = &wire.Malformed{Packet: wire.PUBLISH, Reason: "too many messages that were not released", Code: wire.QuotaExceeded}
	case p.QoS == 2:
		err = c.back.write(wire.Ack{Type: wire.PUBREC, PacketID: p.PacketID, Code: code}.Append(nil, c.version))
	}
	return drop(h), err
}

// delivery decides on a message of the broker by its head: an old session must not go around rules that have changed. One
// that is withheld is acknowledged in the client's place, or the broker would wait for ever.
func (c *connection) delivery(h wire.Header, body []byte) (edit, error) {
	p, n, err := wire.DecodePublish(h, body, c.version, wire.Server)
	if err != nil {
		return edit{}, err
	}
	topic, err := c.down.resolve(&p)
	if err != nil {
		return edit{}, err
	}
	if why := c.rules.decide(plan.Consume, topic, p.QoS, p.Retain); why != "" {
		return c.withhold(h, &p, topic, why)
	}
	if head := c.down.forwarded(&p, c.version); head != nil {
		return edit{skip: h.Size + n, head: head}, nil
	}
	return edit{}, nil
}

func (c *connection) withhold(h wire.Header, p *wire.Publish, topic []byte, why string) (edit, error) {
	c.session.Deny("delivery", string(topic), &sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed", Private: why})
	var err error
	switch {
	case p.QoS == 1:
		err = c.forth.write(wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}.Append(nil, c.version))
	case p.QoS == 2 && !c.withheld.add(p.PacketID):
		err = &wire.Malformed{Packet: wire.PUBLISH, Reason: "too many messages that were not released", Code: wire.QuotaExceeded}
	case p.QoS == 2:
		err = c.forth.write(wire.Ack{Type: wire.PUBREC, PacketID: p.PacketID}.Append(nil, c.version))
	}
	return drop(h), err
}
