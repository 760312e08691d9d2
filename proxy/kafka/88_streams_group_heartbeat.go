package kafka

import (
	"context"
	"slices"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// keyStreamsGroupHeartbeat is the API key of StreamsGroupHeartbeat (KIP-1071).
const keyStreamsGroupHeartbeat = 88

// streams decides on a StreamsGroupHeartbeat. The broker creates the internal topics of a topology that are not there; for
// those that are, which may be up to [refreshEvery] ago, nobody needs the right to create them. If one of them is deleted
// later, the broker makes it anew.
func (r *enforced) streams(ctx context.Context) (verdict, error) {
	if r.observe {
		if _, err := api.Ask(r.h, r.body, r.asks, r.learns); err != nil {
			return r.malformed(ctx, err)
		}
		return r.carry(ctx, r.body, request{})
	}
	if !api.NamesInternalTopics(r.h, r.body) {
		return r.ask(ctx)
	}
	there, err := r.connection.front.topics.everything(ctx)
	if err != nil {
		return 0, r.connection.refuse(ctx, codeUpstreamUnavailable, "a topology would create topics, and which there are is not known: %v", err)
	}
	asks := r.asks
	r.asks = func(q api.Question) int16 {
		if _, found := slices.BinarySearch(there, string(q.Name)); found && q.Action == policy.Create {
			return codeNone
		}
		return asks(q)
	}
	return r.ask(ctx)
}
