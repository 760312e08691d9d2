package api

// Fetch: up to v12 each partition has the error, and from v7 on the top too; where topics have ids (v13) the top alone.
func init() {
	special[keyFetch] = form{
		items:  pairs{"Responses": "Topics", "Responses.Partitions": "Partitions"},
		fields: pairs{"SessionId": "SessionId", "Responses.Partitions.PartitionIndex": "Partition"},
		values: pairs{"Responses.Partitions.HighWatermark": "-1", "Responses.Partitions.LogStartOffset": "-1"},
		adapt: func(f *form, version int16, _ item) {
			if version >= 13 {
				f.items = nil
			}
		},
	}
}
