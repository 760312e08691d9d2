package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

func TestWhatClientsMayDoPasses(t *testing.T) {
	c := shared.Get(t)
	g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext))})
	client := func(options ...kgo.Opt) *kgo.Client { return g.client(t, "secure", alice, options...) }
	roundTrip := func(t *testing.T, name string, producing, consuming []kgo.Opt) (group string) {
		t.Helper()
		topic := topicOf(t, c, name)
		values := numbered(name, 30)
		produce(t, client(producing...), topic, values...)
		consumer := client(append(consuming, kgo.ConsumerGroup("alice-"+topic), kgo.ConsumeTopics(topic),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		consume(t, consumer, values)
		if err := consumer.CommitUncommittedOffsets(within(t)); err != nil {
			t.Errorf("commit: %v", err)
		}
		return "alice-" + topic
	}

	t.Run("a consumer group of KIP-848", func(t *testing.T) {
		group := roundTrip(t, "kip-848", nil, []kgo.Opt{kgo.ServerSideBalancer()})
		request := kmsg.NewPtrConsumerGroupDescribeRequest()
		request.Groups = append(request.Groups, group)
		response, err := request.RequestWith(within(t), client())
		if err != nil || response.Groups[0].ErrorCode != 0 || len(response.Groups[0].Members) != 1 {
			t.Errorf("%+v, %v; want a group of the new protocol with one member", response, err)
		}
	})
	t.Run("a share group", func(t *testing.T) { shares(t, c, client) })
	t.Run("every compression", func(t *testing.T) {
		for name, codec := range map[string]kgo.CompressionCodec{
			"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
			"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
		} {
			roundTrip(t, name, []kgo.Opt{kgo.ProducerBatchCompression(codec)}, nil)
		}
	})
	t.Run("a client from before 2019", func(t *testing.T) {
		old := kgo.MaxVersions(kversion.V2_1_0()) // the oldest that Kafka 4 still serves
		roundTrip(t, "old", []kgo.Opt{old}, []kgo.Opt{old})
		transaction(t, g, "secure", c, old)
	})
	t.Run("client telemetry", func(t *testing.T) {
		response := g.raw(t, "secure", alice).ask(kmsg.NewPtrGetTelemetrySubscriptionsRequest()).(*kmsg.GetTelemetrySubscriptionsResponse)
		if response.ErrorCode != 0 || response.ClientInstanceID == [16]byte{} {
			t.Errorf("%+v, want an id for the client", response)
		}
	})
	t.Run("the lowest version of everything that passes", func(t *testing.T) { lowest(t, g, c) })
}

// lowest asks every API that passes in the lowest version that is offered, empty as far as can be: the gateway has to
// answer what a broker answers, and to close where it closes.
func lowest(t *testing.T, g *gateway, c *kafkatest.Cluster) {
	offered := g.raw(t, "secure", alice).offered()
	answered := 0
	for _, key := range slices.Sorted(maps.Keys(offered)) {
		switch api.Of(key).Class {
		case api.Pass:
		default:
			continue
		}
		switch kmsg.Key(key) {
		case kmsg.SASLHandshake, kmsg.SASLAuthenticate, kmsg.ApiVersions: // the gateway's own
			continue
		case kmsg.Produce: // brokers list versions that they cannot read (KAFKA-18659)
			continue
		}
		outcome := func(r *raw) string {
			request := kmsg.RequestForKey(key)
			request.SetVersion(offered[key].MinVersion)
			r.send(request)
			response, err := r.answer(key, request.GetVersion())
			switch {
			case errors.Is(err, io.EOF):
				return "closed"
			case err != nil:
				return err.Error()
			}
			return fmt.Sprintf("answered with a %T", response)
		}
		through := outcome(g.raw(t, "secure", alice))
		direct := outcome(dialRaw(t, c.Addresses(kafkatest.Plaintext)[0], nil))
		if through != direct {
			t.Errorf("%s v%d is %s by the gateway, and %s by a broker", api.Of(key).Name(), offered[key].MinVersion, through, direct)
		}
		if through != "closed" {
			answered++
		}
	}
	if answered < 20 {
		t.Errorf("only %d APIs were answered", answered)
	}
}
