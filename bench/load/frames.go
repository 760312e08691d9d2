package load

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Versions of the frames: what the newest Java client sends, topic ids and all.
const (
	produceVersion     = 13
	fetchVersion       = 18
	listOffsetsVersion = 10
)

// RecordSize is the size of a record's value in bytes.
const RecordSize = 1024

// recordsPerBatch makes a batch of almost the megabyte that a broker accepts (message.max.bytes, 1048588).
const recordsPerBatch = 1000

// acksTimeout is what a produce request gives the broker.
const acksTimeout = 30 * time.Second

// Topic is where frames go. Names do not appear in the newest Produce and Fetch.
type Topic struct {
	Name       string
	ID         [16]byte
	Partitions int32
}

// batch encodes records that do not compress.
func batch() []byte {
	random := rand.NewChaCha8([32]byte{1})
	value := make([]byte, RecordSize)
	var records []byte
	for i := range recordsPerBatch {
		_, _ = random.Read(value)
		record := kmsg.NewRecord()
		record.OffsetDelta, record.Value = int32(i), value
		// The length, itself a varint, is not in the length.
		record.Length = int32(len(record.AppendTo(nil)) - 1)
		records = record.AppendTo(records)
	}
	b := kmsg.NewRecordBatch()
	b.PartitionLeaderEpoch, b.Magic = -1, 2
	b.LastOffsetDelta, b.NumRecords = recordsPerBatch-1, recordsPerBatch
	b.FirstTimestamp, b.MaxTimestamp = time.Now().UnixMilli(), time.Now().UnixMilli()
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = -1, -1, -1
	b.Records = records
	encoded := b.AppendTo(nil)
	binary.BigEndian.PutUint32(encoded[8:], uint32(len(encoded)-12))                                          // all after it
	binary.BigEndian.PutUint32(encoded[17:], crc32.Checksum(encoded[21:], crc32.MakeTable(crc32.Castagnoli))) // from the attributes
	return encoded
}

// produce is a request that appends a batch to a partition and is answered by the leader (acks=1).
func produce(topic Topic, partition int32, batch []byte) *kmsg.ProduceRequest {
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t := kmsg.NewProduceRequestTopic()
	t.TopicID, t.Partitions = topic.ID, append(t.Partitions, p)
	request := kmsg.NewPtrProduceRequest()
	request.Version, request.Acks, request.TimeoutMillis = produceVersion, 1, int32(acksTimeout.Milliseconds())
	request.Topics = append(request.Topics, t)
	return request
}

// fetch is a request, outside of any session, for the batch at an offset.
func fetch(topic Topic, partition int32, offset int64, size int32) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, size
	t := kmsg.NewFetchRequestTopic()
	t.TopicID, t.Partitions = topic.ID, append(t.Partitions, p)
	request := kmsg.NewPtrFetchRequest()
	request.Version, request.MaxWaitMillis, request.MinBytes, request.MaxBytes = fetchVersion, 500, 1, size
	request.SessionID, request.SessionEpoch = 0, -1
	request.Topics = append(request.Topics, t)
	return request
}

// ListOffsets asks where a partition ends: a small request that only the broker can answer.
func ListOffsets(topic Topic) *kmsg.ListOffsetsRequest {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.CurrentLeaderEpoch, p.Timestamp = -1, -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = topic.Name, append(t.Partitions, p)
	request := kmsg.NewPtrListOffsetsRequest()
	request.Version, request.ReplicaID = listOffsetsVersion, -1
	request.Topics = append(request.Topics, t)
	return request
}
