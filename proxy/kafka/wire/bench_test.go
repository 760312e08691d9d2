package wire_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

func BenchmarkRequestHeader(b *testing.B) {
	frame := wire.AppendRequestHeader(nil, 1, 16, 42, "some client")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := wire.ParseRequestHeader(frame); err != nil {
			b.Fatal(err)
		}
	}
}

// fetch is the request of a consumer of 10 topics with 10 partitions each, by id.
func fetch() []byte {
	m := kmsg.NewPtrFetchRequest()
	m.Version = 16
	for range 10 {
		t := kmsg.NewFetchRequestTopic()
		for i := range int32(10) {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition = i
			t.Partitions = append(t.Partitions, p)
		}
		m.Topics = append(m.Topics, t)
	}
	return m.AppendTo(nil)
}

func BenchmarkCheckFetchRequest(b *testing.B) {
	body := fetch()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := wire.CheckRequest(1, 16, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWalkFetchRequest(b *testing.B) {
	body := fetch()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		partitions := 0
		if err := wire.WalkRequest(1, 16, body, func(f *wire.Field, _ wire.Value) bool {
			if f.Path == "Topics.Partitions.Partition" {
				partitions++
			}
			return true
		}); err != nil || partitions != 100 {
			b.Fatal(err, partitions)
		}
	}
}

// metadata is the response of a cluster of 3 brokers and 100 topics with 10 partitions each.
func metadata() []byte {
	m := kmsg.NewPtrMetadataResponse()
	m.Version = 12
	for id := range int32(3) {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = id, "kafka.example.org", 9092
		m.Brokers = append(m.Brokers, b)
	}
	name := "some.topic.of.usual.length"
	for range 100 {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = &name
		for i := range int32(10) {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Replicas, p.ISR = i, []int32{0, 1, 2}, []int32{0, 1, 2}
			t.Partitions = append(t.Partitions, p)
		}
		m.Topics = append(m.Topics, t)
	}
	return m.AppendTo(nil)
}

func BenchmarkCheckMetadataResponse(b *testing.B) {
	body := metadata()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := wire.CheckResponse(3, 12, body); err != nil {
			b.Fatal(err)
		}
	}
}

// The usual cluster is no bomb.
func TestUsualMessagesAreDecoded(t *testing.T) {
	if _, err := wire.DecodeResponse(3, 12, metadata()); err != nil {
		t.Error(err)
	}
	if _, err := wire.DecodeRequest(1, 16, fetch()); err != nil {
		t.Error(err)
	}
}
