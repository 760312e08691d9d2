package equivalence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// pick is what the requests of one case name.
type pick struct {
	topics []string
	parts  []int32 // of each topic
	group  string
	groups []string
	id     string
	ids    []string
	all    bool // ask for all topics where that can be asked
}

// there are the partitions that topics have.
func (p *pick) there() []int32 {
	return slices.DeleteFunc(slices.Clone(p.parts), func(n int32) bool { return n > 1 })
}

// request makes one request for a pick, or nil where the version has none.
type request func(w *world, version int16, p pick) kmsg.Request

func set[R any, P interface {
	*R
	kmsg.Request
}](fill func(w *world, r P, p pick)) request {
	return func(w *world, version int16, p pick) kmsg.Request {
		r := P(new(R))
		if d, ok := any(r).(interface{ Default() }); ok {
			d.Default()
		}
		r.SetVersion(version)
		fill(w, r, p)
		return r
	}
}

// id is a topic's id; for a topic that does not exist, one that no topic has.
func (w *world) id(topic string) [16]byte {
	if id, ok := w.topics[topic]; ok {
		return id
	}
	return [16]byte{0xff, byte(len(topic)), 1}
}

// requests are those of every API that is enforced, by key.
var requests = map[int16][]request{
	0: {set(func(w *world, r *kmsg.ProduceRequest, p pick) {
		r.Acks, r.TimeoutMillis = -1, 10_000
		produce(w, r, p)
	}), set(func(w *world, r *kmsg.ProduceRequest, p pick) {
		r.Acks, r.TimeoutMillis = -1, 10_000
		if r.Version >= 3 {
			r.TransactionID = &p.id
		}
		produce(w, r, p)
	})},
	1: {set(func(w *world, r *kmsg.FetchRequest, p pick) {
		r.ReplicaID, r.MaxWaitMillis, r.MaxBytes, r.SessionEpoch = -1, 1, 1<<20, -1
		for _, name := range p.topics {
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = name, w.id(name)
			for _, n := range p.parts {
				part := kmsg.NewFetchRequestTopicPartition()
				part.Partition, part.PartitionMaxBytes = n, 1<<20
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	2: {set(func(_ *world, r *kmsg.ListOffsetsRequest, p pick) {
		r.ReplicaID = -1
		for _, name := range p.topics {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = name
			for _, n := range p.parts {
				part := kmsg.NewListOffsetsRequestTopicPartition()
				part.Partition, part.Timestamp, part.MaxNumOffsets = n, -1, 1
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	3: {set(func(_ *world, r *kmsg.MetadataRequest, p pick) {
		r.Topics = []kmsg.MetadataRequestTopic{}
		for _, name := range p.topics {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = &name
			r.Topics = append(r.Topics, t)
		}
		if p.all {
			r.Topics = nil
		}
	}), set(func(w *world, r *kmsg.MetadataRequest, p pick) {
		r.Topics = []kmsg.MetadataRequestTopic{}
		for _, name := range p.topics {
			t := kmsg.NewMetadataRequestTopic()
			if t.Topic = &name; r.Version >= 12 {
				t.Topic, t.TopicID = nil, w.id(name)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	8: {set(func(w *world, r *kmsg.OffsetCommitRequest, p pick) {
		r.Group, r.Generation = p.group, -1
		for _, name := range p.topics {
			t := kmsg.NewOffsetCommitRequestTopic()
			t.Topic, t.TopicID = name, w.id(name)
			for _, n := range p.parts {
				part := kmsg.NewOffsetCommitRequestTopicPartition()
				part.Partition = n
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	9: {set(func(w *world, r *kmsg.OffsetFetchRequest, p pick) {
		r.Group = p.group
		for _, name := range p.topics {
			t := kmsg.NewOffsetFetchRequestTopic()
			t.Topic, t.Partitions = name, p.parts
			r.Topics = append(r.Topics, t)
		}
		for _, group := range p.groups {
			g := kmsg.NewOffsetFetchRequestGroup()
			g.Group = group
			for _, name := range p.topics {
				t := kmsg.NewOffsetFetchRequestGroupTopic()
				t.Topic, t.TopicID, t.Partitions = name, w.id(name), p.parts
				g.Topics = append(g.Topics, t)
			}
			if p.all {
				g.Topics = nil
			}
			r.Groups = append(r.Groups, g)
		}
		if p.all && r.Version >= 2 {
			r.Topics = nil
		}
	})},
	10: {set(func(_ *world, r *kmsg.FindCoordinatorRequest, p pick) {
		r.CoordinatorKey, r.CoordinatorKeys = p.group, p.groups
	}), set(func(_ *world, r *kmsg.FindCoordinatorRequest, p pick) {
		r.CoordinatorKey, r.CoordinatorKeys = p.group, p.groups
		if r.Version >= 1 {
			r.CoordinatorKey, r.CoordinatorType, r.CoordinatorKeys = p.id, 1, p.ids
		}
	})},
	11: {set(func(_ *world, r *kmsg.JoinGroupRequest, p pick) { // with a time-out that is refused: nobody shall wait
		r.Group, r.SessionTimeoutMillis, r.RebalanceTimeoutMillis, r.ProtocolType = p.group, 1, 1, "consumer"
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name = "range"
		r.Protocols = append(r.Protocols, protocol)
	})},
	12: {set(func(_ *world, r *kmsg.HeartbeatRequest, p pick) { r.Group, r.MemberID = p.group, "nobody" })},
	13: {set(func(_ *world, r *kmsg.LeaveGroupRequest, p pick) {
		r.Group, r.MemberID = p.group, "nobody"
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = "nobody"
		r.Members = append(r.Members, member)
	})},
	14: {set(func(_ *world, r *kmsg.SyncGroupRequest, p pick) {
		r.Group, r.MemberID = p.group, "nobody"
		r.ProtocolType, r.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	})},
	15: {set(func(_ *world, r *kmsg.DescribeGroupsRequest, p pick) { r.Groups = p.groups })},
	16: {set(func(_ *world, _ *kmsg.ListGroupsRequest, _ pick) {})},
	19: {set(func(_ *world, r *kmsg.CreateTopicsRequest, p pick) {
		r.TimeoutMillis, r.ValidateOnly = 1000, true // creates_test.go creates some
		for _, name := range p.topics {
			t := kmsg.NewCreateTopicsRequestTopic()
			t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
			r.Topics = append(r.Topics, t)
		}
	})},
	20: {set(func(_ *world, r *kmsg.DeleteTopicsRequest, p pick) {
		r.TimeoutMillis, r.TopicNames = 1000, p.topics
		for _, name := range p.topics {
			t := kmsg.NewDeleteTopicsRequestTopic()
			t.Topic = &name
			r.Topics = append(r.Topics, t)
		}
	})},
	21: {set(func(_ *world, r *kmsg.DeleteRecordsRequest, p pick) {
		r.TimeoutMillis = 1000
		for _, name := range p.topics {
			t := kmsg.NewDeleteRecordsRequestTopic()
			t.Topic = name
			for _, n := range p.parts {
				part := kmsg.NewDeleteRecordsRequestTopicPartition()
				part.Partition = n
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	22: {set(func(_ *world, r *kmsg.InitProducerIDRequest, p pick) {
		r.TransactionalID, r.TransactionTimeoutMillis = &p.id, 60_000
	}), set(func(_ *world, r *kmsg.InitProducerIDRequest, _ pick) { r.TransactionTimeoutMillis = 60_000 })},
	23: {set(func(_ *world, r *kmsg.OffsetForLeaderEpochRequest, p pick) {
		r.ReplicaID = -1
		for _, name := range p.topics {
			t := kmsg.NewOffsetForLeaderEpochRequestTopic()
			t.Topic = name
			for _, n := range p.parts {
				part := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
				part.Partition, part.CurrentLeaderEpoch = n, -1
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	24: {set(func(_ *world, r *kmsg.AddPartitionsToTxnRequest, p pick) {
		if r.Version > 3 {
			return
		}
		r.TransactionalID, r.ProducerID = p.id, 1<<40
		for _, name := range p.topics {
			t := kmsg.NewAddPartitionsToTxnRequestTopic()
			t.Topic, t.Partitions = name, p.parts
			r.Topics = append(r.Topics, t)
		}
	})},
	25: {set(func(_ *world, r *kmsg.AddOffsetsToTxnRequest, p pick) {
		r.TransactionalID, r.ProducerID, r.Group = p.id, 1<<40, p.group
	})},
	26: {set(func(_ *world, r *kmsg.EndTxnRequest, p pick) { r.TransactionalID, r.ProducerID = p.id, 1<<40 })},
	28: {set(func(_ *world, r *kmsg.TxnOffsetCommitRequest, p pick) {
		r.TransactionalID, r.ProducerID, r.Group, r.Generation = p.id, 1<<40, p.group, -1
		for _, name := range p.topics {
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = name
			for _, n := range p.parts {
				part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
				part.Partition = n
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	32: {set(func(w *world, r *kmsg.DescribeConfigsRequest, p pick) {
		add := func(kind kmsg.ConfigResourceType, name string) {
			resource := kmsg.NewDescribeConfigsRequestResource()
			resource.ResourceType, resource.ResourceName = kind, name
			r.Resources = append(r.Resources, resource)
		}
		for _, name := range p.topics {
			add(kmsg.ConfigResourceTypeTopic, name)
		}
		for _, group := range p.groups {
			if w.cluster.Version != kafkatest.Oldest { // which knows no such configurations, and fails the rest for it
				add(kmsg.ConfigResourceTypeGroupConfig, group)
			}
		}
		add(kmsg.ConfigResourceTypeBroker, "1")
	})},
	42: {set(func(_ *world, r *kmsg.DeleteGroupsRequest, p pick) {
		for _, group := range p.groups {
			r.Groups = append(r.Groups, group+".gone") // under the same rules, and not there
		}
	})},
	47: {set(func(_ *world, r *kmsg.OffsetDeleteRequest, p pick) {
		r.Group = p.group
		for _, name := range p.topics {
			t := kmsg.NewOffsetDeleteRequestTopic()
			t.Topic = name
			for _, n := range p.parts {
				part := kmsg.NewOffsetDeleteRequestTopicPartition()
				part.Partition = 7 + n // which have no offset
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	61: {set(func(_ *world, r *kmsg.DescribeProducersRequest, p pick) {
		for _, name := range p.topics {
			t := kmsg.NewDescribeProducersRequestTopic()
			t.Topic, t.Partitions = name, p.parts
			r.Topics = append(r.Topics, t)
		}
	})},
	65: {set(func(_ *world, r *kmsg.DescribeTransactionsRequest, p pick) { r.TransactionalIDs = p.ids })},
	66: {set(func(_ *world, r *kmsg.ListTransactionsRequest, _ pick) { r.DurationFilterMillis = -1 })},
	68: {set(func(_ *world, r *kmsg.ConsumerGroupHeartbeatRequest, p pick) {
		r.Group, r.MemberID, r.MemberEpoch, r.SubscribedTopicNames = p.group, "nobody", 7, p.topics
		r.RebalanceTimeoutMillis = -1
	})},
	69: {set(func(_ *world, r *kmsg.ConsumerGroupDescribeRequest, p pick) { r.Groups = p.groups })},
	75: {set(func(_ *world, r *kmsg.DescribeTopicPartitionsRequest, p pick) {
		r.ResponsePartitionLimit = 100
		if p.all {
			return
		}
		for _, name := range p.topics {
			t := kmsg.NewDescribeTopicPartitionsRequestTopic()
			t.Topic = name
			r.Topics = append(r.Topics, t)
		}
	})},
	76: {set(func(_ *world, r *kmsg.ShareGroupHeartbeatRequest, p pick) {
		r.GroupID, r.MemberID, r.MemberEpoch, r.SubscribedTopicNames = p.group, "nobody", 7, p.topics
	})},
	77: {set(func(_ *world, r *kmsg.ShareGroupDescribeRequest, p pick) { r.GroupIDs = p.groups })},
	78: {set(func(w *world, r *kmsg.ShareFetchRequest, p pick) {
		r.GroupID, r.MemberID, r.ShareSessionEpoch, r.MaxWaitMillis, r.MaxBytes = &p.group, kmsg.StringPtr(member()), 0, 1, 1<<20
		r.MaxRecords, r.BatchSize = 1, 1
		for _, name := range p.topics {
			t := kmsg.NewShareFetchRequestTopic()
			t.TopicID = w.id(name)
			for _, n := range p.there() {
				part := kmsg.NewShareFetchRequestTopicPartition()
				part.Partition = n
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	88: {set(func(_ *world, r *kmsg.StreamsGroupHeartbeatRequest, p pick) { // members that join are in streams_test.go
		r.Group, r.MemberID, r.MemberEpoch = p.group, "nobody", 7
		sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
		sub.SubtopologyID, sub.SourceTopics, sub.RepartitionSinkTopics = "0", p.topics[:len(p.topics)/2], p.topics[len(p.topics)/2:]
		r.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{sub}}
	}), set(func(_ *world, r *kmsg.StreamsGroupHeartbeatRequest, p pick) {
		r.Group, r.MemberID, r.MemberEpoch = p.group, "nobody", 7
	})},
	89: {set(func(_ *world, r *kmsg.StreamsGroupDescribeRequest, p pick) { r.Groups = p.groups })},
	90: {set(func(_ *world, r *kmsg.DescribeShareGroupOffsetsRequest, p pick) {
		for _, group := range p.groups {
			g := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
			g.GroupID = group
			for _, name := range p.topics {
				t := kmsg.NewDescribeShareGroupOffsetsRequestGroupTopic()
				t.Topic, t.Partitions = name, p.there()
				g.Topics = append(g.Topics, t)
			}
			if p.all {
				g.Topics = nil
			}
			r.Groups = append(r.Groups, g)
		}
	})},
	91: {set(func(_ *world, r *kmsg.AlterShareGroupOffsetsRequest, p pick) {
		r.GroupID = p.group + "." + member()
		for _, name := range p.topics {
			t := kmsg.NewAlterShareGroupOffsetsRequestTopic()
			t.Topic = name
			for _, n := range p.there() { // a broker waits for the state of others
				part := kmsg.NewAlterShareGroupOffsetsRequestTopicPartition()
				part.Partition = n
				t.Partitions = append(t.Partitions, part)
			}
			r.Topics = append(r.Topics, t)
		}
	})},
	92: {set(func(_ *world, r *kmsg.DeleteShareGroupOffsetsRequest, p pick) {
		r.GroupID = p.group + "." + member()
		for _, name := range p.topics {
			t := kmsg.NewDeleteShareGroupOffsetsRequestTopic()
			t.Topic = name
			r.Topics = append(r.Topics, t)
		}
	})},
}

func produce(w *world, r *kmsg.ProduceRequest, p pick) {
	for _, name := range p.topics {
		t := kmsg.NewProduceRequestTopic()
		t.Topic, t.TopicID = name, w.id(name)
		for _, n := range p.parts {
			part := kmsg.NewProduceRequestTopicPartition()
			part.Partition, part.Records = n, kafkatest.Batch("x", r.TransactionID != nil)
			t.Partitions = append(t.Partitions, part)
		}
		r.Topics = append(r.Topics, t)
	}
}

var (
	members atomic.Int64
	process = rand.Uint32() // so that a cluster may be used again
)

// member is a member id that nobody has had.
func member() string {
	n := members.Add(1)
	return fmt.Sprintf("%08x-0000-0000-%04d-%012d", process, n%10_000, n)
}
