package kafka

import (
	"context"
	"slices"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// keyMetadata is the API key of Metadata.
const keyMetadata = 3

// metadata decides on a Metadata request. In old versions a broker creates the topics that it names and that are not
// there: those that the principal may not create are then said to be unknown. That they are there counts as it was
// [refreshEvery] ago at most.
func (r *enforced) metadata(ctx context.Context) (verdict, error) {
	creates := api.CreatesTopics(r.h, r.body, r.asks)
	if len(creates) == 0 {
		return r.ask(ctx)
	}
	there, err := r.connection.front.topics.everything(ctx)
	if err != nil {
		return 0, r.connection.refuse(ctx, codeUpstreamUnavailable, "Metadata version %d would create topics, and which there are is not known: %v", r.h.Version, err)
	}
	missing := map[string]bool{}
	for _, name := range creates {
		if _, found := slices.BinarySearch(there, string(name)); !found {
			missing[string(name)] = true
		}
	}
	seen := r.asks
	r.asks = func(q api.Question) int16 {
		code := seen(q)
		if code == codeNone && missing[string(q.Name)] {
			return codeUnknownTopicOrPartition
		}
		return code
	}
	return r.ask(ctx)
}
