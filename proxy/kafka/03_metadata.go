package kafka

import (
	"bytes"
	"context"
	"slices"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
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

// metadataAsMeant mends what librdkafka sends when it asks for all topics in a flexible version, for a list of topics or a
// subscription by pattern: it writes the null array as the four bytes of the older versions where one is right (seen up to
// 2.16.0). A broker overlooks it, because it never looks at what is left of a request. Three zero bytes are taken out, and
// only where that alone makes the request a sound one.
func metadataAsMeant(version int16, body []byte) []byte {
	const flexible, surplus = 9, 3
	if version < flexible || !bytes.HasPrefix(body, []byte{0, 0, 0, 0}) || wire.CheckRequest(keyMetadata, version, body) == nil ||
		wire.CheckRequest(keyMetadata, version, body[surplus:]) != nil {
		return body
	}
	return body[surplus:]
}
