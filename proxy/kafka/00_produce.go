package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// keyProduce is the API key of Produce.
const keyProduce = 0

// produce forwards a Produce. Of its records nothing is looked at.
func (c *connection) produce(ctx context.Context, h wire.RequestHeader, body []byte, whole bool, run *int) (verdict, error) {
	acks, complete := produceAcks(h.Version, body)
	switch {
	case !complete && !whole:
		return incomplete, nil
	case !complete:
		return 0, c.refuse(ctx, "malformed", "Produce ends before its acks")
	case acks == 0: // never answered
		c.front.allowed[h.Key].Inc()
		return forward, nil
	}
	return c.forward(ctx, h, run)
}

// produceAcks reads how many replicas must acknowledge, which stands before the records: with 0 the broker never
// answers. It fails with complete false if more of the request is needed.
func produceAcks(version int16, body []byte) (acks int16, complete bool) {
	r := newParser(body)
	switch { // the transactional id comes first from version 3 on, and is compact from version 9 on; both may be null
	case version >= 9:
		if n := int(r.uvarint()); n > 1 {
			r.next(n - 1)
		}
	case version >= 3:
		if n := int(r.int16()); n > 0 {
			r.next(n)
		}
	}
	acks = r.int16()
	return acks, r.ok
}
