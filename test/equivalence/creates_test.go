package equivalence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/matrix"
)

// Who has a grant creates and deletes topics, by request and by asking for their metadata; and no others.
func TestTopicsAreCreatedAndDeletedByGrant(t *testing.T) {
	for version := range brokers {
		w := newWorld(t, version)
		w.apply(rules{user: alice, plan: []plan.Rule{topic(plan.Consume, "eq.a")}, may: map[plan.Action]map[string]bool{plan.Consume: {"eq.a": true}},
			grants: []plan.Grant{{Principal: alice, Kind: "topic", Prefix: "made.", Actions: []plan.Action{plan.Create, plan.Delete}}, {Principal: "*", Kind: "group", Prefix: "shared-"}}})
		offered, steps := (&side{w: w, address: w.cluster.Addresses(kafkatest.SASL)[0]}).offered(), 0
		for create := offered[19][0]; create <= min(offered[19][1], kmsg.NewPtrCreateTopicsRequest().MaxVersion()); create++ {
			for metadata := offered[3][0]; metadata <= min(offered[3][1], kmsg.NewPtrMetadataRequest().MaxVersion()); metadata++ {
				if metadata != create && create != offered[19][1] {
					continue // a pair of versions for each of both
				}
				remove := min(max(create, offered[20][0]), offered[20][1])
				t.Run(fmt.Sprint(w.cluster, " CreateTopics ", create, " Metadata ", metadata), func(t *testing.T) {
					steps += w.alike(t, func(p *player) { p.creates(create, metadata, remove) })
				})
			}
		}
		w.look()
		for name := range w.topics {
			if strings.HasPrefix(name, "kept.") {
				t.Errorf("%s: %s has been created", w.cluster, name)
			}
		}
		matrix.Show(fmt.Sprintf("topics that are created and deleted with %s: %d steps\n", w.cluster, steps))
	}
}

func (p *player) creates(create, metadata, remove int16) {
	name := func(text string) string { return text + "." + p.mark }
	made := func() {
		r := kmsg.NewPtrCreateTopicsRequest()
		r.Version, r.TimeoutMillis = create, 30_000
		for _, topic := range []string{name("made.a"), name("kept.a"), "eq.a", name("made.b")} {
			t := kmsg.NewCreateTopicsRequestTopic()
			t.Topic, t.NumPartitions, t.ReplicationFactor = topic, 1, 1
			r.Topics = append(r.Topics, t)
		}
		p.step(r)
	}
	seen := func(topics ...string) *kmsg.MetadataRequest {
		r := kmsg.NewPtrMetadataRequest()
		r.Version, r.AllowAutoTopicCreation = metadata, true
		for _, topic := range topics {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = &topic
			r.Topics = append(r.Topics, t)
		}
		return r
	}
	known := func(topics ...string) {
		p.until(fmt.Sprint(topics, " are there"), func() kmsg.Request { return seen(topics...) }, func(response kmsg.Response) bool {
			for _, t := range response.(*kmsg.MetadataResponse).Topics {
				if t.ErrorCode != 0 {
					return false
				}
			}
			return true
		})
	}
	made()
	made() // they are there
	known(name("made.a"), name("made.b"))
	p.step(seen(name("made.auto")))
	known(name("made.auto"))
	p.step(seen(name("kept.auto")))
	p.step(seen("eq.a", name("kept.auto"), name("made.a")))
	r := kmsg.NewPtrDeleteTopicsRequest()
	r.Version, r.TimeoutMillis = remove, 30_000
	for _, topic := range []string{name("made.a"), name("kept.a"), "eq.a", name("made.auto"), name("made.b")} {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &topic
		r.Topics, r.TopicNames = append(r.Topics, t), append(r.TopicNames, topic)
	}
	p.step(r)
}
