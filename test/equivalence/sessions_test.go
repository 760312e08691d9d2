package equivalence_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/matrix"
)

// readers are rules under which two topics may be consumed.
var readers = rules{user: alice, plan: []plan.Rule{topic(plan.Consume, "eq.a"), topic(plan.Consume, "eq.b")},
	grants: []plan.Grant{{Principal: "*", Kind: "group", Prefix: "shared-"}},
	may:    map[plan.Action]map[string]bool{plan.Consume: {"eq.a": true, "eq.b": true}}}

func TestFetchSessionsTellTheSame(t *testing.T) {
	for version := range brokers {
		w := newWorld(t, version)
		w.apply(readers)
		offered, steps := (&side{w: w, address: w.cluster.Addresses(kafkatest.SASL)[0]}).offered(), 0
		for version := int16(7); version <= min(offered[1][1], kmsg.NewPtrFetchRequest().MaxVersion()); version++ {
			t.Run(fmt.Sprint(w.cluster, " Fetch ", version), func(t *testing.T) {
				steps += w.alike(t, func(p *player) { p.fetchSession(version) })
			})
		}
		matrix.Show(fmt.Sprintf("sessions of Fetch with %s: %d steps\n", w.cluster, steps))
	}
}

// fetchSession opens a session with topics of which some are denied, goes on with it, adds and forgets topics, and goes on
// with one that is not there.
func (p *player) fetchSession(version int16) {
	session := int32(0)
	ask := func(epoch int32, add, forget []string) {
		r := kmsg.NewPtrFetchRequest()
		r.Version, r.ReplicaID, r.MaxWaitMillis, r.MaxBytes, r.SessionID, r.SessionEpoch = version, -1, 10, 1<<20, session, epoch
		for _, name := range add {
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = name, p.w.id(name)
			part := kmsg.NewFetchRequestTopicPartition()
			part.PartitionMaxBytes, part.FetchOffset = 1<<10, 1<<40 // out of range: an error is told every time as well
			t.Partitions = append(t.Partitions, part)
			r.Topics = append(r.Topics, t)
		}
		for _, name := range forget {
			t := kmsg.NewFetchRequestForgottenTopic()
			t.Topic, t.TopicID, t.Partitions = name, p.w.id(name), []int32{0}
			r.ForgottenTopics = append(r.ForgottenTopics, t)
		}
		if answer, ok := p.step(r).(*kmsg.FetchResponse); ok && epoch == 0 {
			session = answer.SessionID
		}
	}
	ask(0, []string{"eq.a", "eq.c"}, nil)
	ask(1, nil, nil)
	ask(2, []string{"eq.b", "other"}, nil)
	ask(3, nil, []string{"eq.c"})
	ask(4, nil, []string{"eq.a"})
	ask(5, []string{"eq.c"}, nil)
	ask(9, nil, nil) // an epoch that is not the next
	session = 12345
	ask(1, nil, nil) // a session that is not there
	ask(-1, []string{"eq.a", "eq.d"}, nil)
}

func TestShareSessionsTellTheSame(t *testing.T) {
	w := newWorld(t, kafkatest.Newest)
	w.apply(readers)
	offered, steps := (&side{w: w, address: w.cluster.Addresses(kafkatest.SASL)[0]}).offered(), 0
	for version := offered[78][0]; version <= min(offered[78][1], kmsg.NewPtrShareFetchRequest().MaxVersion()); version++ {
		t.Run(fmt.Sprint("ShareFetch ", version), func(t *testing.T) {
			steps += w.alike(t, func(p *player) { p.shareSession(version) })
		})
	}
	matrix.Show(fmt.Sprintf("sessions of ShareFetch and ShareAcknowledge with %s: %d steps\n", w.cluster, steps))
}

// shareSession does in a share session what fetchSession does, acknowledges what is allowed, denied and not in the session, and
// ends it.
func (p *player) shareSession(version int16) {
	group, who := "alice."+p.mark, "m"+p.mark
	fetch := func(member string, epoch int32, add, forget []string) *kmsg.ShareFetchRequest {
		r := kmsg.NewPtrShareFetchRequest()
		r.Version, r.GroupID, r.MemberID, r.ShareSessionEpoch = version, &group, &member, epoch
		r.MaxWaitMillis, r.MaxBytes, r.MaxRecords, r.BatchSize = 10, 1<<20, 1, 1
		for _, name := range add {
			t := kmsg.NewShareFetchRequestTopic()
			t.TopicID = p.w.id(name)
			t.Partitions = append(t.Partitions, kmsg.NewShareFetchRequestTopicPartition())
			r.Topics = append(r.Topics, t)
		}
		for _, name := range forget {
			t := kmsg.NewShareFetchRequestForgottenTopicsData()
			t.TopicID, t.Partitions = p.w.id(name), []int32{0}
			r.ForgottenTopicsData = append(r.ForgottenTopicsData, t)
		}
		return r
	}
	acknowledge := func(epoch int32, names ...string) {
		r := kmsg.NewPtrShareAcknowledgeRequest()
		r.Version, r.GroupID, r.MemberID, r.ShareSessionEpoch = version, &group, &who, epoch
		for _, name := range names {
			t := kmsg.NewShareAcknowledgeRequestTopic()
			t.TopicID = p.w.id(name)
			part := kmsg.NewShareAcknowledgeRequestTopicPartition()
			batch := kmsg.NewShareAcknowledgeRequestTopicPartitionAcknowledgementBatch()
			batch.FirstOffset, batch.LastOffset, batch.AcknowledgeTypes = 1<<40, 1<<40, []int8{1}
			part.AcknowledgementBatches = append(part.AcknowledgementBatches, batch)
			t.Partitions = append(t.Partitions, part)
			r.Topics = append(r.Topics, t)
		}
		p.step(r)
	}
	tries := 0
	p.until("the state of the group is read", func() kmsg.Request {
		tries++
		return fetch(fmt.Sprint(who, tries), 0, []string{"eq.a", "eq.b"}, nil)
	}, func(response kmsg.Response) bool {
		answer := response.(*kmsg.ShareFetchResponse)
		ready := answer.ErrorCode == 0
		for _, t := range answer.Topics {
			ready = ready && t.Partitions[0].ErrorCode == 0
		}
		return ready
	})
	p.step(fetch(who, 0, []string{"eq.a", "eq.c"}, nil))
	p.step(fetch(who, 1, nil, nil))
	p.step(fetch(who, 2, []string{"eq.b", "other"}, nil))
	acknowledge(3, "eq.a", "eq.c", "eq.d")
	p.step(fetch(who, 4, nil, []string{"eq.c"}))
	p.step(fetch(who, 5, nil, []string{"eq.a"}))
	p.step(fetch(who, 6, []string{"eq.c"}, nil))
	p.step(fetch(who, 9, nil, nil))        // an epoch that is not the next
	p.step(fetch("n"+p.mark, 1, nil, nil)) // a session that is not there
	p.step(fetch(who, 7, nil, nil))        // the session is still there
	acknowledge(-1, "eq.c")                // and ends
	acknowledge(8, "eq.b")
	p.step(fetch(who, -1, nil, nil))
}
