package mqtt

import (
	"context"
	"hash/maphash"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxSubscriptions is how many subscriptions a client may make on one connection. The gateway notes eight bytes of each,
// and the broker keeps far more.
const maxSubscriptions = 10_000

// forBroker stands in a list of codes for what the broker decides.
const forBroker = 0xFF

// subscribe decides on every filter of a SUBSCRIBE. The allowed ones go to the broker; the answer has all of them in their
// order.
func (c *connection) subscribe(ctx context.Context, h wire.Header, body []byte) (edit, error) {
	s, err := wire.DecodeSubscribe(body, c.version)
	if err != nil {
		return edit{}, err
	}
	if s.Count > maxSubscriptions {
		return edit{}, &wire.Malformed{Packet: wire.SUBSCRIBE, Reason: "more filters than a connection may have", Code: wire.QuotaExceeded}
	}
	var codes, kept []byte // nil while all are allowed
	i, at, allowed := 0, 0, 0
	for one, element := range s.All() {
		code := c.subscribable(one)
		if code != forBroker && codes == nil {
			codes, kept = make([]byte, 0, s.Count), append(make([]byte, 0, len(s.List)), s.List[:at]...)
			for range i {
				codes = append(codes, forBroker)
			}
		}
		if codes != nil {
			codes = append(codes, code)
		}
		if code == forBroker {
			allowed++
			if codes != nil {
				kept = append(kept, element...)
			}
		}
		i, at = i+1, at+len(element)
	}
	switch {
	case codes == nil:
		return edit{}, nil
	case c.version == wire.V31: // which has no code for it
		return edit{}, c.refuse(ctx, wire.NotAuthorized, &sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed",
			Private: "a denied subscription, which MQTT 3.1 cannot answer"})
	case allowed == 0:
		return drop(h), c.back.write(wire.Suback{Type: wire.SUBACK, PacketID: s.PacketID, Codes: codes}.Append(nil, c.version))
	case !c.grants.add(s.PacketID, codes):
		return edit{}, &wire.Malformed{Packet: wire.SUBSCRIBE, Reason: "too many without an answer, or one with an identifier in use", Code: wire.QuotaExceeded}
	}
	s.List = kept
	return edit{skip: h.Len(), head: s.Append(nil, c.version)}, nil
}

// subscribable is the code for a filter: forBroker, or why it is denied.
func (c *connection) subscribable(s wire.Subscription) byte {
	code, why := wire.NotAuthorized, c.rules.decide(plan.Consume, s.Filter, s.QoS, false)
	if why == "" {
		if c.subscriptions.add(s.Filter) {
			return forBroker
		}
		code, why = wire.QuotaExceeded, "more subscriptions than a connection may have"
	}
	c.session.Deny(wire.SUBSCRIBE.String(), string(s.Filter), &sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed", Private: why})
	if c.version != wire.V5 {
		return wire.Failure
	}
	return byte(code)
}

// unsubscribe lets every UNSUBSCRIBE pass: whatever it ends was allowed once.
func (c *connection) unsubscribe(body []byte) (edit, error) {
	u, err := wire.DecodeUnsubscribe(body, c.version)
	if err != nil {
		return edit{}, err
	}
	for filter := range u.All() {
		c.subscriptions.remove(filter)
	}
	return edit{}, nil
}

// filters is a set of subscriptions, by their digests.
type filters struct {
	set map[uint64]struct{} // nil while there is none
}

var filterSeed = maphash.MakeSeed()

// add notes a filter. False: there are as many as may be.
func (f *filters) add(filter []byte) bool {
	digest := maphash.Bytes(filterSeed, filter)
	if _, in := f.set[digest]; in {
		return true
	}
	if len(f.set) >= maxSubscriptions {
		return false
	}
	if f.set == nil {
		f.set = make(map[uint64]struct{})
	}
	f.set[digest] = struct{}{}
	return true
}

func (f *filters) remove(filter []byte) { delete(f.set, maphash.Bytes(filterSeed, filter)) }
