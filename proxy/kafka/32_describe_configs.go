package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// keyDescribeConfigs is the API key of DescribeConfigs. What it says of brokers is for admins, and holds addresses.
const keyDescribeConfigs = 32

// describeConfigs forwards what a principal that is no admin may ask, and keeps the answer to the rest ready: the client
// gets one answer to all, as from a broker with ACLs.
func (c *connection) describeConfigs(ctx context.Context, h wire.RequestHeader, header, body []byte, run *int) (verdict, error) {
	split, err := api.SplitConfigs(h, body)
	switch {
	case err != nil:
		return 0, c.refuse(ctx, "malformed", "%s: %v", wire.Name(h.Key), err)
	case split.Refused == 0:
		return c.forward(ctx, h, run)
	case split.Forward == nil:
		return c.deny(ctx, h, body, run)
	}
	c.denied(h)
	if err := c.flushRequests(ctx, *run); err != nil {
		return 0, err
	}
	*run = 0
	if !c.owed.push(request{correlation: h.Correlation, key: h.Key, version: h.Version, change: &split}) {
		return 0, errClosed
	}
	return answered, c.send(ctx, newFrame(len(header)+len(split.Forward)).raw(header).raw(split.Forward).finish())
}
