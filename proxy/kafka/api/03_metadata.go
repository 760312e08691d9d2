package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// Metadata: null is all topics, and in v0 an empty list too. The answer has the brokers whatever becomes of the topics.
// A topic that is not there may only be created by who may create it: until v3 a request always asks for that.
func init() {
	seen := topicTo(policy.Describe, "Name")
	asks[3] = ask{items: "Topics", each: seen, always: true, empty: func(version int16) bool { return version == 0 },
		special: metadata, filter: &filter{array: "Topics", hides: hidden(seen)},
		says: "lists the topics that may be seen; creates none but those that may be created"}
}

// autoCreate is the first version in which a request may forbid that topics are created.
const autoCreate = 4

func metadata(q *asking) (Verdict, error) {
	v, err := q.split()
	if err != nil || v.Change != nil && v.Change.filter != nil || v.Forward == nil {
		return v, err
	}
	if q.h.Version == 0 && v.Refused == q.top.count("Topics") { // what is left asks for all
		v.Change.filter = &filter{array: "Topics", hides: func(item, item, Judge) bool { return true }}
	}
	flag, ok := q.top.field("AllowAutoTopicCreation")
	if ok && q.body[flag.from] != 0 && !q.mayCreateAll() {
		flag, _ = item{body: v.Forward, s: q.top.s}.field("AllowAutoTopicCreation")
		forward := append([]byte(nil), v.Forward...)
		forward[flag.from] = 0
		v.Forward = forward
	}
	return v, nil
}

// mayCreateAll reports whether all topics that the request names may be created.
func (q *asking) mayCreateAll() bool {
	all := true
	q.top.each(q.items, func(it item) {
		all = all && q.judge(Question{Kind: policy.Topic, Action: policy.Create, Name: it.text("Name"), Quiet: true}) == 0
	})
	return all
}

// CreatesTopics returns the names of the topics that a Metadata request would create where they are not there, although the
// principal may only see them: below version 4, where the request cannot say otherwise. The request must be whole.
func CreatesTopics(h wire.RequestHeader, body []byte, judge Judge) [][]byte {
	request := wire.Request(h.Key, h.Version)
	if h.Key != keyMetadata || h.Version >= autoCreate || request.Check(body) != nil {
		return nil
	}
	var names [][]byte
	item{body: body, s: request}.each("Topics", func(it item) {
		name := it.text("Name")
		if judge(Question{Kind: policy.Topic, Action: policy.Create, Name: name, Quiet: true}) != 0 {
			names = append(names, name)
		}
	})
	return names
}
