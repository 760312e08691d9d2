package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// broker starts an embedded broker with a topic of two partitions.
func broker(t *testing.T, options ...kfake.Opt) (Target, Topic) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(2, "load")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return Target{Address: cluster.ListenAddrs()[0]}, Topic{Name: "load", ID: cluster.TopicInfo("load").TopicID, Partitions: 2}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatIsProducedIsFetched(t *testing.T) {
	target, topic := broker(t)
	ctx := deadline(t)
	const batches = 3
	if err := Fill(ctx, target, topic, batches); err != nil {
		t.Fatal(err)
	}
	if moved, err := Fetch(ctx, target, topic, batches, 8<<20); err != nil || moved.Rate() <= 0 {
		t.Errorf("fetched %+v: %v", moved, err)
	}
}

func TestAClientReadsWhatTheLoaderWrote(t *testing.T) {
	target, topic := broker(t)
	ctx := deadline(t)
	if err := Fill(ctx, target, topic, 1); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(target.Address), kgo.ConsumeTopics(topic.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for read := 0; read < Records(topic, 1); {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			read++
			if len(r.Value) != RecordSize {
				t.Fatalf("a record of %d bytes, want %d", len(r.Value), RecordSize)
			}
		})
	}
}

func TestARefusalOfTheBrokerIsNoFigure(t *testing.T) {
	target, topic := broker(t)
	topic.ID[0]++
	if _, err := Produce(deadline(t), target, topic, 1<<20); err != kerr.UnknownTopicID {
		t.Errorf("produce to a topic that is not there: %v", err)
	}
	if _, err := Fetch(deadline(t), target, topic, 1, 1<<20); err == nil || !strings.Contains(err.Error(), kerr.UnknownTopicID.Message) {
		t.Errorf("fetch from a topic that is not there: %v", err)
	}
}

func TestConnectionsLogIn(t *testing.T) {
	target, topic := broker(t, kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "alice", "right"), kfake.Superuser("SCRAM-SHA-256", "alice", "right"))
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		login := func(password string) Target {
			l, err := NewLogin(mechanism, "alice", password)
			if err != nil {
				t.Fatal(err)
			}
			return Target{Address: target.Address, Login: l}
		}
		for name, request := range map[string]kmsg.Request{"login": nil, "login and answer": ListOffsets(topic)} {
			if rate, err := Logins(deadline(t), login("right"), request, 50*time.Millisecond); err != nil || rate <= 0 {
				t.Errorf("%s, %s: %v/s, %v", mechanism, name, rate, err)
			}
		}
		if _, err := Logins(deadline(t), login("wrong"), nil, 50*time.Millisecond); err == nil {
			t.Errorf("%s: refused logins are no figure", mechanism)
		}
	}
	if _, err := NewLogin("GSSAPI", "alice", "right"); err == nil {
		t.Error("a mechanism that the loader does not have")
	}
}

func TestATokenThatIsRefusedIsNoFigure(t *testing.T) {
	target, _ := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "right")) // takes no tokens
	l, err := NewLogin("OAUTHBEARER", "alice", "token")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Logins(deadline(t), Target{Address: target.Address, Login: l}, nil, 50*time.Millisecond); err == nil {
		t.Error("refused logins are no figure")
	}
}

func TestIdleConnectionsStayOpenUntilTheyAreClosed(t *testing.T) {
	target, topic := broker(t)
	closeAll, err := Idle(deadline(t), target, ListOffsets(topic), 20)
	if err != nil {
		t.Fatal(err)
	}
	closeAll()
	if _, err := Idle(deadline(t), Target{Address: "127.0.0.1:1"}, ListOffsets(topic), 2); err == nil {
		t.Error("connections to nobody")
	}
}

func TestARoundTripTakesTime(t *testing.T) {
	target, topic := broker(t)
	if took, err := RoundTrip(deadline(t), target, ListOffsets(topic), 10); err != nil || took <= 0 {
		t.Errorf("%v, %v", took, err)
	}
}
