package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// Session is what a Fetch (KIP-227), ShareFetch or ShareAcknowledge (KIP-932) request says of its session.
type Session struct {
	ID    int32  // of a Fetch; 0: none yet
	Group []byte // of the others, which have a session for each member on a connection
	Key   string // of the others: group and member
	Epoch int32  // 0 opens a session, -1 ends it, a greater one goes on with it

	Topics    bool // the request adds or changes topics
	Forgotten [][]byte
}

// Whether a request opens a session, ends one, or goes on with one.
const (
	EpochOpen = 0
	EpochEnd  = -1
)

// SessionOf reads what a request says of its session; ok is false for an API or version that has none. The request must be
// whole; the error is one of package wire.
func SessionOf(h wire.RequestHeader, body []byte) (s Session, ok bool, err error) {
	request := wire.Request(h.Key, h.Version)
	if err := request.Check(body); err != nil {
		return s, false, err
	}
	top := item{body: body, s: request}
	switch h.Key {
	case keyFetch:
		if h.Version < 7 {
			return s, false, nil
		}
		s.ID, s.Epoch = int32(top.int("SessionId")), int32(top.int("SessionEpoch"))
	case keyShareFetch, keyShareAcknowledge:
		s.Group = top.text("GroupId")
		s.Key, s.Epoch = string(s.Group)+"\x00"+string(top.text("MemberId")), int32(top.int("ShareSessionEpoch"))
	default:
		return s, false, nil
	}
	s.Topics = top.count("Topics") > 0
	top.each("ForgottenTopicsData", func(it item) {
		topic := it.id("TopicId")
		if topic == nil {
			topic = it.text("Topic")
		}
		s.Forgotten = append(s.Forgotten, topic)
	})
	return s, true, nil
}

// inSession decides on a request that may be about a session: what goes on with one reaches the broker, whatever is left of
// it, or the epochs of both would part.
func inSession(q *asking) (Verdict, error) {
	field := "ShareSessionEpoch"
	if q.h.Key == keyFetch {
		field = "SessionEpoch"
	}
	if l, ok := q.top.field(field); ok && q.top.int(field) != EpochOpen && l.to > l.from {
		q.always = true
	}
	return q.split()
}

// Remembered is the change of a response of a session: what it says of the topics that are refused. It has n elements.
func Remembered(h wire.RequestHeader, n int, elements []byte) *Change {
	return &Change{h: h, array: "Responses", n: n, elements: elements, session: true}
}

// TopError is a response that says nothing but an error code at its top, as a complete frame. The request is of a known version.
func TopError(h wire.RequestHeader, code int16) []byte {
	b := builder{code: code, text: "null"}
	b.out = wire.AppendResponseHeader(make([]byte, 4, 64), h.Key, h.Version, h.Correlation)
	b.structure(wire.Response(h.Key, h.Version), item{}, false)
	return finish(b.out)
}

// OpenedSession reads from the beginning of a response (its payload, the frame after its 4 bytes of length) whether it opens a
// session: the id of that of a Fetch, any other number for a ShareFetch; 0: none. It is not ok while too little has arrived.
func OpenedSession(key, version int16, payload []byte) (id int32, ok bool) {
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	const throttle, code, session = 4, 2, 4
	at := n + throttle
	switch {
	case err != nil || len(payload) < at+code:
		return 0, false
	case payload[at] != 0 || payload[at+1] != 0:
		return 0, true
	case key == keyShareFetch:
		return 1, true
	case len(payload) < at+code+session:
		return 0, false
	}
	return int32(wire.Value{Bytes: payload[at+code : at+code+session]}.Int()), true
}
