package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// DescribeTopicPartitions (KIP-966): an empty list is all topics, page by page, and a page ends with the name of the topic
// after it. So that it is never one that may not be seen, the gateway names the topics itself.
func init() {
	asks[keyDescribeTopicPartitions] = ask{items: "Topics", each: topicTo(policy.Describe, "Name"), special: describeTopics,
		says: "lists the topics that may be seen"}
}

func describeTopics(q *asking) (Verdict, error) {
	if q.top.count(q.items) == 0 {
		return Verdict{Answer: TopError(q.h, 0)}, nil // nothing may be seen
	}
	return q.split()
}

// AsksForAll reports whether a DescribeTopicPartitions request asks for all topics. The request must be whole; the error is
// one of package wire.
func AsksForAll(h wire.RequestHeader, body []byte) (bool, error) {
	request := wire.Request(h.Key, h.Version)
	if err := request.Check(body); err != nil {
		return false, err
	}
	return item{body: body, s: request}.count("Topics") == 0, nil
}

// NameTopics is a DescribeTopicPartitions request that asks for these topics.
func NameTopics(h wire.RequestHeader, body []byte, names []string) []byte {
	top := item{body: body, s: wire.Request(h.Key, h.Version)}
	list, _ := top.field("Topics")
	out := append(make([]byte, 0, len(body)+64), body[:list.from]...)
	out = wire.AppendCount(out, list.f.Flexible(), len(names))
	for _, name := range names {
		out = append(wire.AppendString(out, list.f.Flexible(), name), 0) // no tagged fields
	}
	return append(out, body[list.to:]...)
}
