package equivalence_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// topic is a rule for one topic.
func topic(action plan.Action, name string) plan.Rule {
	return plan.Rule{Action: action, Segments: []plan.Segment{{Literal: name}}, File: "eq.yml", Line: 1}
}

// assigned sends heartbeats of a new member that subscribes by a regular expression, until it is given so many topics, and
// returns their names.
func (w *world) assigned(c *conn, group, regex string, want int, within time.Duration) []string {
	w.t.Helper()
	join := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	join.Version, join.Group, join.MemberID, join.RebalanceTimeoutMillis = 1, group, member(), 60_000
	join.SubscribedTopicRegex, join.Topics = &regex, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	names := map[string]bool{}
	for end := time.Now().Add(within); len(names) < want && time.Now().Before(end); {
		response, err := c.ask(join)
		if err != nil {
			w.t.Fatal(err)
		}
		r := response.(*kmsg.ConsumerGroupHeartbeatResponse)
		if r.ErrorCode != 0 {
			return []string{fmt.Sprint("error ", r.ErrorCode)}
		}
		owned := join.Topics
		if r.Assignment != nil {
			names, owned = map[string]bool{}, nil
			for _, t := range r.Assignment.Topics {
				names[w.nameOf(t.TopicID)] = true
				owned = append(owned, kmsg.ConsumerGroupHeartbeatRequestTopic{TopicID: t.TopicID, Partitions: t.Partitions})
			}
		}
		next := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		next.Version, next.Group, next.MemberID, next.MemberEpoch = 1, group, join.MemberID, r.MemberEpoch
		next.RebalanceTimeoutMillis, next.Topics = -1, owned
		join = next
		<-time.After(100 * time.Millisecond) // between heartbeats: the broker looks for topics in its own time
	}
	return slices.Sorted(maps.Keys(names))
}

func (w *world) nameOf(id [16]byte) string {
	for name, known := range w.topics {
		if known == id {
			return name
		}
	}
	return fmt.Sprint(id)
}

// A broker expands a regular expression to what its client may see; so does the gateway, for a broker that would expand it
// to everything.
func TestRegularExpressionsReachWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kafkatest.Newest)
	s := rules{user: bob, plan: []plan.Rule{topic(plan.Consume, "eq.a"), topic(plan.Produce, "eq.c"), topic(plan.Consume, "other")},
		may: map[plan.Action]map[string]bool{plan.Consume: {"eq.a": true, "other": true}, plan.Produce: {"eq.c": true}}}
	s.grants = []plan.Grant{{Principal: "*", Kind: "group", Prefix: "shared-"}}
	w.apply(s)
	broker, gateway := w.dial(w.cluster.Addresses(kafkatest.SASL)[0]), w.dial(w.gateway.Addresses[inprocess.SASL])
	defer broker.Close()
	defer gateway.Close()
	for _, c := range []struct {
		regex string
		want  []string
	}{
		{`eq\..*`, []string{"eq.a", "eq.c"}},
		{`.*`, []string{"eq.a", "eq.c", "other"}},
		{`(eq\.b|deep.*)`, nil},
		{`q\.a`, nil}, // the whole name has to match
		{`eq\.(`, []string{"error 128"}},
	} {
		within := patience
		if len(c.want) == 0 {
			within = 7 * time.Second // longer than the gateway or the broker waits before it looks at the topics again
		}
		for name, side := range map[string]*conn{"broker": broker, "gateway": gateway} {
			if got := w.assigned(side, "bob."+member(), c.regex, max(len(c.want), 1), within); !slices.Equal(got, c.want) {
				t.Errorf("%s: %s is given %v, want %v", c.regex, name, got, c.want)
			}
		}
	}
	if got := w.assigned(gateway, "alice", ".*", 1, patience); !slices.Equal(got, []string{"error 30"}) {
		t.Errorf("a group of somebody else's: %v", got)
	}
}

// Two principals each do their half of a document, with an ordinary client, and not the other's.
func TestTwoPrincipalsDoTheirHalves(t *testing.T) {
	w := newWorld(t, kafkatest.Newest)
	writes, reads := topic(plan.Produce, "eq.a"), topic(plan.Consume, "eq.a")
	writer := plan.Grant{Principal: alice, Kind: "topic", Name: "eq.a", Actions: []plan.Action{writes.Action}}
	reader := plan.Grant{Principal: bob, Kind: "topic", Name: "eq.a", Actions: []plan.Action{reads.Action}}
	w.apply(rules{user: alice, grants: []plan.Grant{writer, reader, {Principal: bob, Kind: "topic", Name: "eq.b", Actions: []plan.Action{plan.Produce}}}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := func(user string, options ...kgo.Opt) *kgo.Client {
		t.Helper()
		c, err := kgo.NewClient(append(options, kgo.SeedBrokers(w.gateway.Addresses[inprocess.SASL]),
			kgo.SASL(plain.Auth{User: user, Pass: inprocess.Password(user)}.AsMechanism()), kgo.RetryTimeout(10*time.Second))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	producer := client(alice, kgo.TransactionalID("alice-"+member()))
	if err := producer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	mark := member()
	if err := producer.ProduceSync(ctx, &kgo.Record{Topic: "eq.a", Value: []byte(mark)}).FirstErr(); err != nil {
		t.Fatalf("alice produces: %v", err)
	}
	if err := producer.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatalf("alice commits: %v", err)
	}
	if err := client(alice).ProduceSync(ctx, &kgo.Record{Topic: "eq.b", Value: []byte("x")}).FirstErr(); err == nil {
		t.Error("alice produces where only bob may")
	}
	consumer := client(bob, kgo.ConsumerGroup("bob-"+member()), kgo.ConsumeTopics("eq.a"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	for found := false; !found; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("bob consumes: %v", err)
		}
		fetches.EachRecord(func(r *kgo.Record) { found = found || string(r.Value) == mark })
	}
	if err := consumer.CommitUncommittedOffsets(ctx); err != nil {
		t.Errorf("bob commits: %v", err)
	}
	if err := client(bob).ProduceSync(ctx, &kgo.Record{Topic: "eq.a", Value: []byte("x")}).FirstErr(); err == nil {
		t.Error("bob produces where only alice may")
	}
}
