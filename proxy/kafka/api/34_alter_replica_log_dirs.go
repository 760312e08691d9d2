package api

// AlterReplicaLogDirs: the request names topics under each directory, the response has them in one list.
func init() {
	special[34] = form{
		gather: map[string]func(item, func(item)){"Results": func(top item, do func(item)) {
			top.each("Dirs", func(dir item) { dir.each("Topics", do) })
		}},
		items:  pairs{"Results.Partitions": "Partitions"},
		fields: pairs{"Results.TopicName": "Name", "Results.Partitions.PartitionIndex": "Partitions"},
	}
}
