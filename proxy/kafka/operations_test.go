package kafka_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// allow is a rule for one topic.
func allow(action plan.Action, topic string) plan.Rule {
	return plan.Rule{Action: action, Address: topic, Segments: []plan.Segment{{Literal: topic}}, File: "doc.yml", Line: 1}
}

// enforcing makes the server hold alice to rules.
func enforcing(p *plan.Plan, rules ...plan.Rule) {
	withPlain(p)
	p.Enforce, p.Servers[0].Rules = plan.Operations, rules
}

// kept is a broker that keeps the bodies it is sent, and opens fetch session 42 for everybody.
type kept struct {
	*broker
	mu    sync.Mutex
	bodys []string // key, and what Fetch and Produce name
}

func newKept(t *testing.T) *kept {
	k := &kept{}
	k.broker = newBroker(t, func(h wire.RequestHeader, body []byte) ([]byte, bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if h.Key == 3 {
			return k.metadata(h.Version), true
		}
		request, err := wire.DecodeRequest(h.Key, h.Version, body)
		if err != nil {
			t.Errorf("%s v%d: the broker was sent what it cannot read: %v", wire.Name(h.Key), h.Version, err)
			return nil, false
		}
		k.bodys = append(k.bodys, said(request))
		switch q := request.(type) {
		case *kmsg.FetchRequest:
			r := kmsg.NewPtrFetchResponse()
			r.Version, r.SessionID, r.Topics = h.Version, 42, []kmsg.FetchResponseTopic{}
			return r.AppendTo(wire.AppendResponseHeader(nil, h.Key, h.Version, 0)[4:]), true
		case *kmsg.ProduceRequest:
			if q.Acks == 0 {
				return nil, false
			}
		}
		return request.ResponseKind().AppendTo(wire.AppendResponseHeader(nil, h.Key, h.Version, 0)[4:]), true
	})
	return k
}

// said is what a request names.
func said(request kmsg.Request) string {
	var names []string
	switch q := request.(type) {
	case *kmsg.FetchRequest:
		for _, t := range q.Topics {
			names = append(names, t.Topic)
		}
		return fmt.Sprintf("Fetch %d/%d %s", q.SessionID, q.SessionEpoch, strings.Join(names, " "))
	case *kmsg.ProduceRequest:
		for _, t := range q.Topics {
			names = append(names, fmt.Sprintf("%s:%d", t.Topic, len(t.Partitions[0].Records)))
		}
		return "Produce " + strings.Join(names, " ")
	}
	if q, ok := request.(*kmsg.ConsumerGroupHeartbeatRequest); ok {
		regex := "null"
		if q.SubscribedTopicRegex != nil {
			regex = fmt.Sprintf("%q", *q.SubscribedTopicRegex)
		}
		return fmt.Sprintf("ConsumerGroupHeartbeat %v %s", q.SubscribedTopicNames, regex)
	}
	return wire.Name(request.Key())
}

// sent is what has arrived since the last time.
func (k *kept) sent() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.bodys
	k.bodys = nil
	return all
}

// fetch is a Fetch of version 11.
func fetch(session, epoch int32, topics ...string) *kmsg.FetchRequest {
	r := kmsg.NewPtrFetchRequest()
	r.Version, r.SessionID, r.SessionEpoch = 11, session, epoch
	for _, name := range topics {
		t := kmsg.NewFetchRequestTopic()
		t.Topic = name
		t.Partitions = append(t.Partitions, kmsg.NewFetchRequestTopicPartition())
		r.Topics = append(r.Topics, t)
	}
	return r
}

// told asks on a connection and returns what a Fetch answer says: the error at the top, the session, and each topic's.
func told(t *testing.T, conn net.Conn, r *kmsg.FetchRequest) string {
	t.Helper()
	got := roundTrip(t, conn, ask(1, r.Version, 9, r.AppendTo(nil)))
	var answer kmsg.FetchResponse
	answer.Version = r.Version
	if err := answer.ReadFrom(got[8:]); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%d/%d", answer.ErrorCode, answer.SessionID)
	var topics []string
	for _, topic := range answer.Topics {
		topics = append(topics, fmt.Sprintf(" %s=%d", topic.Topic, topic.Partitions[0].ErrorCode))
	}
	slices.Sort(topics)
	return text + strings.Join(topics, "")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestWhatIsDeniedNeverEntersAFetchSession(t *testing.T) {
	k := newKept(t)
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) { enforcing(p, allow(plan.Consume, "open"), allow(plan.Consume, "later")) })
	conn := logIn(t, w.address)
	expect(t, "a session is opened", told(t, conn, fetch(0, 0, "open", "closed")), "0/42 closed=29")
	expect(t, "the broker sees", strings.Join(k.sent(), ", "), "Fetch 0/0 open")
	expect(t, "the session goes on", told(t, conn, fetch(42, 1)), "0/42 closed=29")
	expect(t, "topics are added", told(t, conn, fetch(42, 2, "later", "secret")), "0/42 closed=29 secret=29")
	expect(t, "the broker sees", strings.Join(k.sent(), ", "), "Fetch 42/1 , Fetch 42/2 later")
	forget := fetch(42, 3)
	forgotten := kmsg.NewFetchRequestForgottenTopic()
	forgotten.Topic, forgotten.Partitions = "closed", []int32{0}
	forget.ForgottenTopics = append(forget.ForgottenTopics, forgotten)
	expect(t, "a topic is forgotten", told(t, conn, forget), "0/42 secret=29")
	other := logIn(t, w.address)
	k.sent()
	expect(t, "another connection takes the session up", told(t, other, fetch(42, 4)), "70/0")
	expect(t, "a session that was never opened", told(t, conn, fetch(77, 1)), "70/0")
	expect(t, "nothing is left to ask for", told(t, conn, fetch(0, 0, "closed")), "0/0 closed=29")
	expect(t, "the broker sees nothing", strings.Join(k.sent(), ", "), "")
	records := w.logs.FilterMessage("denied").FilterField(zap.String("api", "Fetch")).All()
	if len(records) != 5 {
		t.Errorf("%d audit records, want one for each request of which something was refused: %v", len(records), records)
	}
}

func TestANewRuleAppliesToTheNextRequest(t *testing.T) {
	k := newKept(t)
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) { enforcing(p, allow(plan.Consume, "a"), allow(plan.Consume, "b")) })
	conn := logIn(t, w.address)
	expect(t, "a session is opened", told(t, conn, fetch(0, 0, "a", "b")), "0/42")
	change := func(edit func(*plan.Plan)) {
		t.Helper()
		p := *w.plan
		p.Servers = slices.Clone(p.Servers)
		edit(&p)
		if err := w.gateway.Reload(&p); err != nil {
			t.Fatal(err)
		}
	}
	change(func(p *plan.Plan) {
		p.Servers[0].Rules = []plan.Rule{allow(plan.Consume, "a"), allow(plan.Consume, "b"), allow(plan.Consume, "c")}
	})
	expect(t, "rules that do not touch the session", told(t, conn, fetch(42, 1)), "0/42")
	change(func(p *plan.Plan) { p.Servers[0].Rules = []plan.Rule{allow(plan.Consume, "a")} })
	expect(t, "a topic of the session is allowed no more", told(t, conn, fetch(42, 2)), "70/0")
	expect(t, "the client starts afresh", told(t, conn, fetch(0, 0, "a", "b")), "0/42 b=29")
	change(func(p *plan.Plan) {
		p.Servers[0].Rules = []plan.Rule{allow(plan.Consume, "a")}
		p.Grants = []plan.Grant{{Principal: "alice", Kind: "topic", Name: "b", Actions: []plan.Action{plan.Consume}}}
	})
	expect(t, "a grant allows what was refused", told(t, conn, fetch(42, 1)), "70/0")
	expect(t, "the client starts afresh", told(t, conn, fetch(0, 0, "a", "b")), "0/42")
	k.sent()
	change(func(p *plan.Plan) { p.Servers[0].Rules, p.Enforce = nil, plan.Observe })
	expect(t, "observed, everything passes", told(t, conn, fetch(0, 0, "a", "z")), "0/42")
	expect(t, "the broker sees", strings.Join(k.sent(), ", "), "Fetch 0/0 a z")
	if n := w.logs.FilterMessage("observed").Len(); n != 2 {
		t.Errorf("%d records of what was observed, want 2", n)
	}
}

// produceOf is a Produce of version 7 with records of a size for each topic.
func produceOf(acks int16, size int, topics ...string) []byte {
	r := kmsg.NewPtrProduceRequest()
	r.Version, r.Acks = 7, acks
	for _, name := range topics {
		t := kmsg.NewProduceRequestTopic()
		t.Topic = name
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = bytes.Repeat([]byte{7}, size)
		t.Partitions = append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
	}
	return r.AppendTo(nil)
}

func TestProduceIsDecidedByItsTopics(t *testing.T) {
	for _, size := range []int{10, 300 << 10} {
		t.Run(fmt.Sprint(size, " bytes of records"), func(t *testing.T) {
			k := newKept(t)
			w := startBefore(t, []string{k.address()}, func(p *plan.Plan) { enforcing(p, allow(plan.Produce, "in"), allow(plan.Produce, "also")) })
			conn := logIn(t, w.address)
			answer := func(topics ...string) string {
				got := roundTrip(t, conn, ask(0, 7, 9, produceOf(1, size, topics...)))
				var r kmsg.ProduceResponse
				r.Version = 7
				if err := r.ReadFrom(got[8:]); err != nil {
					t.Fatal(err)
				}
				var said []string
				for _, topic := range r.Topics {
					said = append(said, fmt.Sprintf("%s=%d", topic.Topic, topic.Partitions[0].ErrorCode))
				}
				return strings.Join(said, " ")
			}
			expect(t, "one topic that is allowed", answer("in"), "")
			expect(t, "two", answer("in", "also"), "")
			expect(t, "one of two", answer("in", "out"), "out=29")
			expect(t, "one that is not", answer("out"), "out=29")
			expect(t, "the broker sees", strings.Join(k.sent(), ", "),
				strings.ReplaceAll("Produce in:N, Produce in:N also:N, Produce in:N", "N", fmt.Sprint(size)))
			if _, err := conn.Write(ask(0, 7, 10, produceOf(0, size, "in", "out"))); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("a Produce with acks 0 of which something is refused is answered")
			}
			records := w.logs.FilterMessage("denied").All()
			if len(records) != 2 {
				t.Fatalf("%d audit records, want 2: %v", len(records), records)
			}
			if resource := fmt.Sprint(records[0].ContextMap()["resource"]); resource != "topic:out" {
				t.Errorf("the audit record names %s", resource)
			}
		})
	}
}

func TestWhatIsNotAskedAboutIsForAdmins(t *testing.T) {
	k := newKept(t)
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) { enforcing(p, allow(plan.Produce, "in")) })
	conn := logIn(t, w.address)
	for _, c := range []struct {
		request kmsg.Request
		version int16
		code    int16
	}{
		{kmsg.NewPtrDescribeClientQuotasRequest(), 0, 31},
		{kmsg.NewPtrStreamsGroupHeartbeatRequest(), 0, 30},
		{kmsg.NewPtrInitProducerIDRequest(), 4, 0},
		{kmsg.NewPtrJoinGroupRequest(), 5, 30},
		{kmsg.NewPtrEndTxnRequest(), 3, 53},
	} {
		c.request.SetVersion(c.version)
		got := roundTrip(t, conn, ask(c.request.Key(), c.version, 9, c.request.AppendTo(nil)))
		_, n, _ := wire.ParseResponseHeader(c.request.Key(), c.version, got[4:])
		at := 4 + n + 4 // after the throttle time
		if code := int16(binary.BigEndian.Uint16(got[at:])); code != c.code {
			t.Errorf("%s: error %d, want %d", wire.Name(c.request.Key()), code, c.code)
		}
	}
}

// shareFetch is a ShareFetch of version 1.
func shareFetch(epoch int32, topics ...[16]byte) *kmsg.ShareFetchRequest {
	r := kmsg.NewPtrShareFetchRequest()
	r.Version, r.GroupID, r.MemberID, r.ShareSessionEpoch = 1, kmsg.StringPtr("alice"), kmsg.StringPtr("m"), epoch
	for _, id := range topics {
		t := kmsg.NewShareFetchRequestTopic()
		t.TopicID = id
		t.Partitions = append(t.Partitions, kmsg.NewShareFetchRequestTopicPartition())
		r.Topics = append(r.Topics, t)
	}
	return r
}

func TestTopicIDsAndShareSessions(t *testing.T) {
	open, closed, nobodys := [16]byte{1}, [16]byte{2}, [16]byte{3}
	k := newKept(t)
	k.topics = map[string][16]byte{"open": open, "closed": closed}
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) { enforcing(p, allow(plan.Consume, "open")) })
	told := func(conn net.Conn, r *kmsg.ShareFetchRequest) string {
		t.Helper()
		got := roundTrip(t, conn, ask(78, r.Version, 9, r.AppendTo(nil)))
		var answer kmsg.ShareFetchResponse
		answer.Version = r.Version
		if err := answer.ReadFrom(got[9:]); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(answer.ErrorCode)
		var topics []string
		for _, topic := range answer.Topics {
			topics = append(topics, fmt.Sprintf(" %d=%d", topic.TopicID[0], topic.Partitions[0].ErrorCode))
		}
		slices.Sort(topics)
		return text + strings.Join(topics, "")
	}
	conn := logIn(t, w.address)
	expect(t, "a session is opened", told(conn, shareFetch(0, open, closed, nobodys)), "0 2=29 3=100")
	expect(t, "the session goes on", told(conn, shareFetch(1)), "0 2=29 3=100")
	expect(t, "nobody has opened it here", told(logIn(t, w.address), shareFetch(2)), "122")
	other := shareFetch(0, open)
	other.GroupID = kmsg.StringPtr("bob")
	expect(t, "a group of somebody else's", told(conn, other), "30")
	ack := kmsg.NewPtrShareAcknowledgeRequest()
	ack.Version, ack.GroupID, ack.MemberID = 1, kmsg.StringPtr("alice"), kmsg.StringPtr("other")
	if code := binary.BigEndian.Uint16(roundTrip(t, conn, ask(79, 1, 9, ack.AppendTo(nil)))[13:]); code != 122 {
		t.Errorf("an acknowledgement that would open a session: error %d, want 122", code)
	}
	expect(t, "the session ends", told(conn, shareFetch(-1)), "0 2=29 3=100")
	expect(t, "and is gone", told(conn, shareFetch(3)), "122")

	r := kmsg.NewPtrFetchRequest()
	r.Version, r.SessionEpoch = 13, -1
	for _, id := range [][16]byte{open, closed, nobodys} {
		topic := kmsg.NewFetchRequestTopic()
		topic.TopicID = id
		topic.Partitions = append(topic.Partitions, kmsg.NewFetchRequestTopicPartition())
		r.Topics = append(r.Topics, topic)
	}
	got := roundTrip(t, conn, ask(1, 13, 9, r.AppendTo(nil)))
	var answer kmsg.FetchResponse
	answer.Version = 13
	if err := answer.ReadFrom(got[9:]); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, topic := range answer.Topics {
		codes = append(codes, fmt.Sprintf("%d=%d", topic.TopicID[0], topic.Partitions[0].ErrorCode))
	}
	expect(t, "a Fetch by ids", strings.Join(codes, " "), "2=29 3=100")
}

func TestRegularExpressionsAreAnsweredByTheGateway(t *testing.T) {
	k := newKept(t)
	k.topics = map[string][16]byte{"a.1": {1}, "a.2": {2}, "a.3": {3}, "b": {4}}
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) {
		enforcing(p, allow(plan.Consume, "a.1"), allow(plan.Produce, "a.3"), allow(plan.Consume, "b"))
	})
	conn := logIn(t, w.address)
	beat := func(epoch int32, regex *string) string {
		t.Helper()
		r := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		r.Version, r.Group, r.MemberID, r.MemberEpoch, r.SubscribedTopicRegex = 1, "alice", "m", epoch, regex
		got := roundTrip(t, conn, ask(68, 1, 9, r.AppendTo(nil)))
		if code := binary.BigEndian.Uint16(got[13:]); code != 0 {
			return fmt.Sprint("error ", code)
		}
		return strings.Join(k.sent(), ", ")
	}
	expect(t, "the broker sees names", beat(0, kmsg.StringPtr(`a\..`)), "ConsumerGroupHeartbeat [a.1 a.3] \"\"")
	expect(t, "nothing has changed", beat(1, nil), "ConsumerGroupHeartbeat [] null")
	p := *w.plan
	p.Servers = slices.Clone(p.Servers)
	p.Servers[0].Rules = []plan.Rule{allow(plan.Consume, "a.2")}
	if err := w.gateway.Reload(&p); err != nil {
		t.Fatal(err)
	}
	expect(t, "the rules have changed", beat(1, nil), "ConsumerGroupHeartbeat [a.2] \"\"")
	expect(t, "nothing matches", beat(1, kmsg.StringPtr(`b`)), "ConsumerGroupHeartbeat [] \"[^\\\\s\\\\S]\"")
	expect(t, "no expression", beat(1, kmsg.StringPtr(`a(`)), "error 128")
	expect(t, "one that is too long", beat(1, kmsg.StringPtr(strings.Repeat("a", 5000))), "error 128")
}
