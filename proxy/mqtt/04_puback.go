package mqtt

import "github.com/asyncgate/asyncgate/proxy/mqtt/wire"

// acknowledge decides on an acknowledgement of the client's: the release of a message that the broker has never had is
// answered here.
func (c *connection) acknowledge(h wire.Header, body []byte) (edit, error) {
	a, err := wire.DecodeAck(h.Type, body, c.version)
	if err != nil {
		return edit{}, err
	}
	if h.Type == wire.PUBREL && c.swallowed.remove(a.PacketID) {
		return drop(h), c.back.write(wire.Ack{Type: wire.PUBCOMP, PacketID: a.PacketID}.Append(nil, c.version))
	}
	return edit{}, nil
}

// acknowledged decides on an acknowledgement of the broker's.
func (c *connection) acknowledged(h wire.Header, body []byte) (edit, error) {
	a, err := wire.DecodeAck(h.Type, body, c.version)
	if err != nil {
		return edit{}, err
	}
	switch {
	case h.Type == wire.PUBREL && c.withheld.remove(a.PacketID):
		return drop(h), c.forth.write(wire.Ack{Type: wire.PUBCOMP, PacketID: a.PacketID}.Append(nil, c.version))
	case c.version == wire.V5 && (h.Type == wire.PUBACK || h.Type == wire.PUBCOMP || h.Type == wire.PUBREC && a.Code.Failed()):
		c.sent.remove(a.PacketID)
	}
	return edit{}, nil
}
