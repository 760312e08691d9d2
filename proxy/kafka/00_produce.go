package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// keyProduce is the API key of Produce.
const keyProduce = 0

// produce forwards a Produce. Of its records nothing is looked at.
func (c *connection) produce(ctx context.Context, h wire.RequestHeader, body []byte, whole bool, run *int) (verdict, error) {
	head := produceHeadOf(h.Version, body)
	switch {
	case !head.complete && !whole:
		return incomplete, nil
	case !head.complete:
		return 0, c.refuse(ctx, "malformed", "Produce ends before its acks")
	case head.acks == 0: // never answered
		c.front.allowed[h.Key].Inc()
		return forward, nil
	}
	return c.forward(ctx, h, run)
}

// produce decides on a Produce. One of a single topic is decided by its head, and its records pass as they come; one of
// several must be whole, because the other topics come after the records of the first.
func (r *enforced) produce(ctx context.Context, whole bool) (verdict, error) {
	head := produceHeadOf(r.h.Version, r.body)
	switch {
	case !whole && !(head.complete && head.named):
		return incomplete, nil
	case !head.complete:
		return 0, r.connection.refuse(ctx, "malformed", "Produce ends before its acks")
	case !whole:
		if !r.allows(&head) {
			return incomplete, nil // to be refused whole
		}
		return r.pass(ctx, &head)
	}
	v, err := api.Ask(r.h, r.body, r.asks, r.learns)
	switch {
	case err != nil:
		return r.malformed(ctx, err)
	case head.acks == 0 && v.Refused > 0: // there is no other way to say so, and a broker has none either
		if v.Forward != nil {
			if _, err := r.unanswered(ctx, v.Forward); err != nil {
				return 0, err
			}
		}
		return 0, r.connection.refuse(ctx, codeNotAllowed, "Produce with acks 0 to %s: %s", r.first, r.why)
	}
	r.told()
	switch {
	case v.Forward == nil:
		return answered, r.reply(ctx, r.run, v.Answer)
	case head.acks == 0:
		return r.pass(ctx, &head)
	}
	return r.carry(ctx, v.Forward, request{change: changeOf(v.Change)})
}

// allows reports whether a Produce whose head names its only topic may pass. What it says no to is asked again.
func (r *enforced) allows(head *produceHead) bool {
	if head.transaction != nil && r.see(api.Question{Kind: policy.Transaction, Action: policy.Use, Name: head.transaction}) != codeNone {
		return false
	}
	q := api.Question{Kind: policy.Topic, Action: plan.Produce, Name: head.topic}
	if head.id != nil {
		q.Name, q.ID = nil, head.id
		r.learns([][16]byte{[16]byte(head.id)})
	}
	if r.observe {
		r.asks(q)
	}
	return r.see(q) == codeNone
}

// pass forwards a Produce as it is.
func (r *enforced) pass(ctx context.Context, head *produceHead) (verdict, error) {
	if head.acks == 0 {
		r.connection.front.allowed[r.h.Key].Inc()
		return forward, nil
	}
	return r.connection.forward(ctx, r.h, r.run)
}

// unanswered forwards what is left of a Produce that gets no answer.
func (r *enforced) unanswered(ctx context.Context, body []byte) (verdict, error) {
	if err := r.flushRequests(ctx, *r.run); err != nil {
		return 0, err
	}
	*r.run = 0
	return answered, r.send(ctx, newFrame(len(r.header)+len(body)).raw(r.header).raw(body).finish())
}

// produceHead is what stands before the records of a Produce.
type produceHead struct {
	transaction []byte // nil: none
	acks        int16  // with 0 the broker never answers
	complete    bool   // all of the above has arrived
	topics      int
	topic       []byte // the first, by name, or
	id          []byte // by id from version 13 on
	named       bool   // there is one topic, and its name or id has arrived
}

// produceHeadOf reads the beginning of a Produce. Strings are compact from version 9 on.
func produceHeadOf(version int16, body []byte) (h produceHead) {
	r := newParser(body)
	flexible := version >= 9
	text := func() []byte {
		if flexible {
			if n := int(r.uvarint()); n > 1 {
				return r.next(n - 1)
			}
			return nil
		}
		if n := int(r.int16()); n > 0 {
			return r.next(n)
		}
		return nil
	}
	if version >= 3 {
		h.transaction = text()
	}
	h.acks = r.int16()
	h.complete = r.ok
	r.int32() // timeout
	if flexible {
		h.topics = int(r.uvarint()) - 1
	} else {
		h.topics = int(r.int32())
	}
	if version >= 13 {
		h.id = r.next(16)
	} else {
		h.topic = text()
	}
	h.named = r.ok && h.topics == 1
	return h
}
