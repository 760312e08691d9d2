package kafka_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
)

// The broker would create the internal topics of a Streams application with the gateway's rights.
func TestInternalTopicsOfStreamsAreCreatedByGrant(t *testing.T) {
	k := newKept(t)
	k.topics = map[string][16]byte{"in": {1}, "made": {2}}
	w := startBefore(t, []string{k.address()}, func(p *plan.Plan) {
		enforcing(p, allow(plan.Consume, "in"), allow(plan.Produce, "made"), allow(plan.Produce, "unmade"))
		p.Grants = []plan.Grant{{Principal: "alice", Kind: "topic", Prefix: "alice-", Actions: []plan.Action{plan.Produce, plan.Consume, plan.Create}}}
	})
	conn := logIn(t, w.address)
	join := func(changelog string, regex ...string) string {
		t.Helper()
		sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
		sub.SubtopologyID, sub.SourceTopics, sub.SourceTopicRegex = "0", []string{"in"}, regex
		sub.StateChangelogTopics = []kmsg.TopicInfo{{Topic: changelog}}
		r := kmsg.NewPtrStreamsGroupHeartbeatRequest()
		r.Group, r.MemberID = "alice", "m"
		r.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{sub}}
		got := roundTrip(t, conn, ask(88, 0, 9, r.AppendTo(nil)))
		return strings.TrimSpace(fmt.Sprint(binary.BigEndian.Uint16(got[13:]), " ", strings.Join(k.sent(), ", ")))
	}
	expect(t, "one that may be created", join("alice-store"), "0 StreamsGroupHeartbeat")
	expect(t, "one that is there", join("made"), "0 StreamsGroupHeartbeat")
	expect(t, "one that may only be seen", join("unmade"), "29")
	expect(t, "one of somebody else's", join("bob-store"), "29")
	expect(t, "a regular expression", join("alice-store", ".*"), "42")
	if n := w.logs.FilterMessage("denied").Len(); n != 3 {
		t.Errorf("%d audit records, want one for each refusal", n)
	}
	p := *w.plan
	p.Enforce = plan.Observe
	if err := w.gateway.Reload(&p); err != nil {
		t.Fatal(err)
	}
	expect(t, "observed, everything passes", join("unmade"), "0 StreamsGroupHeartbeat")
	if n := w.logs.FilterMessage("observed").Len(); n == 0 {
		t.Error("nothing is observed")
	}
}
