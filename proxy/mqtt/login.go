package mqtt

import (
	"context"
	"errors"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// admitted is a client that has been let in.
type admitted struct {
	id       string // that the broker sees
	assigned string // that the client is told, because it had none; empty: it had one
	last     []byte // the mechanism's last message, for the CONNACK
}

// admit lets the client prove who it is, and holds what it wants against what its principal may have. Without a result it
// has been refused, or has left with the error. Nothing has been dialled by then.
func (c *connection) admit(ctx context.Context, connect *wire.Connect) (*admitted, error) {
	if code, reject := c.speaks(connect); reject != nil {
		return nil, c.refuse(ctx, code, reject)
	}
	a := &admitted{}
	reject, err := c.identify(ctx, connect, a)
	if err != nil {
		return nil, err
	}
	var who *sasl.Principal
	if reject == nil {
		who, reject = policy.Admit(c.session.Current().Server, c.session.Certificate, c.login)
	}
	if reject != nil && c.login == nil && reject.Stage == sasl.StagePolicy && policy.Takes(c.server, sasl.External) {
		errors.As(c.session.CertificateErr, &reject) // says more where there was only a certificate: unknown, expired, revoked
	}
	code := refusalCode(reject)
	if reject == nil {
		c.rules = c.front.rules(c.session, who)
		code, reject = c.narrowed(connect)
	}
	if reject == nil {
		a.id, a.assigned = c.clientID(connect, who)
		c.principal = who
		reject = c.session.Admit(who)
		code = refusalCode(reject)
	}
	if reject != nil {
		return nil, c.refuse(ctx, code, reject)
	}
	c.expires = c.session.Expires()
	return a, nil
}

// speaks refuses clients whose version has no way to log in here.
func (c *connection) speaks(connect *wire.Connect) (wire.ReasonCode, *sasl.Reject) {
	switch {
	case connect.Version == wire.V5:
		return 0, nil
	case c.server.MQTT.Only5:
		return wire.UnsupportedProtocolVersion, &sasl.Reject{Stage: sasl.StageHandshake, Code: "unsupported-version",
			Private: "MQTT " + connect.Version.String() + ", and the protocol of the server is mqtt5"}
	case c.login == nil && len(c.server.Alternatives) > 0 && !c.session.State.Takes(sasl.Password):
		if _, reject := policy.Admit(c.session.State.Server, c.session.Certificate, nil); reject != nil && len(c.session.State.Mechanisms) > 0 {
			return wire.UnsupportedProtocolVersion, &sasl.Reject{Stage: sasl.StageHandshake, Code: "unsupported-version",
				Private: "MQTT " + connect.Version.String() + ", and what the server asks for takes the AUTH packets of MQTT 5"}
		}
	}
	return 0, nil
}

// identify finds out who has logged in, if anybody has: by an exchange of AUTH packets, in the HTTP request before, or by
// user name and password. What the server does not ask for is not looked at, as with a broker.
func (c *connection) identify(ctx context.Context, connect *wire.Connect, a *admitted) (*sasl.Reject, error) {
	if method, ok := connect.Properties.Bytes(wire.AuthenticationMethod); ok {
		data, _ := connect.Properties.Bytes(wire.AuthenticationData)
		return c.authenticate(ctx, string(method), data, a)
	}
	if c.login != nil {
		return nil, nil
	}
	state := c.session.Current()
	if !state.Takes(sasl.Password) || !connect.HasUsername && !connect.HasPassword {
		return nil, nil
	}
	step := state.LogIn(ctx, sasl.Password, connect.Username, connect.Password, c.peer())
	c.login = step.Principal
	return step.Reject, nil
}

// peer is what is known of the client before it has logged in.
func (c *connection) peer() sasl.Peer {
	return sasl.Peer{Server: c.session.Server.Name(), Remote: c.session.Remote, TLS: c.session.TLS}
}

// narrowed holds a CONNECT against what the binding of the server narrows, and its will against the rules.
func (c *connection) narrowed(connect *wire.Connect) (wire.ReasonCode, *sasl.Reject) {
	m := c.server.MQTT
	reject := func(code, private string) *sasl.Reject {
		return &sasl.Reject{Stage: sasl.StagePolicy, Code: code, Private: private}
	}
	switch {
	case m.ClientID != "" && connect.ClientID != m.ClientID:
		return wire.ClientIdentifierNotValid, reject("client-id", "the binding of the server allows one client id, and this is another")
	case m.CleanSession != nil && *m.CleanSession != connect.CleanStart:
		return wire.NotAuthorized, reject("clean-session", "the binding of the server narrows cleanSession, and the client asks for the opposite")
	case m.KeepAlive > 0 && connect.Version != wire.V5 && (connect.KeepAlive == 0 || int(connect.KeepAlive) > m.KeepAlive):
		return wire.NotAuthorized, reject("keep-alive-too-long", "the client wants a longer keep alive than the binding of the server allows")
	case connect.Will != nil && m.LastWill != nil && !matches(connect.Will, m.LastWill):
		return wire.NotAuthorized, reject("will", "the will is not the one that the binding of the server describes")
	}
	if w := connect.Will; w != nil {
		if why := c.publishable([]byte(w.Topic), w.QoS, w.Retain); why != "" {
			return wire.NotAuthorized, reject("will", "a will to "+quote(w.Topic)+": "+why)
		}
	}
	return 0, nil
}

// matches reports whether a will is the one that a binding describes.
func matches(w *wire.Will, bound *plan.LastWill) bool {
	return (bound.Topic == "" || w.Topic == bound.Topic) &&
		(bound.QoS == nil || int(w.QoS) == *bound.QoS) &&
		(bound.Message == nil || string(w.Payload) == *bound.Message) &&
		(bound.Retain == nil || w.Retain == *bound.Retain)
}
