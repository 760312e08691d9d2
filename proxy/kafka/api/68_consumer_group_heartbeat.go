package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// ConsumerGroupHeartbeat (KIP-848) and ShareGroupHeartbeat (KIP-932): a broker lets a member subscribe to topics that it
// may see, all of them or none, and expands regular expressions itself. These the gateway answers before it asks: one that
// is still there must not pass.
func init() {
	asks[68] = ask{whole: []about{useGroup}, items: "SubscribedTopicNames", special: subscribe, group: "GroupId", mute: true,
		each: topicTo(policy.Describe, "SubscribedTopicNames"), says: "all topics or none; a regular expression becomes the topics that may be seen"}
	asks[76] = ask{whole: []about{useGroup}, items: "SubscribedTopicNames", special: subscribe, group: "GroupId", mute: true,
		each: topicTo(policy.Describe, "SubscribedTopicNames"), says: "all topics or none"}
}

func subscribe(q *asking) (Verdict, error) {
	if expression := q.top.text("SubscribedTopicRegex"); len(expression) > 0 && string(expression) != noTopic {
		return q.all(codeTopicAuthorizationFailed)
	}
	var denied int16
	q.top.each(q.items, func(it item) {
		if denied == 0 {
			denied = q.element(it)
		}
	})
	if denied != 0 {
		return q.all(denied)
	}
	return Verdict{Forward: q.body}, nil
}

// Subscription is what a ConsumerGroupHeartbeat says of its member's subscription.
type Subscription struct {
	Group  []byte
	Member string // group and member id
	Epoch  int32  // below 0: the member leaves
	Names  [][]byte
	Named  bool   // it says names, perhaps none
	Regex  string // empty: the member wants none
	Regexp bool   // it says an expression, perhaps none
}

// SubscriptionOf reads a ConsumerGroupHeartbeat. The request must be whole; the error is one of package wire.
func SubscriptionOf(h wire.RequestHeader, body []byte) (s Subscription, err error) {
	request := wire.Request(h.Key, h.Version)
	if err := request.Check(body); err != nil {
		return s, err
	}
	top := item{body: body, s: request}
	s.Group, s.Epoch = top.text("GroupId"), int32(top.int("MemberEpoch"))
	s.Member = string(s.Group) + "\x00" + string(top.text("MemberId"))
	s.Named = !top.isNull("SubscribedTopicNames")
	top.each("SubscribedTopicNames", func(it item) { s.Names = append(s.Names, it.text("SubscribedTopicNames")) })
	if l, ok := top.field("SubscribedTopicRegex"); ok && !top.null(l) {
		s.Regexp, s.Regex = true, string(top.text("SubscribedTopicRegex"))
	}
	return s, nil
}

// noTopic is a regular expression that matches nothing: a member must subscribe to something.
const noTopic = `[^\s\S]`

// Resubscribe is a ConsumerGroupHeartbeat that was read before, with names in the place of its regular expression.
func Resubscribe(h wire.RequestHeader, body []byte, names []string) []byte {
	top := item{body: body, s: wire.Request(h.Key, h.Version)}
	list, _ := top.field("SubscribedTopicNames")
	out := append(make([]byte, 0, len(body)+64), body[:list.from]...)
	out = appendNames(out, list.f, names)
	if expression, ok := top.field("SubscribedTopicRegex"); ok {
		out = append(out, body[list.to:expression.from]...)
		none := ""
		if len(names) == 0 {
			none = noTopic
		}
		out = wire.AppendString(out, expression.f.Flexible(), none)
		list.to = expression.to
	}
	return append(out, body[list.to:]...)
}

func appendNames(out []byte, f *wire.Field, names []string) []byte {
	out = wire.AppendCount(out, f.Flexible(), len(names))
	for _, name := range names {
		out = wire.AppendString(out, f.Flexible(), name)
	}
	return out
}
