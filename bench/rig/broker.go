package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// brokerHeap is what a broker under load is given; its own start script says the same.
const brokerHeap = "1g"

// brokerFlags are Java's for a server under load, unlike those of the tests, which start quickest.
const brokerFlags = "-XX:+UseG1GC -XX:MaxGCPauseMillis=20"

// User is who logs in, at the broker and at the gateway.
const User = "alice"

// Broker is one node of real Apache Kafka. Its log is in memory where the machine has a file system there.
type Broker struct {
	kafkatest.Cluster

	pid     int
	admin   *kgo.Client
	scripts string
}

// startBroker starts the broker with its data in dir. Its forward listener is advertised at 127.0.0.1:forward.
func startBroker(ctx context.Context, root, dir, certificates string, forward int) (*Broker, error) {
	b := &Broker{scripts: filepath.Join(root, "test", "kafka")}
	env := []string{
		"KAFKA_NODES=1",
		"KAFKA_VERSION=" + kafkatest.Newest,
		"KAFKA_HEAP=" + brokerHeap,
		"KAFKA_JVM_FLAGS=" + brokerFlags,
		"KAFKA_FORWARD_PORTS=" + strconv.Itoa(forward),
		"KAFKA_OPEN=true",
		"KAFKA_CERTIFICATES=" + certificates,
		"KAFKA_PARENT=" + strconv.Itoa(os.Getpid()),
	}
	b.Directory = filepath.Join(dir, "kafka")
	out, err := run(ctx, nil, env, "bash", filepath.Join(b.scripts, "up.sh"), b.Directory)
	if err == nil {
		err = b.describe(out)
	}
	if err == nil {
		b.admin, err = kgo.NewClient(kgo.SeedBrokers(b.Address(kafkatest.Plaintext)))
	}
	if err != nil {
		b.Stop()
		return nil, fmt.Errorf("start Apache Kafka: %w", err)
	}
	return b, nil
}

// describe reads what the start script printed.
func (b *Broker) describe(cluster []byte) error {
	var more struct {
		Nodes []struct {
			PID int `json:"pid"`
		} `json:"nodes"`
	}
	if err := errors.Join(json.Unmarshal(cluster, &b.Cluster), json.Unmarshal(cluster, &more)); err != nil {
		return err
	}
	b.pid = more.Nodes[0].PID
	return nil
}

// Stop takes the broker down; its data goes with it.
func (b *Broker) Stop() {
	if b.admin != nil {
		b.admin.Close()
	}
	_ = exec.Command("bash", filepath.Join(b.scripts, "down.sh"), b.Directory).Run()
}

// Address is where a listener of the broker is, as host:port.
func (b *Broker) Address(l kafkatest.Listener) string { return b.Nodes[0].Listeners[l] }

// CreateTopic creates a topic with so many partitions, waits until they have a leader, and returns the topic's id.
func (b *Broker) CreateTopic(ctx context.Context, name string, partitions int32) ([16]byte, error) {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	request.TimeoutMillis = 20000
	created, err := request.RequestWith(ctx, b.admin)
	if err == nil {
		err = kerr.ErrorForCode(created.Topics[0].ErrorCode)
	}
	if err != nil {
		return [16]byte{}, fmt.Errorf("create topic %s: %w", name, err)
	}
	for !b.leads(ctx, name, partitions) {
		select {
		case <-ctx.Done():
			return [16]byte{}, fmt.Errorf("topic %s has no leader: %w", name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return created.Topics[0].TopicID, nil
}

// leads reports whether the broker leads every partition of a topic. Metadata says so a moment too early.
func (b *Broker) leads(ctx context.Context, name string, partitions int32) bool {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = name
	for partition := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.Timestamp = partition, -1, -1
		topic.Partitions = append(topic.Partitions, p)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	request.Topics = append(request.Topics, topic)
	answer, err := b.admin.Broker(b.Nodes[0].ID).Request(ctx, request)
	if err != nil {
		return false
	}
	for _, topic := range answer.(*kmsg.ListOffsetsResponse).Topics {
		for _, partition := range topic.Partitions {
			if partition.ErrorCode != 0 {
				return false
			}
		}
	}
	return true
}

// deletionTime is how long the broker keeps a deleted topic's files: log.segment.delete.delay.ms, and the scheduler's
// pace.
const deletionTime = time.Second

// DeleteTopic deletes a topic and waits until its memory is free again.
func (b *Broker) DeleteTopic(ctx context.Context, name string) error {
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.Topics = append(request.Topics, topic)
	request.TopicNames = []string{name}
	request.TimeoutMillis = 20000
	response, err := request.RequestWith(ctx, b.admin)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", name, err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(deletionTime):
	}
	return ctx.Err()
}
