package kafka

import (
	"context"
	"fmt"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// authorize decides on a request that is not the gateway's own to answer: forwarded by its class, refused with the
// field's own error, or the end of the connection. The body is the end of the frame.
func (c *connection) authorize(ctx context.Context, h wire.RequestHeader, frame, body []byte, whole bool, run *int) (verdict, error) {
	entry, admin := api.Of(h.Key), c.session.Current().Admins[c.principal.Name]
	if h.Version < 0 || h.Version > entry.Max() {
		return 0, c.refuse(ctx, "unsupported-api", "%s version %d is not offered", wire.Name(h.Key), h.Version)
	}
	j := c.judging()
	switch {
	case entry.Class == api.Never, entry.Class == api.Admin && !admin && (j == nil || j.observe || !entry.Asks()):
		if !whole {
			return incomplete, nil
		}
		return c.deny(ctx, h, body, run)
	case (entry.Inspected() || j != nil && h.Key != keyProduce) && !whole:
		return incomplete, nil
	}
	switch reason, err := api.Forbidden(h, body); {
	case err != nil:
		return 0, c.refuse(ctx, "malformed", "%s: %v", wire.Name(h.Key), err)
	case reason != "":
		return 0, c.refuse(ctx, "inter-broker", "%s: %s", wire.Name(h.Key), reason)
	}
	switch {
	case j != nil:
		return c.enforce(ctx, j, h, frame, body, whole, run)
	case h.Key == keyProduce:
		return c.produce(ctx, h, body, whole, run)
	case h.Key == keyDescribeConfigs && !admin:
		return c.describeConfigs(ctx, h, frame[:len(frame)-len(body)], body, run)
	}
	return c.forward(ctx, h, run)
}

// forward lets a request pass, and notes that an answer is owed for it.
func (c *connection) forward(ctx context.Context, h wire.RequestHeader, run *int) (verdict, error) {
	c.front.allowed[h.Key].Inc()
	return forward, c.owe(ctx, request{correlation: h.Correlation, key: h.Key, version: h.Version}, run)
}

// owe puts a request that is about to be forwarded into the queue. If the queue is full, what is in the buffer before
// it must reach the broker first, or nothing would ever leave the queue.
func (c *connection) owe(ctx context.Context, r request, run *int) error {
	if c.owed.full() {
		if err := c.flushRequests(ctx, *run); err != nil {
			return err
		}
		*run = 0
	}
	if !c.owed.push(r) {
		return errClosed
	}
	return nil
}

// deny refuses a request with the error that a broker with ACLs gives. The connection goes on.
func (c *connection) deny(ctx context.Context, h wire.RequestHeader, body []byte, run *int) (verdict, error) {
	frame, err := api.Refuse(h, body)
	if err != nil {
		return 0, c.refuse(ctx, "malformed", "%s: %v", wire.Name(h.Key), err)
	}
	c.denied(h)
	return answered, c.reply(ctx, run, frame)
}

// denied writes the audit record of a request that is for admins, or for nobody.
func (c *connection) denied(h wire.RequestHeader) {
	entry := api.Of(h.Key)
	code, who := "admin-only", "it is for the principals that the settings list under admins"
	if entry.Class == api.Never {
		code, who = sasl.CodeDelegationToken, "it is for nobody"
	}
	c.session.Deny(entry.Name(), "", &sasl.Reject{Stage: sasl.StageRequest, Code: code,
		Private: fmt.Sprintf("%s: %s; %s", entry.Name(), entry.Reason, who)})
}
