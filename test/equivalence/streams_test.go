package equivalence_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/matrix"
)

// streamers are rules under which a Streams application may read one topic, and use and create those that begin with made, which
// no other rule of these tests reaches.
func streamers(source string) rules {
	return rules{user: alice, plan: []plan.Rule{topic(plan.Consume, source)}, may: map[plan.Action]map[string]bool{plan.Consume: {source: true}},
		grants: []plan.Grant{{Principal: "*", Kind: "group", Prefix: "shared-"},
			{Principal: alice, Kind: "topic", Prefix: "made.", Actions: []plan.Action{plan.Produce, plan.Consume, plan.Create}}}}
}

// A member of a Streams group (KIP-1071) joins with a topology, and its group is described to who may see all topics of it. What the
// gateway does not leave to the broker is who creates internal topics.
func TestStreamsGroupsTellTheSame(t *testing.T) {
	w := newWorld(t, kafkatest.Newest)
	w.apply(streamers("eq.a"))
	var groups, changelogs []string
	steps := w.alike(t, func(p *player) {
		group, changelog := "alice-"+p.mark, "made."+p.mark+"-store-changelog"
		groups, changelogs = append(groups, group), append(changelogs, changelog)
		p.step(joining(group, p.mark, changelog, "eq.a"))
		p.step(describing(group, "bob"))
		p.step(joining("alicex", p.mark, changelog, "eq.a")) // a group of somebody else's
		p.step(joining(group, "n"+p.mark, changelog, "eq.a", "eq.b"))
	})
	for _, changelog := range changelogs {
		w.appears(changelog)
	}
	gateway := &side{w: w, address: w.gateway.Addresses[inprocess.SASL]}
	for changelog, want := range map[string]string{"eq.a": "0", "eq.new": "29"} { // one that is there, and one that may only be seen
		if got := gateway.ask(joining("alice."+member(), member(), changelog, "eq.a")).at("ErrorCode"); got != want {
			t.Errorf("a member whose changelog is %s: error %s, want %s", changelog, got, want)
		}
	}
	w.apply(streamers("eq.d"))
	steps += w.alike(t, func(p *player) {
		for _, group := range groups {
			p.step(describing(group, "bob"))
		}
	})
	matrix.Show(fmt.Sprintf("Streams groups with %s: %d steps\n", w.cluster, steps))
}

func joining(group, member, changelog string, sources ...string) kmsg.Request {
	sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	sub.SubtopologyID, sub.SourceTopics = "0", sources
	sub.StateChangelogTopics = []kmsg.TopicInfo{{Topic: changelog}}
	r := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	r.Group, r.MemberID, r.RebalanceTimeoutMillis, r.ProcessID = group, member, 60_000, kmsg.StringPtr("p")
	r.ActiveTasks, r.StandbyTasks, r.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	r.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{sub}}
	return r
}

func describing(groups ...string) kmsg.Request {
	r := kmsg.NewPtrStreamsGroupDescribeRequest()
	r.Groups = groups
	return r
}
