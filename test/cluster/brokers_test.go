package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

func TestClientsWorkOnWhileBrokersJoinDieAndReturn(t *testing.T) {
	c := shared.Get(t)
	topic := topicOf(t, c, "brokers")
	down := map[int]bool{3: true}
	t.Cleanup(func() { // the cluster is not this test's alone
		for id := range down {
			c.Restart(t, id)
		}
	})
	c.Stop(t, 3)
	g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext))})
	w := steadily(t, topic, func(options ...kgo.Opt) *kgo.Client { return g.client(t, "secure", alice, options...) })
	early := g.client(t, "secure", alice)
	if known := brokers(t, early); len(known) != 2 {
		t.Errorf("with a stopped broker the gateway names %v", known)
	}
	w.goesOn(t, "with two brokers")

	t.Run("a broker that joins later is served", func(t *testing.T) {
		c.Restart(t, 3)
		delete(down, 3)
		eventually(t, "the gateway names three brokers", func() error {
			if known := brokers(t, early); len(known) != 3 {
				return fmt.Errorf("it names %v", known)
			}
			return nil
		})
		electPreferred(t, c, topic, 3)
		w.goesOn(t, "with the third broker")
	})
	t.Run("leaders move", func(t *testing.T) {
		moveLeaders(t, c, topic)
		w.goesOn(t, "after the move")
	})
	t.Run("a broker dies", func(t *testing.T) {
		down[2] = true
		c.Kill(t, 2)
		eventually(t, "nobody believes broker 2 to lead", func() error {
			where, _, err := leaders(t.Context(), c.Client(t).Broker(1), topic)
			if err == nil && slices.Contains(where, 2) {
				err = fmt.Errorf("leaders are %v", where)
			}
			return err
		})
		w.goesOn(t, "without broker 2")
	})
	t.Run("it comes back", func(t *testing.T) {
		c.Restart(t, 2)
		delete(down, 2)
		electPreferred(t, c, topic, 2)
		w.goesOn(t, "with broker 2 again")
		g.works(t, "secure", bob, topicOf(t, c, "after"))
	})
	w.halt(t)
}

// electPreferred has an administrator of the cluster give every partition back to its first replica, until this broker
// leads one.
func electPreferred(t *testing.T, c *kafkatest.Cluster, topic string, id int32) {
	t.Helper()
	client := c.Client(t)
	eventually(t, fmt.Sprintf("broker %d leads", id), func() error {
		request := kmsg.NewPtrElectLeadersRequest()
		request.TimeoutMillis = 5000
		if _, err := request.RequestWith(t.Context(), client); err != nil {
			return err
		}
		where, _, err := leaders(t.Context(), client.Broker(1), topic)
		if err == nil && !slices.Contains(where, id) {
			err = fmt.Errorf("leaders are %v", where)
		}
		return err
	})
}

// moveLeaders has an administrator of the cluster make the next replica of every partition its leader.
func moveLeaders(t *testing.T, c *kafkatest.Cluster, topic string) {
	t.Helper()
	client := c.Client(t)
	before, found, err := leaders(within(t), client, topic)
	if err != nil {
		t.Fatal(err)
	}
	request := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	request.TimeoutMillis = 5000
	of := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	of.Topic = topic
	for _, p := range found.Partitions {
		at := slices.Index(p.Replicas, p.Leader)
		partition := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		partition.Partition = p.Partition
		for i := range p.Replicas {
			partition.Replicas = append(partition.Replicas, p.Replicas[(at+1+i)%len(p.Replicas)])
		}
		of.Partitions = append(of.Partitions, partition)
	}
	request.Topics = append(request.Topics, of)
	response, err := request.RequestWith(within(t), client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all leaders moved", func() error {
		elect := kmsg.NewPtrElectLeadersRequest()
		elect.TimeoutMillis = 5000
		if _, err := elect.RequestWith(t.Context(), client); err != nil {
			return err
		}
		after, _, err := leaders(t.Context(), client, topic)
		if err != nil {
			return err
		}
		for p := range after {
			if after[p] == before[p] {
				return fmt.Errorf("partition %d is still led by %d", p, before[p])
			}
		}
		return nil
	})
}

// shares has a share group consume and acknowledge everything that is produced.
func shares(t *testing.T, c *kafkatest.Cluster, client func(...kgo.Opt) *kgo.Client) {
	t.Helper()
	topic := topicOf(t, c, "share")
	c.ShareFromEarliest(t, "alice-"+topic)
	values := numbered("shared", 30)
	produce(t, client(), topic, values...)
	var refused []error
	consumer := client(kgo.ShareGroup("alice-"+topic), kgo.ConsumeTopics(topic), kgo.ShareAckCallback(func(_ *kgo.Client, results kgo.ShareAckResults) {
		for _, r := range results {
			refused = append(refused, r.Err)
		}
	}))
	consume(t, consumer, values)
	consumer.Close() // sends what is not acknowledged yet
	if err := errors.Join(refused...); err != nil {
		t.Errorf("acknowledgements: %v", err)
	}
}
