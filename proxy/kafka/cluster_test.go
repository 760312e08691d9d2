package kafka

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

func TestAClusterThatHasMovedAwayIsLookedForWhereTheSettingsSay(t *testing.T) {
	c := newCluster(nil, []string{"seed:1", "two:1"}, zap.NewNop(), nil)
	brokers := map[int32]string{1: "one:1", 2: "two:1", 3: "three:1"}
	c.seen.Store(&view{brokers: brokers, of: map[int32]*versions{3: {}}})
	if got, want := c.seeds(), []string{"three:1", "seed:1", "two:1", "one:1"}; !slices.Equal(got, want) {
		t.Errorf("seeds are %v, want %v", got, want)
	}
}

func TestNoNewsIsNotPublished(t *testing.T) {
	c := newCluster(nil, nil, zap.NewNop(), nil)
	told := func() *versions {
		return learnVersions(answerOf(3, map[int16]span{keyProduce: {0, 12}}))
	}
	c.learn(t.Context(), 1, told())
	before := c.seen.Load()
	c.learn(t.Context(), 1, told())
	c.learn(t.Context(), 2, nil)
	if c.seen.Load() != before {
		t.Error("what was known already is published again")
	}
	newer := told()
	newer.epoch++
	c.learn(t.Context(), 1, newer)
	if after := c.seen.Load(); after.common.epoch != 4 {
		t.Errorf("finalized features of epoch %d", after.common.epoch)
	}
	c.learn(t.Context(), 1, nil)
	if after := c.seen.Load(); after.common != nil {
		t.Error("a broker that answers no longer is still reckoned with")
	}
}

func TestWhatAClusterSaysOfItsBrokersIsBounded(t *testing.T) {
	many := func(n int) *kmsg.MetadataResponse {
		r := kmsg.NewPtrMetadataResponse()
		for id := range n {
			r.Brokers = append(r.Brokers, kmsg.MetadataResponseBroker{NodeID: int32(id), Host: fmt.Sprint("broker-", id), Port: 9092})
		}
		return r
	}
	with := func(change func(*kmsg.MetadataResponseBroker)) *kmsg.MetadataResponse {
		r := many(3)
		change(&r.Brokers[1])
		return r
	}
	for name, c := range map[string]struct {
		answer *kmsg.MetadataResponse
		ok     bool
	}{
		"three":              {many(3), true},
		"as many as served":  {many(maxBrokers), true},
		"one more":           {many(maxBrokers + 1), false},
		"a hundred thousand": {many(100_000), false},
		"none":               {many(0), false},
		"a negative id":      {with(func(b *kmsg.MetadataResponseBroker) { b.NodeID = -1 }), false},
		"no host":            {with(func(b *kmsg.MetadataResponseBroker) { b.Host = "" }), false},
		"no port":            {with(func(b *kmsg.MetadataResponseBroker) { b.Port = 0 }), false},
		"a port too high":    {with(func(b *kmsg.MetadataResponseBroker) { b.Port = 65536 }), false},
	} {
		brokers, err := addressesOf(c.answer)
		if (err == nil) != c.ok || c.ok && len(brokers) != len(c.answer.Brokers) {
			t.Errorf("%s: %d brokers, %v", name, len(brokers), err)
		}
	}
}
