package kafkatest

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Batch is a record batch of the one format there is (version 2), with one record. One of a transaction has a producer id
// that no broker has given.
func Batch(value string, transactional bool) []byte {
	record := kmsg.NewRecord()
	record.Value = []byte(value)
	body := record.AppendTo(nil)[1:] // without the length, which is one byte as long as the record is short
	record.Length = int32(len(body))
	now := time.Now().UnixMilli()
	b := kmsg.NewRecordBatch()
	b.PartitionLeaderEpoch, b.Magic = -1, 2
	b.FirstTimestamp, b.MaxTimestamp = now, now
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = -1, -1, -1
	if transactional {
		const bit = 1 << 4
		b.Attributes, b.ProducerID, b.ProducerEpoch, b.FirstSequence = bit, 1<<40, 0, 0
	}
	b.NumRecords, b.Records = 1, record.AppendTo(nil)
	whole := b.AppendTo(nil)
	const head, checked = 12, 21 // what Length does not count, and where the checksum's bytes begin
	binary.BigEndian.PutUint32(whole[8:], uint32(len(whole)-head))
	binary.BigEndian.PutUint32(whole[17:], crc32.Checksum(whole[checked:], crc32.MakeTable(crc32.Castagnoli)))
	return whole
}
