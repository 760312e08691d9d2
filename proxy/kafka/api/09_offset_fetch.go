package api

// OffsetFetch: v0 and v1 have no place for an error but the partitions, v2 to v7 say it once at the top, and from v8 on
// each group has its own.
func init() {
	special[9] = form{
		items:  pairs{"Groups": "Groups", "Topics": "Topics", "Topics.Partitions": "PartitionIndexes"},
		fields: pairs{"Topics.Partitions.PartitionIndex": "PartitionIndexes"},
		values: pairs{"Topics.Partitions.CommittedOffset": "-1"},
		adapt: func(f *form, version int16, _ item) {
			if version >= 2 {
				f.items = pairs{"Groups": "Groups"}
			}
		},
	}
}
