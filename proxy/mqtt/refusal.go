package mqtt

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// refusalCode is what MQTT 5 calls a refusal of the login; wire knows what the other versions can say of it.
func refusalCode(r *sasl.Reject) wire.ReasonCode {
	if r == nil {
		return wire.Success
	}
	switch r.Code {
	case sasl.CodeBusy:
		return wire.ServerBusy
	case sasl.CodeDirectoryFailure, sasl.CodeIssuerUnavailable, "draining":
		return wire.ServerUnavailable
	case "unsupported-mechanism":
		return wire.BadAuthenticationMethod
	case "principal-connections":
		return wire.QuotaExceeded
	}
	switch {
	case r.Stage == sasl.StageHandshake:
		return wire.ProtocolError
	case r.Stage == sasl.StageLogin && (r.Mechanism == sasl.Password || r.Mechanism == sasl.Basic):
		return wire.BadUserNameOrPassword
	}
	return wire.NotAuthorized
}

// violations are the audit codes of packets that break the specification or a bound, by reason code.
var violations = map[wire.ReasonCode]string{
	wire.MalformedPacket:            "malformed",
	wire.ProtocolError:              "protocol-error",
	wire.PacketTooLarge:             "packet-length",
	wire.UnsupportedProtocolVersion: "unsupported-version",
	wire.ClientIdentifierNotValid:   "client-id",
	wire.TopicAliasInvalid:          "topic-alias",
	wire.ReceiveMaximumExceeded:     "receive-maximum",
	wire.QuotaExceeded:              "quota",
}

// violation refuses a client for a packet that is none, or that goes beyond a bound.
func (c *connection) violation(ctx context.Context, err error) error {
	malformed := &wire.Malformed{Code: wire.MalformedPacket}
	errors.As(err, &malformed)
	stage, code := sasl.StageHandshake, violations[malformed.Code]
	if c.told {
		stage = sasl.StageRequest
	}
	if code == "" {
		code = "malformed"
	}
	return c.refuse(ctx, malformed.Code, &sasl.Reject{Stage: stage, Code: code, Private: err.Error()})
}

// refuse ends a connection: with a record of why, and with what its version has to say so. It answers errClosed.
func (c *connection) refuse(ctx context.Context, code wire.ReasonCode, r *sasl.Reject) error {
	c.session.Refuse(ctx, r)
	c.back.last(c.lastPacket(code))
	return errClosed
}

// lastPacket is what a client is told at the end: a CONNACK if it has had none, else a DISCONNECT, which in 3.x there is
// not.
func (c *connection) lastPacket(code wire.ReasonCode) []byte {
	switch {
	case !c.told:
		return wire.AppendRefusal(nil, c.version, code, nil)
	case c.version != wire.V5:
		return nil
	case code == wire.ServerUnavailable: // which only a CONNACK can say
		code = wire.ServerShuttingDown
	case !code.In(wire.DISCONNECT):
		code = wire.UnspecifiedError
	}
	return wire.Disconnect{Code: code}.Append(nil, wire.V5)
}

// quote shows a peer's text to an operator: escaped, and cut.
func quote(s string) string { return fmt.Sprintf("%.64q", s) }
