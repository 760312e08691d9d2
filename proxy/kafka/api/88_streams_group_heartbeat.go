package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// StreamsGroupHeartbeat (KIP-1071): a member that joins brings its topology. A broker asks whether it may see all topics of
// it, and creates those that are internal to the application and not there, with the rights of the member; behind a gateway
// with those of the gateway. So who names them must be allowed to create them. Topics by regular expression, which brokers
// (4.3.1) refuse so far and would expand with the rights of the gateway, are refused.
func init() {
	asks[88] = ask{whole: []about{useGroup}, special: joinStreams, group: "GroupId", mute: true,
		says: "describe each topic of the topology, create its internal ones that are not there, all or none; no regular expressions"}
}

// The topics of a subtopology: those that its application reads and writes, and those that a broker makes for it.
var (
	streamsTopics   = []string{"SourceTopics", "RepartitionSinkTopics"}
	streamsInternal = []string{"RepartitionSourceTopics", "StateChangelogTopics"}
)

const reasonPattern = "a topology with regular expressions: the broker would expand them with the gateway's rights"

func joinStreams(q *asking) (Verdict, error) {
	create := topicTo(policy.Create, "Name")
	denied, pattern := int16(0), false
	subtopologies(q.top, func(sub item) {
		pattern = pattern || sub.count("SourceTopicRegex") > 0
		streamsNames(sub, func(t item, field string) {
			see := topicTo(policy.Describe, field)
			if code := q.topic(&see, t, q.group, q.top); denied == 0 {
				denied = code
			}
		})
	})
	if denied == 0 && !pattern {
		internalTopics(q.top, func(t item) {
			if code := create.judge(t, q.judge); denied == 0 {
				denied = code
			}
		})
	}
	switch {
	case denied != 0:
		return q.all(denied)
	case pattern:
		v, err := q.all(codeInvalidRequest)
		v.Why = reasonPattern
		return v, err
	}
	return Verdict{Forward: q.body}, nil
}

// subtopologies calls do for each part of the topology in a request, or in a group of a response; for none if it has none.
func subtopologies(it item, do func(sub item)) {
	if topology, ok := it.inner("Topology"); ok {
		topology.each("Subtopologies", do)
	}
}

// streamsNames calls do for each topic of a subtopology, with the field that names it.
func streamsNames(sub item, do func(t item, field string)) {
	for _, array := range streamsTopics {
		sub.each(array, func(t item) { do(t, array) })
	}
	for _, array := range streamsInternal {
		sub.each(array, func(t item) { do(t, "Name") })
	}
}

func internalTopics(it item, do func(item)) {
	subtopologies(it, func(sub item) {
		for _, array := range streamsInternal {
			sub.each(array, do)
		}
	})
}

// NamesInternalTopics reports whether a StreamsGroupHeartbeat names topics that the broker would create where they are not
// there. The request must be whole; one that breaks its definition names none.
func NamesInternalTopics(h wire.RequestHeader, body []byte) bool {
	request := wire.Request(h.Key, h.Version)
	if h.Key != keyStreamsGroupHeartbeat || request.Check(body) != nil {
		return false
	}
	named := false
	internalTopics(item{body: body, s: request}, func(item) { named = true })
	return named
}
