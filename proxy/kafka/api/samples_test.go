package api_test

import "github.com/twmb/franz-go/pkg/kmsg"

// samples are requests as admin tools send them, by api key. They name a topic, a group and a broker that need not
// exist: rights are asked for first.
var samples = map[int16][]func(version int16) kmsg.Request{
	19: one(func(r *kmsg.CreateTopicsRequest) {
		for _, name := range []string{"orders", "payments"} {
			t := kmsg.NewCreateTopicsRequestTopic()
			t.Topic, t.NumPartitions, t.ReplicationFactor = name, 3, 1
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = "retention.ms", kmsg.StringPtr("1000")
			t.Configs = append(t.Configs, c)
			r.Topics = append(r.Topics, t)
		}
		r.TimeoutMillis = 1000
	}),
	20: one(func(r *kmsg.DeleteTopicsRequest) {
		r.TopicNames = []string{"orders"}
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = kmsg.StringPtr("orders")
		r.Topics = append(r.Topics, t)
		r.TimeoutMillis = 1000
	}),
	21: one(func(r *kmsg.DeleteRecordsRequest) {
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic = "orders"
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = 2, 7
		t.Partitions = append(t.Partitions, p, kmsg.NewDeleteRecordsRequestTopicPartition())
		r.Topics = append(r.Topics, t)
		r.TimeoutMillis = 1000
	}),
	29: one(func(r *kmsg.DescribeACLsRequest) {
		r.ResourceType, r.ResourcePatternType, r.Operation, r.PermissionType = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	}),
	30: one(func(r *kmsg.CreateACLsRequest) {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType, c.Principal, c.Host, c.Operation, c.PermissionType =
			kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLResourcePatternTypeLiteral, "User:bob", "*", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
		r.Creations = append(r.Creations, c, c)
	}),
	31: one(func(r *kmsg.DeleteACLsRequest) {
		f := kmsg.NewDeleteACLsRequestFilter()
		f.ResourceType, f.ResourcePatternType, f.Operation, f.PermissionType = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		r.Filters = append(r.Filters, f)
	}),
	32: one(func(r *kmsg.DescribeConfigsRequest) {
		for _, res := range resources {
			q := kmsg.NewDescribeConfigsRequestResource()
			q.ResourceType, q.ResourceName = res.kind, res.name
			r.Resources = append(r.Resources, q)
		}
	}),
	33: one(func(r *kmsg.AlterConfigsRequest) {
		for _, res := range resources {
			q := kmsg.NewAlterConfigsRequestResource()
			q.ResourceType, q.ResourceName = res.kind, res.name
			c := kmsg.NewAlterConfigsRequestResourceConfig()
			c.Name, c.Value = "retention.ms", kmsg.StringPtr("1000")
			q.Configs = append(q.Configs, c)
			r.Resources = append(r.Resources, q)
		}
	}),
	34: one(func(r *kmsg.AlterReplicaLogDirsRequest) {
		for _, name := range []string{"/a", "/b"} {
			d := kmsg.NewAlterReplicaLogDirsRequestDir()
			d.Dir = name
			t := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
			t.Topic, t.Partitions = "orders"+name[1:], []int32{0, 3}
			d.Topics = append(d.Topics, t)
			r.Dirs = append(r.Dirs, d)
		}
	}),
	35: one(func(r *kmsg.DescribeLogDirsRequest) {
		t := kmsg.NewDescribeLogDirsRequestTopic()
		t.Topic, t.Partitions = "orders", []int32{0}
		r.Topics = append(r.Topics, t)
	}),
	37: one(func(r *kmsg.CreatePartitionsRequest) {
		t := kmsg.NewCreatePartitionsRequestTopic()
		t.Topic, t.Count = "orders", 9
		r.Topics = append(r.Topics, t)
		r.TimeoutMillis = 1000
	}),
	38: one(func(r *kmsg.CreateDelegationTokenRequest) { r.MaxLifetimeMillis = 1000 }),
	39: one(func(r *kmsg.RenewDelegationTokenRequest) { r.HMAC, r.RenewTimeMillis = []byte("hmac"), 1000 }),
	40: one(func(r *kmsg.ExpireDelegationTokenRequest) { r.HMAC, r.ExpiryPeriodMillis = []byte("hmac"), 1000 }),
	41: one(func(*kmsg.DescribeDelegationTokenRequest) {}),
	43: {
		make1(func(r *kmsg.ElectLeadersRequest) {
			t := kmsg.NewElectLeadersRequestTopic()
			t.Topic, t.Partitions = "orders", []int32{0, 1}
			r.Topics = append(r.Topics, t)
		}),
		make1(func(r *kmsg.ElectLeadersRequest) { r.Topics = nil }),
	},
	44: one(func(r *kmsg.IncrementalAlterConfigsRequest) {
		for _, res := range resources {
			q := kmsg.NewIncrementalAlterConfigsRequestResource()
			q.ResourceType, q.ResourceName = res.kind, res.name
			c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			c.Name, c.Value = "retention.ms", kmsg.StringPtr("1000")
			q.Configs = append(q.Configs, c)
			r.Resources = append(r.Resources, q)
		}
	}),
	45: one(func(r *kmsg.AlterPartitionAssignmentsRequest) {
		t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		t.Topic = "orders"
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Replicas = []int32{1}
		t.Partitions = append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
	}),
	46: {
		make1(func(r *kmsg.ListPartitionReassignmentsRequest) {
			t := kmsg.NewListPartitionReassignmentsRequestTopic()
			t.Topic, t.Partitions = "orders", []int32{0, 1}
			r.Topics = append(r.Topics, t)
		}),
		make1(func(*kmsg.ListPartitionReassignmentsRequest) {}),
	},
	48: one(func(*kmsg.DescribeClientQuotasRequest) {}),
	49: one(func(r *kmsg.AlterClientQuotasRequest) {
		e := kmsg.NewAlterClientQuotasRequestEntry()
		entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
		entity.Type, entity.Name = "user", kmsg.StringPtr("bob")
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Value = "producer_byte_rate", 1e6
		e.Entity, e.Ops = append(e.Entity, entity), append(e.Ops, op)
		r.Entries = append(r.Entries, e)
	}),
	50: one(func(r *kmsg.DescribeUserSCRAMCredentialsRequest) { // without users, a broker never answers (4.3.1)
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = "alice"
		r.Users = append(r.Users, u)
	}),
	51: one(func(r *kmsg.AlterUserSCRAMCredentialsRequest) {
		d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
		d.Name, d.Mechanism = "alice", 1
		u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		u.Name, u.Mechanism, u.Iterations, u.Salt, u.SaltedPassword = "carol", 1, 4096, []byte("salt"), []byte("salted")
		r.Deletions, r.Upsertions = append(r.Deletions, d), append(r.Upsertions, u)
	}),
	55: one(func(r *kmsg.DescribeQuorumRequest) {
		t := kmsg.NewDescribeQuorumRequestTopic()
		t.Topic = "__cluster_metadata"
		t.Partitions = append(t.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
		r.Topics = append(r.Topics, t)
	}),
	57: one(func(r *kmsg.UpdateFeaturesRequest) {
		f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		f.Feature, f.MaxVersionLevel, f.UpgradeType = "transaction.version", 1, 1
		r.FeatureUpdates = append(r.FeatureUpdates, f)
	}),
	64: one(func(r *kmsg.UnregisterBrokerRequest) { r.BrokerID = 77 }),
	74: one(func(*kmsg.ListConfigResourcesRequest) {}),
	80: one(func(r *kmsg.AddRaftVoterRequest) { r.VoterID = 77 }),
	81: one(func(r *kmsg.RemoveRaftVoterRequest) { r.VoterID = 77 }),
	94: one(func(r *kmsg.UnregisterControllerRequest) { r.ControllerID = 77 }),
}

// resources are one of each kind that has configurations.
var resources = []struct {
	kind kmsg.ConfigResourceType
	name string
}{
	{kmsg.ConfigResourceTypeTopic, "orders"},
	{kmsg.ConfigResourceTypeBroker, "1"},
	{kmsg.ConfigResourceTypeBrokerLogger, "1"},
	{kmsg.ConfigResourceTypeClientMetrics, "metrics"},
	{kmsg.ConfigResourceTypeGroupConfig, "group"},
}

// make1 makes requests of a type: its defaults, its version, and then what set does.
func make1[T any, P interface {
	*T
	kmsg.Request
	Default()
}](set func(P)) func(int16) kmsg.Request {
	return func(version int16) kmsg.Request {
		r := P(new(T))
		r.Default()
		r.SetVersion(version)
		set(r)
		return r
	}
}

func one[T any, P interface {
	*T
	kmsg.Request
	Default()
}](set func(P)) []func(int16) kmsg.Request {
	return []func(int16) kmsg.Request{make1[T, P](set)}
}
