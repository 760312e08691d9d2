package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// enforce holds a request against what operations allow. Only a Produce need not be whole.
func (c *connection) enforce(ctx context.Context, j *judge, h wire.RequestHeader, frame, body []byte, whole bool, run *int) (verdict, error) {
	if !whole && h.Key != keyProduce {
		return incomplete, nil
	}
	j.begin(ctx, h.Key)
	r := enforced{connection: c, judge: j, h: h, header: frame[:len(frame)-len(body)], body: body, original: body, run: run}
	switch h.Key {
	case keyProduce:
		return r.produce(ctx, whole)
	case keyFetch, keyShareFetch, keyShareAcknowledge:
		return r.inSession(ctx)
	case keyMetadata:
		r.body = metadataAsMeant(h.Version, r.body)
		return r.metadata(ctx)
	case keyConsumerGroupHeartbeat:
		return r.heartbeat(ctx)
	case keyStreamsGroupHeartbeat:
		return r.streams(ctx)
	case keyDescribeTopicPartitions:
		return r.describeTopics(ctx)
	}
	return r.ask(ctx)
}

// enforced is one request that is held against what operations allow.
type enforced struct {
	*connection
	*judge
	h            wire.RequestHeader
	header, body []byte // the body may have been rewritten
	original     []byte
	run          *int
}

// ask holds the request as it is against policy, and carries out what becomes of it.
func (r *enforced) ask(ctx context.Context) (verdict, error) {
	v, err := api.Ask(r.h, r.body, r.asks, r.learns)
	if err != nil {
		return r.malformed(ctx, err)
	}
	if v.Why != "" {
		return r.answer(ctx, v.Answer, "subscription", v.Why)
	}
	r.told()
	if v.Forward == nil {
		if v.Answer == nil {
			return 0, r.connection.refuse(ctx, codeNotAllowed, "%s, which has no error answer", wire.Name(r.h.Key))
		}
		return answered, r.reply(ctx, r.run, v.Answer)
	}
	return r.carry(ctx, v.Forward, request{change: changeOf(v.Change)})
}

// changeOf keeps a nil change a nil interface.
func changeOf(c *api.Change) merger {
	if c == nil {
		return nil
	}
	return c
}

// carry forwards what is left of the request. The rest of what is noted about it is filled in.
func (r *enforced) carry(ctx context.Context, body []byte, q request) (verdict, error) {
	q.correlation, q.key, q.version = r.h.Correlation, r.h.Key, r.h.Version
	r.connection.front.allowed[r.h.Key].Inc()
	if same(body, r.original) {
		return forward, r.owe(ctx, q, r.run)
	}
	if err := r.flushRequests(ctx, *r.run); err != nil {
		return 0, err
	}
	*r.run = 0
	if !r.owed.push(q) {
		return 0, errClosed
	}
	return answered, r.send(ctx, newFrame(len(r.header)+len(body)).raw(r.header).raw(body).finish())
}

// same reports whether two slices are the same bytes of memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// malformed ends a connection whose request breaks its definition.
func (r *enforced) malformed(ctx context.Context, err error) (verdict, error) {
	return 0, r.connection.refuse(ctx, "malformed", "%s: %v", wire.Name(r.h.Key), err)
}

// answer gives the client an error in the place of the whole request, and tells why.
func (r *enforced) answer(ctx context.Context, frame []byte, code, why string) (verdict, error) {
	r.connection.session.Deny(r.api, "", &sasl.Reject{Stage: sasl.StageRequest, Code: code, Private: why})
	return answered, r.reply(ctx, r.run, frame)
}
