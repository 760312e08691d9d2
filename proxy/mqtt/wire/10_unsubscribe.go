package wire

import "iter"

// Unsubscribe is an UNSUBSCRIBE.
type Unsubscribe struct {
	PacketID   uint16
	Properties Properties
	Count      int    // of the filters, 1 at least
	List       []byte // the filters as they stand in the packet
}

// DecodeUnsubscribe reads the body of an UNSUBSCRIBE and checks all of it. The error is a [*Malformed].
func DecodeUnsubscribe(body []byte, v Version) (Unsubscribe, error) {
	r := reader{b: body}
	u := Unsubscribe{PacketID: r.packetID(), Properties: r.properties(UNSUBSCRIBE, v)}
	u.List = r.b
	for len(r.b) > 0 {
		r.topicFilter()
		u.Count++
	}
	if u.Count == 0 {
		r.fail("Topic Filter", ProtocolError, reasonAbsent)
	}
	return u, r.end(UNSUBSCRIBE)
}

// All iterates over the filters. Each comes with its bytes in the packet: those of the ones that are kept, appended to one
// another, are the List of another UNSUBSCRIBE.
func (u Unsubscribe) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(filter, element []byte) bool) {
		for rest := u.List; len(rest) > 0; {
			r := reader{b: rest}
			filter := r.binary("")
			n := len(rest) - len(r.b)
			if r.failed() || !yield(filter, rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// Append appends the whole packet, with the List as it is.
func (u Unsubscribe) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, UNSUBSCRIBE, 2, 2+u.Properties.size(v)+len(u.List))
	dst = u.Properties.append(append(dst, byte(u.PacketID>>8), byte(u.PacketID)), v)
	return append(dst, u.List...)
}
