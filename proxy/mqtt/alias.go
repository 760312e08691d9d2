package mqtt

import (
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// maxAliases is how many topic aliases the gateway keeps for each direction of a connection: it has to know every topic
// that it decides on. Mosquitto offers ten by default. Sixteen of the longest topics are 1 MiB.
const maxAliases = 16

// aliases are the topic aliases of one direction. Both sides use the same numbers, so that a packet passes as it is.
type aliases struct {
	most   int // as was announced to whom sends
	topics []alias
}

// alias is the topic that a number stands for. A decision is made anew each time it is used.
type alias struct {
	topic []byte
	told  bool // the receiver knows it too: the packet that set it was forwarded
}

// What is wrong with an alias.
const (
	reasonAliasRange   = "beyond the Topic Alias Maximum"
	reasonAliasUnknown = "stands for no topic"
)

// resolve finds the topic of a packet, and notes what the packet says of its alias.
func (a *aliases) resolve(p *wire.Publish) (topic []byte, err error) {
	if p.Alias == 0 {
		return p.Topic, nil
	}
	n := int(p.Alias)
	switch {
	case n > a.most:
		return nil, &wire.Malformed{Packet: wire.PUBLISH, Field: "Topic Alias", Reason: reasonAliasRange, Code: wire.TopicAliasInvalid}
	case len(p.Topic) > 0:
		if a.topics == nil {
			a.topics = make([]alias, a.most+1)
		}
		one := &a.topics[n]
		one.topic, one.told = append(one.topic[:0], p.Topic...), false
		return one.topic, nil
	case n >= len(a.topics) || a.topics[n].topic == nil:
		return nil, &wire.Malformed{Packet: wire.PUBLISH, Field: "Topic Alias", Reason: reasonAliasUnknown, Code: wire.ProtocolError}
	}
	return a.topics[n].topic, nil
}

// forwarded notes that a packet is about to be forwarded. It answers with the head to send in place of the packet's own
// n bytes where the receiver has never been told of the alias that it uses; nil: the packet is good as it is.
func (a *aliases) forwarded(p *wire.Publish, v wire.Version) []byte {
	if p.Alias == 0 {
		return nil
	}
	one := &a.topics[p.Alias]
	if one.told || len(p.Topic) > 0 {
		one.told = true
		return nil
	}
	one.told = true
	p.Topic = one.topic
	return p.AppendHead(nil, v)
}
