package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// keyDescribeTopicPartitions is the API key of DescribeTopicPartitions (KIP-966).
const keyDescribeTopicPartitions = 75

// describeTopics decides on a DescribeTopicPartitions. Where it asks for all topics, the gateway names those that may be
// seen.
func (r *enforced) describeTopics(ctx context.Context) (verdict, error) {
	all, err := api.AsksForAll(r.h, r.body)
	switch {
	case err != nil:
		return r.malformed(ctx, err)
	case !all || r.observe:
		return r.ask(ctx)
	}
	there, err := r.connection.front.topics.everything(ctx)
	if err != nil {
		return 0, r.connection.refuse(ctx, codeUpstreamUnavailable, "which topics there are is not known: %v", err)
	}
	var seen []string
	for _, name := range there {
		if r.subject.Decide(policy.Describe, policy.Resource{Name: name}).Allowed {
			seen = append(seen, name)
		}
	}
	r.body = api.NameTopics(r.h, r.body, seen)
	return r.ask(ctx)
}
