package mqtt

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxHeader is the longest fixed header, in bytes.
const maxHeader = 5

// readConnect reads the first packet, which has to be a CONNECT. Without a result the client has been refused, or has
// left with the error.
func (c *connection) readConnect(ctx context.Context) (*wire.Connect, error) {
	scan := wire.Stream{From: wire.Client, Max: wire.MaxConnect}
	for {
		b := c.client.Bytes()
		if len(b) > 0 && wire.Type(b[0]>>4) != wire.CONNECT {
			return nil, c.refuse(ctx, wire.ProtocolError, &sasl.Reject{Stage: sasl.StageHandshake, Code: "connect-required",
				Private: fmt.Sprintf("%s before CONNECT", wire.Type(b[0]>>4))})
		}
		h, err := scan.Scan(b)
		switch {
		case err == nil:
			body := slices.Clone(b[h.Size:h.Len()]) // parts of it are needed until the broker has them
			c.client.Discard(h.Len())
			return c.decodeConnect(ctx, body)
		case err != wire.ErrShort:
			if h.Size > 0 { // if the version has come with it, it can be answered
				connect, _ := wire.DecodeConnect(b[h.Size:])
				c.version = connect.Version
			}
			return nil, c.violation(ctx, err)
		}
		if err := c.client.Fill(wire.MaxConnect); err != nil {
			return nil, c.unread(ctx, err)
		}
	}
}

func (c *connection) decodeConnect(ctx context.Context, body []byte) (*wire.Connect, error) {
	connect, err := wire.DecodeConnect(body)
	c.version = connect.Version
	if err != nil {
		return nil, c.violation(ctx, err)
	}
	c.client.Resize(stream.Chunk)
	return connect, nil
}

// toBroker is the CONNECT that the gateway sends for a client: what is the client's own, with the id that belongs to its
// principal, the gateway's credentials, and what the gateway itself can keep up with.
func (c *connection) toBroker(from *wire.Connect, id string) *wire.Connect {
	to := &wire.Connect{
		Version: from.Version, CleanStart: from.CleanStart, KeepAlive: later(c.keepAliveOf(from)), ClientID: id, Will: from.Will,
		Properties: from.Properties.Without(wire.AuthenticationMethod, wire.AuthenticationData),
	}
	c.front.upstream.credentials(to, c.principal)
	if from.Version != wire.V5 {
		return to
	}
	if most := from.Properties.UintOr(wire.TopicAliasMaximum, 0); most > maxAliases {
		to.Properties = to.Properties.WithUint(wire.TopicAliasMaximum, maxAliases)
	}
	c.down.most = int(min(from.Properties.UintOr(wire.TopicAliasMaximum, 0), maxAliases))
	c.bearable = int(from.Properties.UintOr(wire.MaximumPacketSize, 0))
	return to
}

// later is the keep alive that the broker is asked for: it lets a client go a moment after the gateway has, which then can
// say why.
func later(keepAlive uint16) uint16 {
	if keepAlive == 0 || keepAlive == maxKeepAlive {
		return keepAlive
	}
	return keepAlive + 1
}

// keepAliveOf is the keep alive of a connection, in seconds: what the client wants, or with MQTT 5 less where its binding
// or the gateway's idle limit says so. In 3.x nobody can be told of another one.
func (c *connection) keepAliveOf(from *wire.Connect) uint16 {
	wanted := from.KeepAlive
	if from.Version != wire.V5 {
		return wanted
	}
	most := min(uint32(c.session.State.Limits.Idle.Seconds()/grace), maxKeepAlive)
	if bound := c.server.MQTT.KeepAlive; bound > 0 {
		most = min(most, uint32(bound))
	}
	if wanted == 0 || uint32(wanted) > most {
		return uint16(max(most, 1))
	}
	return wanted
}

const (
	grace        = 1.5 // of a keep alive: how many times of it a client may be silent (MQTT 5 section 3.1.2.10)
	maxKeepAlive = 0xFFFF
)
