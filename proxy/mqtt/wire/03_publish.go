package wire

import "github.com/asyncgate/asyncgate/topic"

// The flags of a PUBLISH (MQTT 5 section 3.3.1).
const (
	flagRetain = 0x01
	flagDup    = 0x08
)

// Publish is all of a PUBLISH but its payload, which is never read and follows as it came.
type Publish struct {
	Dup        bool
	QoS        byte
	Retain     bool
	Topic      []byte // empty: the alias stands for it
	PacketID   uint16 // 0 for QoS 0
	Alias      uint16 // 0: none. It counts more than what Properties has of it
	Properties Properties
	Payload    int // bytes
}

// DecodePublish reads the head of a PUBLISH from its body, or from as much of it as is at hand; n is how many bytes it
// has. [ErrShort] says that more of the body is needed, any other error is a [*Malformed].
func DecodePublish(h Header, body []byte, v Version, from Sender) (p Publish, n int, err error) {
	at := min(len(body), h.Remaining)
	r := reader{b: body[:at]}
	p.Dup, p.QoS, p.Retain = h.Flags&flagDup != 0, h.Flags>>1&3, h.Flags&flagRetain != 0
	p.Topic = r.text("Topic Name")
	if p.QoS > 0 {
		p.PacketID = r.packetID()
	}
	p.Properties = r.properties(PUBLISH, v)
	if len(p.Properties) > 0 {
		p.judge(&r, from)
	}
	if len(p.Topic) > 0 || p.Alias == 0 {
		r.topicName("Topic Name", p.Topic)
	}
	if r.failed() {
		if r.short && at < h.Remaining {
			return p, 0, ErrShort
		}
		return p, 0, &Malformed{Packet: PUBLISH, Field: r.field, Reason: r.reason, Code: r.code}
	}
	n = at - len(r.b)
	p.Payload = h.Remaining - n
	return p, n, nil
}

// judge is what the table of properties cannot say.
func (p *Publish) judge(r *reader, from Sender) {
	for id, element := range p.Properties.All() {
		switch id {
		case TopicAlias:
			p.Alias = uint16(element[1])<<8 | uint16(element[2])
		case ResponseTopic:
			r.topicName(ResponseTopic.String(), element[3:])
		case SubscriptionIdentifier:
			if from == Client {
				r.fail(SubscriptionIdentifier.String(), ProtocolError, reasonSender)
			}
		}
	}
}

// topicName judges the name of a topic whose UTF-8 was judged before.
func (r *reader) topicName(field string, name []byte) []byte {
	if r.failed() {
		return nil
	}
	switch topic.CheckName(name) {
	case nil:
		return name
	case topic.ErrEmpty:
		r.fail(field, ProtocolError, reasonEmpty)
	default:
		r.fail(field, MalformedPacket, reasonName)
	}
	return nil
}

// aliasSize is how many bytes a Topic Alias takes among the properties.
const aliasSize = 3

// AppendHead appends the packet up to its payload, of which p.Payload bytes have to follow. What was decoded comes out as
// it was, but for what has been changed in p: of the properties only the alias moves, to their end.
func (p *Publish) AppendHead(dst []byte, v Version) []byte {
	flags := p.QoS << 1
	if p.Dup {
		flags |= flagDup
	}
	if p.Retain {
		flags |= flagRetain
	}
	remaining := 2 + len(p.Topic) + p.Payload
	if p.QoS > 0 {
		remaining += 2
	}
	size := 0
	if v == V5 {
		size = p.propertySize()
		remaining += VarintLen(size) + size
	}
	dst = appendBinary(appendHeader(dst, PUBLISH, flags, remaining), p.Topic)
	if p.QoS > 0 {
		dst = append(dst, byte(p.PacketID>>8), byte(p.PacketID))
	}
	if v != V5 {
		return dst
	}
	dst = AppendVarint(dst, size)
	for id, element := range p.Properties.All() {
		if id != TopicAlias {
			dst = append(dst, element...)
		}
	}
	if p.Alias != 0 {
		dst = append(dst, byte(TopicAlias), byte(p.Alias>>8), byte(p.Alias))
	}
	return dst
}

// propertySize is how many bytes the properties take with the alias that p has now.
func (p *Publish) propertySize() int {
	size := len(p.Properties)
	if p.Properties.Has(TopicAlias) {
		size -= aliasSize
	}
	if p.Alias != 0 {
		size += aliasSize
	}
	return size
}
