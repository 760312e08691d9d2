package api

// AlterReplicaLogDirs: the request names topics under each directory, the response has them in one list.
func init() {
	special[34] = form{
		gather: map[string]func(item) []item{"Results": func(top item) (topics []item) {
			top.each("Dirs", func(dir item) {
				dir.each("Topics", func(topic item) { topics = append(topics, topic) })
			})
			return topics
		}},
		items:  pairs{"Results.Partitions": "Partitions"},
		fields: pairs{"Results.TopicName": "Name", "Results.Partitions.PartitionIndex": "Partitions"},
	}
}
