package mqtt

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxConnack bounds the broker's CONNACK, in bytes. Two strings of the longest fit, and nobody sends any.
const maxConnack = 128 << 10

// maxInflight is how many messages of QoS 1 and 2 a client of MQTT 5 may have on their way to the broker (Receive
// Maximum): the gateway notes each. Mosquitto's own default is 20.
const maxInflight = 1024

// connect dials the broker, connects there for the client, and passes the broker's answer on. With an error the client
// has been refused, or is gone.
func (c *connection) connect(ctx context.Context, connect *wire.Connect, a *admitted) error {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	metrics := c.session.Metrics()
	metrics.UpstreamDials.Inc()
	conn, err := c.front.upstream.dial(ctx, c.version)
	if err != nil {
		return c.failUpstream(ctx, "upstream-unavailable", err)
	}
	metrics.UpstreamOpen.Inc()
	idle := c.session.State.Limits.Idle
	c.hearing = stream.NewDeadline(conn.SetReadDeadline, 2*idle) // what bounds both sides together is the client's
	c.forth = sink{conn: conn, deadline: stream.NewDeadline(conn.SetWriteDeadline, idle), count: metrics.FromClient, lost: errBroker}
	c.broker = stream.New(conn, stream.Chunk)
	_ = conn.SetDeadline(time.Now().Add(upstreamTimeout))
	unwatch := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer unwatch()
	to := c.toBroker(connect, a.id)
	c.willed = to.Will != nil
	if _, err := conn.Write(to.Append(nil)); err != nil {
		return c.failUpstream(ctx, "upstream-unavailable", err)
	}
	ack, err := c.readConnack()
	if err != nil {
		return c.failUpstream(ctx, "upstream-unavailable", fmt.Errorf("the broker's answer to CONNECT: %w", err))
	}
	if ack.Code != wire.Success {
		return c.refusedUpstream(ctx, ack.Code)
	}
	unwatch()
	_ = conn.SetDeadline(time.Time{})
	keepAlive := c.keepAliveOf(connect)
	c.longest, c.swallowed.most, c.withheld.most = c.session.State.Limits.Frame, maxInflight, 0xFFFF
	if c.version == wire.V5 {
		keepAlive = c.tighten(&ack, connect, keepAlive, a)
	}
	c.keep(keepAlive)
	c.hearing.Renew()
	return c.accept(ack)
}

// accept tells the client that it is connected.
func (c *connection) accept(ack wire.Connack) error {
	c.told = true
	return c.back.write(ack.Append(nil, c.version))
}

// readConnack reads the first packet of the broker, which has to be a CONNACK. A broker that does not know MQTT 5 refuses
// it with the CONNACK of 3.1.1.
func (c *connection) readConnack() (wire.Connack, error) {
	scan := wire.Stream{Version: c.version, From: wire.Server, Max: maxConnack}
	for {
		b := c.broker.Bytes()
		h, err := scan.Scan(b)
		switch {
		case len(b) > 0 && h.Type != wire.CONNACK:
			return wire.Connack{}, fmt.Errorf("%s in place of CONNACK", h.Type)
		case err == nil:
			body := append([]byte(nil), b[h.Size:h.Len()]...)
			c.broker.Discard(h.Len())
			if c.version == wire.V5 && h.Remaining == 2 {
				ack, err := wire.DecodeConnack(body, wire.V311)
				if err == nil && byte(ack.Code) == wire.UnacceptableProtocolVersion {
					return wire.Connack{Code: wire.UnsupportedProtocolVersion}, nil
				}
			}
			ack, err := wire.DecodeConnack(body, c.version)
			if err == nil && c.version != wire.V5 {
				ack.Code = reasonOf[ack.Code&7]
			}
			return ack, err
		case err != wire.ErrShort:
			return wire.Connack{}, err
		}
		if err := c.broker.Fill(maxConnack); err != nil {
			return wire.Connack{}, err
		}
	}
}

// reasonOf is what MQTT 5 calls the return codes of 3.x.
var reasonOf = [8]wire.ReasonCode{
	wire.Accepted:                    wire.Success,
	wire.UnacceptableProtocolVersion: wire.UnsupportedProtocolVersion,
	wire.IdentifierRejected:          wire.ClientIdentifierNotValid,
	wire.ServerIsUnavailable:         wire.ServerUnavailable,
	wire.BadUserNameOrPassword3:      wire.BadUserNameOrPassword,
	wire.NotAuthorized3:              wire.NotAuthorized,
}

// refusedUpstream passes on that the broker refuses the client, unless it is the gateway that it refuses.
func (c *connection) refusedUpstream(ctx context.Context, code wire.ReasonCode) error {
	why := fmt.Errorf("the broker refuses the client: %s", code)
	switch code {
	case wire.BadUserNameOrPassword, wire.NotAuthorized, wire.BadAuthenticationMethod:
		return c.failUpstream(ctx, "upstream-login", fmt.Errorf("the broker refuses the gateway's own credentials: %s", code))
	case wire.UnsupportedProtocolVersion, wire.ClientIdentifierNotValid, wire.ServerBusy, wire.Banned, wire.QuotaExceeded,
		wire.ConnectionRateExceeded, wire.TopicNameInvalid, wire.PacketTooLarge, wire.PayloadFormatInvalid,
		wire.RetainNotSupported, wire.QoSNotSupported: // what the client could have asked for differently, or later
	default: // also Use another server: there is none but through the gateway
		code = wire.ServerUnavailable
	}
	return c.fail(ctx, code, "upstream-refused", why)
}

// tighten makes the broker's CONNACK the gateway's: it promises no more than both can keep, names the client by its own
// id, and no other server. The keep alive, in seconds, is the gateway's, and becomes the broker's if that is shorter.
func (c *connection) tighten(ack *wire.Connack, from *wire.Connect, keepAlive uint16, a *admitted) uint16 {
	p := ack.Properties.Without(wire.AuthenticationMethod, wire.AuthenticationData, wire.ServerReference, wire.ReasonString)
	lower := func(id wire.Property, absent, most uint32) int {
		has := p.UintOr(id, absent)
		if has > most {
			p = p.WithUint(id, most)
		}
		return int(min(has, most))
	}
	c.sent.most = lower(wire.ReceiveMaximum, 0xFFFF, maxInflight)
	c.up.most = lower(wire.TopicAliasMaximum, 0, maxAliases)
	c.longest = lower(wire.MaximumPacketSize, wire.MaxRemaining+maxHeader, uint32(min(c.session.State.Limits.Frame, wire.MaxRemaining+maxHeader)))
	stated := p.UintOr(wire.ServerKeepAlive, 0)
	if stated > 0 && (keepAlive == 0 || stated < uint32(keepAlive)) {
		keepAlive = uint16(stated)
	}
	if p = p.Without(wire.ServerKeepAlive); keepAlive != from.KeepAlive {
		p = p.WithUint(wire.ServerKeepAlive, uint32(keepAlive))
	}
	if c.server.MQTT.ClientIDs != plan.VerbatimIDs {
		p = p.Without(wire.AssignedClientIdentifier)
	}
	if a.assigned != "" {
		p = p.WithText(wire.AssignedClientIdentifier, a.assigned)
	}
	if c.method != "" {
		p = p.WithText(wire.AuthenticationMethod, c.method)
		if a.last != nil {
			p = p.WithText(wire.AuthenticationData, string(a.last))
		}
	}
	ack.Properties = p
	return keepAlive
}

// keep arms the deadline by which the client has to be heard: one and a half times its keep alive. Without one, and where
// that is longer than the idle limit, the idle limit bounds the silence of both sides together.
func (c *connection) keep(seconds uint16) {
	idle := c.session.State.Limits.Idle
	after := time.Duration(float64(seconds) * grace * float64(time.Second))
	c.keepAlive = after > 0 && after <= idle
	if !c.keepAlive {
		after = idle
	}
	c.silence = after
	c.reading.Change(after)
	c.writing.Change(idle)
}

// fail refuses a client for what the upstream does, and tells the operator.
func (c *connection) fail(ctx context.Context, to wire.ReasonCode, code string, err error) error {
	c.session.Metrics().UpstreamFailures(code).Inc()
	return c.refuse(ctx, to, &sasl.Reject{Stage: sasl.StageUpstream, Code: code, Private: err.Error()})
}

// failUpstream refuses a client that did nothing wrong: the broker is not there for it.
func (c *connection) failUpstream(ctx context.Context, code string, err error) error {
	return c.fail(ctx, wire.ServerUnavailable, code, err)
}
