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

// A session is a script: each step says what both sides must answer alike.
func TestSessionsTellTheSame(t *testing.T) {
	w := newWorld(t, kafkatest.Newest)
	w.apply(rules{user: alice, plan: []plan.Rule{topic(plan.Consume, "eq.a"), topic(plan.Consume, "eq.b")},
		grants: []plan.Grant{{Principal: "*", Kind: "group", Prefix: "shared-"}},
		may:    map[plan.Action]map[string]bool{plan.Consume: {"eq.a": true, "eq.b": true}}})
	addresses := []string{w.cluster.Addresses(kafkatest.SASL)[0], w.gateway.Addresses[inprocess.SASL]}
	offered := (&side{w: w, address: addresses[0]}).offered()
	steps := 0
	for version := int16(7); version <= min(offered[1][1], kmsg.NewPtrFetchRequest().MaxVersion()); version++ {
		t.Run(fmt.Sprint("Fetch ", version), func(t *testing.T) {
			answers := [2][]string{}
			for i, address := range addresses {
				answers[i] = w.fetchSession(address, version)
			}
			for i := range answers[0] {
				steps++
				if answers[0][i] != answers[1][i] {
					t.Errorf("step %d:\n  broker  %s\n  gateway %s", i, answers[0][i], answers[1][i])
				}
			}
		})
	}
	matrix.Show(fmt.Sprintf("sessions of Fetch: %d steps alike\n", steps))
}

// fetchSession opens a session with topics of which some are denied, goes on with it, adds and forgets topics, and goes on
// with one that is not there.
func (w *world) fetchSession(address string, version int16) (answers []string) {
	c := w.dial(address)
	defer c.Close()
	session := int32(0)
	ask := func(epoch int32, add, forget []string) {
		r := kmsg.NewPtrFetchRequest()
		r.Version, r.ReplicaID, r.MaxWaitMillis, r.MaxBytes, r.SessionID, r.SessionEpoch = version, -1, 10, 1<<20, session, epoch
		for _, name := range add {
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = name, w.id(name)
			p := kmsg.NewFetchRequestTopicPartition()
			p.PartitionMaxBytes, p.FetchOffset = 1<<10, 1<<40 // out of range: an error is told every time as well
			t.Partitions = append(t.Partitions, p)
			r.Topics = append(r.Topics, t)
		}
		for _, name := range forget {
			t := kmsg.NewFetchRequestForgottenTopic()
			t.Topic, t.TopicID, t.Partitions = name, w.id(name), []int32{0}
			r.ForgottenTopics = append(r.ForgottenTopics, t)
		}
		response, err := c.ask(r)
		if err != nil {
			answers = append(answers, err.Error())
			return
		}
		answer := response.(*kmsg.FetchResponse)
		if epoch == 0 {
			session = answer.SessionID
		}
		answers = append(answers, fmt.Sprintf("opened %v %s", answer.SessionID != 0, canonical(answer)))
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
	return answers
}
