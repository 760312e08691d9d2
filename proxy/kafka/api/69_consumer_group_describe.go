package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// ConsumerGroupDescribe and ShareGroupDescribe: a group whose members use a topic that may not be seen is described
// without its members, with error 29.
func init() {
	for _, key := range []int16{69, 77} {
		asks[key] = ask{items: "GroupIds", mute: true, each: about{"GroupIds", policy.Group, policy.Describe},
			filter: &filter{always: true, array: "Groups", swap: describedGroup},
			says:   "a group with topics that may not be seen has no members"}
	}
}

// describedGroup is what takes the place of a group that uses a topic which may not be seen; nil: it uses none.
func describedGroup(group item, judge Judge) []byte {
	return unseen(group, judge, func(see func(name []byte)) {
		group.each("Members", func(member item) {
			member.each("SubscribedTopicNames", func(name item) { see(name.text("SubscribedTopicNames")) })
			for _, assignment := range []string{"Assignment", "TargetAssignment"} {
				if inner, ok := member.inner(assignment); ok {
					inner.each("TopicPartitions", func(t item) { see(t.text("TopicName")) })
				}
			}
		})
	})
}

// unseen is what takes the place of a group if one of the topics that it shows may not be seen; nil: all may.
func unseen(group item, judge Judge, topics func(see func(name []byte))) []byte {
	hidden := false
	topics(func(name []byte) {
		hidden = hidden || judge(Question{Kind: policy.Topic, Action: policy.Describe, Name: name, Quiet: true}) != 0
	})
	if !hidden {
		return nil
	}
	b := builder{form: form{fields: pairs{"Groups.GroupId": "GroupId"}}, code: codeTopicAuthorizationFailed, text: textUnseenTopics}
	b.structure(group.s, group, false)
	return b.out
}

// inner is a field that is a structure.
func (it item) inner(name string) (item, bool) {
	l, ok := it.field(name)
	if !ok || l.f.Kind != wire.Structure {
		return item{}, false
	}
	from := l.from
	if l.f.Nullable {
		if it.body[from] != 1 {
			return item{}, false
		}
		from++
	}
	return item{body: it.body, s: l.f.Struct, from: from}, true
}
