package mqtt

import (
	"io"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// deliver pumps the packets of the broker to the client until either is gone.
func (c *connection) deliver() {
	p := pump{
		from: c.broker, to: &c.back,
		scan:   wire.Stream{Version: c.version, From: wire.Server, Max: c.bearable},
		decide: c.fromBroker,
		renew:  c.sentBack, piece: stream.Piece(c.session.State.Limits.Idle),
	}
	c.failure = p.run()
	if c.failure == errLast {
		c.back.last(nil)
	}
	if c.failure == errClosed { // the client is told no more; what the broker still says must not reset its connection
		_, _ = io.Copy(io.Discard, c.forth.conn)
	}
	close(c.ended)
	c.reading.End()
}

// sentBack notes that the broker is alive, and the client still takes what it sends.
func (c *connection) sentBack() {
	c.hearing.Renew()
	if !c.keepAlive {
		c.reading.Renew()
	}
}

// fromBroker decides on one packet of the broker. Of a PUBLISH its payload may be missing.
func (c *connection) fromBroker(h wire.Header, b []byte) (edit, error) {
	body := b[h.Size:]
	switch h.Type {
	case wire.PUBLISH:
		return c.delivery(h, body)
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		return c.acknowledged(h, body)
	case wire.SUBACK, wire.UNSUBACK:
		return c.granted(h, body)
	case wire.PINGRESP:
		return edit{}, nil
	case wire.DISCONNECT:
		return c.dismissed(h, body)
	}
	return edit{}, &wire.Malformed{Packet: h.Type, Reason: "from a broker that has accepted the client", Code: wire.ProtocolError}
}

// dismissed passes on that the broker ends the connection, and why. No other server is named: there is none but through
// the gateway.
func (c *connection) dismissed(h wire.Header, body []byte) (edit, error) {
	d, err := wire.DecodeDisconnect(body, c.version, wire.Server)
	if err != nil {
		return edit{}, err
	}
	if d.Code == wire.UseAnotherServer || d.Code == wire.ServerMoved {
		d.Code = wire.ServerShuttingDown
	}
	d.Properties = d.Properties.Without(wire.ServerReference, wire.ReasonString)
	return edit{skip: h.Len(), head: d.Append(nil, c.version)}, errLast
}
