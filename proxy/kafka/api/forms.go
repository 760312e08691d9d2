package api

// pairs is short for a map in the tables below.
type pairs = map[string]string

// topics is the shape that most requests and responses about partitions share.
var topics = pairs{"Topics": "Topics", "Topics.Partitions": "Partitions"}

// forms are the error responses of APIs, by key, as Apache Kafka's request classes build them (getErrorResponse). Those
// that take more than a table are in numbered files.
var forms = [size]form{
	0: {
		items:  pairs{"Responses": "TopicData", "Responses.PartitionResponses": "PartitionData"},
		values: pairs{"Responses.PartitionResponses.BaseOffset": "-1"},
		silent: func(top item) bool { return top.int("Acks") == 0 },
	},
	2: {
		items:  topics,
		values: pairs{"Topics.Partitions.Timestamp": "-1", "Topics.Partitions.Offset": "-1"},
	},
	3: {items: pairs{"Topics": "Topics"}},
	8: {items: topics},
	10: {
		items:  pairs{"Coordinators": "CoordinatorKeys"},
		fields: pairs{"Coordinators.Key": "CoordinatorKeys"},
		values: pairs{
			"NodeId": "-1", "Port": "-1", "Coordinators.NodeId": "-1", "Coordinators.Port": "-1",
		},
	},
	11: {values: pairs{"ProtocolName": "null"}},
	15: {items: pairs{"Groups": "Groups"}, fields: pairs{"Groups.GroupId": "Groups"}},
	19: {
		items: pairs{"Topics": "Topics"}, deny: codeTopicAuthorizationFailed,
		values: pairs{"Topics.NumPartitions": "-1", "Topics.ReplicationFactor": "-1"},
	},
	21: {
		items: topics, deny: codeTopicAuthorizationFailed,
		values: pairs{"Topics.Partitions.LowWatermark": "-1"},
	},
	22: {values: pairs{"ProducerId": "-1", "ProducerEpoch": "-1"}},
	23: {items: topics, values: pairs{"Topics.Partitions.LeaderEpoch": "-1", "Topics.Partitions.EndOffset": "-1"}},
	24: {
		items: pairs{
			"ResultsByTopicV3AndBelow":                    "V3AndBelowTopics",
			"ResultsByTopicV3AndBelow.ResultsByPartition": "Partitions",
		},
		fields: pairs{"ResultsByTopicV3AndBelow.ResultsByPartition.PartitionIndex": "Partitions"},
	},
	28: {items: topics},
	30: {items: pairs{"Results": "Creations"}},
	31: {items: pairs{"FilterResults": "Filters"}},
	37: {items: pairs{"Results": "Topics"}, deny: codeTopicAuthorizationFailed},
	38: {values: pairs{
		"PrincipalType": "User", "TokenRequesterPrincipalType": "User",
		"IssueTimestampMs": "-1", "ExpiryTimestampMs": "-1", "MaxTimestampMs": "-1",
	}},
	39: {denyValues: pairs{"ExpiryTimestampMs": "-1"}},
	40: {denyValues: pairs{"ExpiryTimestampMs": "-1"}},
	42: {items: pairs{"Results": "GroupsNames"}, fields: pairs{"Results.GroupId": "GroupsNames"}},
	43: {
		items: pairs{
			"ReplicaElectionResults":                 "TopicPartitions",
			"ReplicaElectionResults.PartitionResult": "Partitions",
		},
		fields: pairs{"ReplicaElectionResults.PartitionResult.PartitionId": "Partitions"},
	},
	44: {items: pairs{"Responses": "Resources"}, denyItem: denyConfig},
	45: {items: pairs{"Responses": "Topics", "Responses.Partitions": "Partitions"}},
	46: {items: pairs{"Topics": "Topics", "Topics.Partitions": "PartitionIndexes"},
		fields: pairs{"Topics.Partitions.PartitionIndex": "PartitionIndexes"}},
	48: {values: pairs{"Entries": "null"}},
	49: {items: pairs{"Entries": "Entries", "Entries.Entity": "Entity"}},
	50: {items: pairs{"Results": "Users"}},
	61: {
		items:  pairs{"Topics": "Topics", "Topics.Partitions": "PartitionIndexes"},
		fields: pairs{"Topics.Partitions.PartitionIndex": "PartitionIndexes"},
	},
	65: {
		items:  pairs{"TransactionStates": "TransactionalIds"},
		fields: pairs{"TransactionStates.TransactionalId": "TransactionalIds"},
	},
	69: {items: pairs{"Groups": "GroupIds"}, fields: pairs{"Groups.GroupId": "GroupIds"}},
	75: {items: pairs{"Topics": "Topics"}},
	77: {items: pairs{"Groups": "GroupIds"}, fields: pairs{"Groups.GroupId": "GroupIds"}},
	89: {items: pairs{"Groups": "GroupIds"}, fields: pairs{"Groups.GroupId": "GroupIds"}},
	90: {items: pairs{"Groups": "Groups"}},
}

// special are the forms of the numbered files, by api key.
var special = map[int16]form{}
