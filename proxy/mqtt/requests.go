package mqtt

import (
	"context"
	"time"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// requests pumps the packets of the client until it leaves, is refused, or the broker is lost.
func (c *connection) requests(ctx context.Context) error {
	p := pump{
		from: c.client, to: &c.forth,
		scan:   wire.Stream{Version: c.version, From: wire.Client, Max: c.longest},
		decide: func(h wire.Header, b []byte) (edit, error) { return c.fromClient(ctx, h, b) },
		renew:  c.heard, piece: stream.Piece(c.silence),
	}
	return p.run()
}

// heard notes that the client is alive.
func (c *connection) heard() {
	c.reading.Renew()
	c.hearing.Renew()
}

// fromClient decides on one packet of the client. Of a PUBLISH its payload may be missing.
func (c *connection) fromClient(ctx context.Context, h wire.Header, b []byte) (edit, error) {
	if !c.expires.IsZero() && h.Type != wire.AUTH && time.Now().After(c.expires) {
		return edit{}, c.refuse(ctx, wire.MaximumConnectTime, &sasl.Reject{Stage: sasl.StageRequest, Code: "session-expired",
			Private: h.Type.String() + " after the session had expired"})
	}
	e, err := c.request(ctx, h, b)
	if e.skip == 0 && (err == nil || err == errLast) {
		c.front.allowed[h.Type&15].Inc()
	}
	return e, err
}

func (c *connection) request(ctx context.Context, h wire.Header, b []byte) (edit, error) {
	body := b[h.Size:]
	switch h.Type {
	case wire.PUBLISH:
		return c.publish(h, body)
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		return c.acknowledge(h, body)
	case wire.SUBSCRIBE:
		return c.subscribe(ctx, h, body)
	case wire.UNSUBSCRIBE:
		return c.unsubscribe(body)
	case wire.PINGREQ:
		return edit{}, nil
	case wire.DISCONNECT:
		if _, err := wire.DecodeDisconnect(body, c.version, wire.Client); err != nil {
			return edit{}, err
		}
		return edit{}, errLast
	case wire.AUTH:
		return c.renew(ctx, h, body)
	}
	return edit{}, &wire.Malformed{Packet: h.Type, Reason: "a second one", Code: wire.ProtocolError}
}
