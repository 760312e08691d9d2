package wire

import (
	"iter"

	"github.com/asyncgate/asyncgate/topic"
)

// Subscription is one topic filter of a SUBSCRIBE with its options.
type Subscription struct {
	Filter            []byte
	QoS               byte
	NoLocal           bool // this and what follows is of MQTT 5
	RetainAsPublished bool
	RetainHandling    byte // 0: send retained messages, 1: for a new subscription only, 2: none
}

// The options of a subscription (MQTT 5 section 3.8.3.1). In 3.x there is the quality of service alone.
const (
	optionQoS       = 0x03
	optionNoLocal   = 0x04
	optionPublished = 0x08
	optionHandling  = 0x30
	optionReserved  = 0xC0
)

// Subscribe is a SUBSCRIBE.
type Subscribe struct {
	PacketID   uint16
	Properties Properties
	Count      int    // of the subscriptions, 1 at least
	List       []byte // the subscriptions as they stand in the packet
}

// DecodeSubscribe reads the body of a SUBSCRIBE and checks all of it. The error is a [*Malformed].
func DecodeSubscribe(body []byte, v Version) (Subscribe, error) {
	r := reader{b: body}
	s := Subscribe{PacketID: r.packetID(), Properties: r.properties(SUBSCRIBE, v)}
	s.List = r.b
	for len(r.b) > 0 {
		filter := r.topicFilter()
		r.options(r.byte("Subscription Options"), filter, v)
		s.Count++
	}
	if s.Count == 0 {
		r.fail("Topic Filter", ProtocolError, reasonAbsent)
	}
	return s, r.end(SUBSCRIBE)
}

// topicFilter reads the filter of a subscription.
func (r *reader) topicFilter() []byte {
	filter := r.text("Topic Filter")
	if r.failed() {
		return nil
	}
	switch topic.CheckFilter(filter) {
	case nil:
	case topic.ErrEmpty:
		r.fail("Topic Filter", MalformedPacket, reasonEmpty)
	case topic.ErrShare:
		r.fail("Topic Filter", MalformedPacket, reasonShare)
	default:
		r.fail("Topic Filter", MalformedPacket, reasonFilter)
	}
	return filter
}

// options judges the options of a subscription.
func (r *reader) options(o byte, filter []byte, v Version) {
	reserved := byte(optionReserved)
	if v != V5 {
		reserved = ^byte(optionQoS)
	}
	_, _, shared := topic.Unshare(filter)
	switch {
	case r.failed():
	case o&reserved != 0:
		r.fail("Subscription Options", MalformedPacket, reasonFlags)
	case o&optionQoS == optionQoS:
		r.fail("Maximum QoS", ProtocolError, reasonQoS)
	case o&optionHandling == optionHandling:
		r.fail("Retain Handling", ProtocolError, reasonValue)
	case o&optionNoLocal != 0 && shared:
		r.fail("No Local", ProtocolError, reasonNoLocal)
	}
}

// All iterates over the subscriptions. Each comes with its bytes in the packet: those of the ones that are kept, appended
// to one another, are the List of another SUBSCRIBE.
func (s Subscribe) All() iter.Seq2[Subscription, []byte] {
	return func(yield func(Subscription, []byte) bool) {
		for rest := s.List; len(rest) > 0; {
			r := reader{b: rest}
			filter := r.binary("")
			o := r.byte("")
			n := len(rest) - len(r.b)
			subscription := Subscription{Filter: filter, QoS: o & optionQoS, NoLocal: o&optionNoLocal != 0,
				RetainAsPublished: o&optionPublished != 0, RetainHandling: o & optionHandling >> 4}
			if r.failed() || !yield(subscription, rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// AppendSubscription appends an element of a List.
func AppendSubscription(dst []byte, s Subscription) []byte {
	o := s.QoS | s.RetainHandling<<4
	if s.NoLocal {
		o |= optionNoLocal
	}
	if s.RetainAsPublished {
		o |= optionPublished
	}
	return append(appendBinary(dst, s.Filter), o)
}

// Append appends the whole packet, with the List as it is.
func (s Subscribe) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, SUBSCRIBE, 2, 2+s.Properties.size(v)+len(s.List))
	dst = s.Properties.append(append(dst, byte(s.PacketID>>8), byte(s.PacketID)), v)
	return append(dst, s.List...)
}
