package mqtt

import (
	"context"
	"fmt"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxRounds bounds the AUTH packets of one login. SCRAM takes two, and one more if the client lets the gateway ask.
const maxRounds = 6

// exchange is a login by AUTH packets: the mechanism is named by the authentication method (MQTT 5 section 4.12).
type exchange struct {
	method string
	sasl   sasl.Exchange
	rounds int
}

// beginExchange starts a login with a method. Nil: it is not offered.
func (c *connection) beginExchange(method string) *exchange {
	mechanism := c.session.Current().Mechanism(method)
	if mechanism == nil {
		return nil
	}
	return &exchange{method: method, sasl: mechanism.Start(c.peer())}
}

// next takes a message of the client. Where there is none, and none has been before, the client waits to be asked.
func (x *exchange) next(ctx context.Context, data []byte) sasl.Step {
	x.rounds++
	if x.rounds > maxRounds {
		return sasl.Step{Reject: &sasl.Reject{Stage: sasl.StageLogin, Code: "auth-rounds", Mechanism: x.method,
			Private: fmt.Sprintf("more than %d AUTH packets", maxRounds)}}
	}
	if data == nil && x.rounds == 1 {
		return sasl.Step{}
	}
	step := x.sasl.Next(ctx, data)
	if step.Failed != nil { // MQTT has a reason code to say so, and no need for the client's consent
		return sasl.Step{Reject: step.Failed}
	}
	return step
}

// packet is an AUTH of the gateway.
func (x *exchange) packet(code wire.ReasonCode, data []byte) []byte {
	p := wire.Properties(nil).WithText(wire.AuthenticationMethod, x.method)
	if data != nil {
		p = p.WithText(wire.AuthenticationData, string(data))
	}
	return wire.Auth{Code: code, Properties: p}.Append(nil)
}

// authenticate is the login between CONNECT and CONNACK. The reject is for the caller to tell.
func (c *connection) authenticate(ctx context.Context, method string, data []byte, a *admitted) (*sasl.Reject, error) {
	if len(c.session.State.Mechanisms) == 0 && len(c.server.Alternatives) == 0 {
		return nil, nil // nobody has to log in
	}
	x := c.beginExchange(method)
	if x == nil {
		return &sasl.Reject{Stage: sasl.StageHandshake, Code: "unsupported-mechanism",
			Private: fmt.Sprintf("the authentication method %s is not offered", quote(method))}, nil
	}
	c.method = method
	for {
		step := x.next(ctx, data)
		if step.Done() {
			c.login, a.last = step.Principal, step.Out
			return step.Reject, nil
		}
		if _, err := c.back.conn.Write(x.packet(wire.ContinueAuthentication, step.Out)); err != nil {
			return nil, err
		}
		answer, reject, err := c.readAuth(ctx)
		if reject != nil || err != nil {
			return reject, err
		}
		if answer.Code != wire.ContinueAuthentication || answer.Method() != method {
			return &sasl.Reject{Stage: sasl.StageHandshake, Code: "out-of-order", Mechanism: method,
				Private: "an AUTH that does not continue the exchange"}, nil
		}
		if data = answer.Data(); data == nil {
			data = []byte{}
		}
	}
}

// readAuth reads the next packet of a login, which has to be an AUTH.
func (c *connection) readAuth(ctx context.Context) (wire.Auth, *sasl.Reject, error) {
	limit := c.session.State.Limits.PreAuthFrame
	scan := wire.Stream{Version: wire.V5, From: wire.Client, Max: limit}
	for {
		b := c.client.Bytes()
		h, err := scan.Scan(b)
		var a wire.Auth
		switch {
		case err == nil && h.Type == wire.DISCONNECT:
			return a, nil, errLeft
		case len(b) > 0 && h.Type != wire.AUTH && h.Type != wire.DISCONNECT:
			return a, &sasl.Reject{Stage: sasl.StageHandshake, Code: "out-of-order",
				Private: h.Type.String() + " in the middle of a login"}, nil
		case err == nil:
			body := append([]byte(nil), b[h.Size:h.Len()]...)
			c.client.Discard(h.Len())
			if a, err = wire.DecodeAuth(body, wire.Client); err != nil {
				return a, nil, c.violation(ctx, err)
			}
			return a, nil, nil
		case err != wire.ErrShort:
			return a, nil, c.violation(ctx, err)
		}
		if err := c.client.Fill(limit); err != nil {
			return a, nil, c.unread(ctx, err)
		}
	}
}

// renew takes an AUTH after CONNACK: the client proves again who it is, while other packets pass.
func (c *connection) renew(ctx context.Context, h wire.Header, body []byte) (edit, error) {
	a, err := wire.DecodeAuth(body, wire.Client)
	if err != nil {
		return edit{}, err
	}
	fresh := a.Code == wire.ReAuthenticate
	switch {
	case c.method == "" || a.Method() != c.method, fresh && c.renewal != nil, !fresh && c.renewal == nil:
		return edit{}, &wire.Malformed{Packet: wire.AUTH, Reason: "does not fit what came before", Code: wire.ProtocolError}
	case fresh:
		if c.renewal = c.beginExchange(c.method); c.renewal == nil {
			return edit{}, c.refuse(ctx, wire.NotAuthorized, &sasl.Reject{Stage: sasl.StageLogin, Code: "unsupported-mechanism",
				Private: "re-authentication with " + quote(c.method) + ", which is not offered any longer"})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.session.State.Limits.Handshake)
	defer cancel()
	x := c.renewal
	data := a.Data()
	if data == nil && !fresh {
		data = []byte{}
	}
	step := x.next(ctx, data)
	reject := step.Reject
	if step.Principal != nil {
		reject = c.readmit(step.Principal)
	}
	switch {
	case reject != nil:
		return edit{}, c.refuse(ctx, wire.NotAuthorized, reject)
	case step.Principal == nil:
		return drop(h), c.back.write(x.packet(wire.ContinueAuthentication, step.Out))
	}
	c.renewal = nil
	return drop(h), c.back.write(x.packet(wire.Success, step.Out))
}

// readmit lets the principal of a re-authentication in, who must be the same.
func (c *connection) readmit(login *sasl.Principal) *sasl.Reject {
	who, reject := policy.Admit(c.session.Current().Server, c.session.Certificate, login)
	if reject != nil {
		return reject
	}
	if reject := c.session.Admit(who); reject != nil {
		return reject
	}
	c.principal, c.expires = who, c.session.Expires()
	if o, ok := c.rules.(*operations); ok {
		o.renew(who)
	}
	return nil
}
