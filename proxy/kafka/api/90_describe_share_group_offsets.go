package api

import "github.com/asyncgate/asyncgate/policy"

// DescribeShareGroupOffsets: groups with topics of their own; null topics are all.
func init() {
	asks[90] = ask{special: shareGroupOffsets, items: "Groups", mute: true, says: "describe the groups and their topics"}
}

func shareGroupOffsets(q *asking) (Verdict, error) {
	f := form{
		items:  pairs{"Groups.Topics.Partitions": "Partitions"},
		fields: pairs{"Groups.Topics.Partitions.PartitionIndex": "Partitions"},
		values: pairs{"Groups.Topics.Partitions.StartOffset": "-1"},
	}
	return q.groups(seeGroup, topicTo(policy.Describe, "TopicName"), f)
}
