package compile

import (
	"fmt"
	"math"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// topicBinding is the topic that a channel's binding names instead of its address, on Kafka.
func topicBinding(w *work, channel *asyncapi.Channel) *asyncapi.Text {
	if w.family == familyKafka && channel.Kafka != nil && channel.Kafka.Topic.Stated() {
		return &channel.Kafka.Topic
	}
	return nil
}

// topic is what a channel is called on a server, in pieces and as it is written. It answers false, with a problem, if
// nothing can be called so.
func (c *compiler) topic(w *work, o *asyncapi.Operation, channel *asyncapi.Channel) ([]plan.Segment, string, bool) {
	if channel.Broken || !c.has(w, channel) {
		return nil, "", false
	}
	text := &channel.Address
	if topic := topicBinding(w, channel); topic != nil {
		text = topic
	}
	if !text.Stated() {
		c.add(plan.Warning, "security/unknown-address", inDocument(channel.Place), "give it an address, or bindings: { kafka: { topic: NAME } }",
			"channel %s has no address, so nothing is allowed in it", channel.Name)
		return nil, "", false
	}
	segments, names := split(text.Value)
	if why := w.illegal(segments); why != "" {
		code, hint := "security/mqtt-topic", "write {name} for a level that varies"
		if w.family == familyKafka {
			code, hint = "security/kafka-topic", "name the topic: bindings: { kafka: { topic: NAME } } in the channel"
		}
		c.add(plan.Warning, code, inDocument(text.Place), hint, "%q can be no topic of %s: %s; so nothing is allowed in it", text.Value, w.speaks(), why)
		return nil, "", false
	}
	for i, name := range names {
		p, ok := c.parameter(w, o, channel, name)
		if !ok {
			return nil, "", false
		}
		segments[i].Parameter = p
	}
	return segments, text.Value, true
}

// split takes an address apart. Names are those of the parameters, by segment.
func split(address string) (segments []plan.Segment, names map[int]string) {
	names = map[int]string{}
	from := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(address, -1) {
		if at[0] > from {
			segments = append(segments, plan.Segment{Literal: address[from:at[0]]})
		}
		names[len(segments)] = address[at[2]:at[3]]
		segments = append(segments, plan.Segment{})
		from = at[1]
	}
	if from < len(address) {
		segments = append(segments, plan.Segment{Literal: address[from:]})
	}
	return segments, names
}

// maxKafkaTopic is the length of a topic's name (org.apache.kafka.common.internals.Topic).
const maxKafkaTopic = 249

// illegal says why no topic can be called so; empty if one can. A segment without a literal is a parameter.
func (w *work) illegal(segments []plan.Segment) string {
	literal, parameters := "", 0
	for _, s := range segments {
		literal += s.Literal
		if s.Literal == "" {
			parameters++
		}
	}
	if literal == "" && parameters == 0 {
		return "it is empty"
	}
	if w.family != familyKafka {
		switch {
		case strings.ContainsAny(literal, "+#"):
			return "+ and # are for subscriptions"
		case strings.ContainsRune(literal, 0):
			return "it has a NUL"
		case len(literal) > math.MaxUint16:
			return "it is too long"
		}
		return ""
	}
	for _, r := range literal {
		if !legalInKafka(r, true) {
			return fmt.Sprintf("it has the character %q", r)
		}
	}
	switch {
	case len(literal)+parameters > maxKafkaTopic:
		return fmt.Sprintf("it is longer than %d characters", maxKafkaTopic)
	case parameters == 0 && strings.Trim(literal, ".") == "" && len(literal) < 3:
		return "it is a directory's name"
	}
	return ""
}

// legalInKafka reports whether a character may be in a topic's name.
func legalInKafka(r rune, dots bool) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || dots && r == '.'
}
