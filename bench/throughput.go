package main

import (
	"context"
	"errors"
	"time"

	"github.com/asyncgate/asyncgate/bench/load"
	"github.com/asyncgate/asyncgate/bench/rig"
)

// mib is what is called MB here, as Kafka's tools do.
const mib = 1 << 20

// pace is the fixed throughput at which latency is measured: 25 MB a second.
const pace = 25 * mib / load.RecordSize

func javaProduce(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	return b.producing(ctx, w, func(topic load.Topic) ([]figure, error) {
		rate, _, err := b.java(w).Produce(ctx, topic.Name, b.size.records, b.size.warm, -1)
		return []figure{{rowJavaProduce, rate}}, err
	})
}

func latency(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	return b.producing(ctx, w, func(topic load.Topic) ([]figure, error) {
		records := int(b.size.latency.Seconds() * pace)
		_, took, err := b.java(w).Produce(ctx, topic.Name, records, records/2, pace)
		return []figure{
			{rowLatency, took.Average},
			{rowLatency50, float64(took.P50.Milliseconds())},
			{rowLatency99, float64(took.P99.Milliseconds())},
		}, err
	})
}

func javaConsume(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	return underLoad(w, func() ([]figure, error) {
		rate, err := b.java(w).Consume(ctx, b.consume.Name, load.Records(b.consume, b.size.batches))
		return []figure{{rowJavaConsume, rate}}, err
	})
}

func rawProduce(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	return b.producing(ctx, w, func(topic load.Topic) ([]figure, error) {
		return perGB(w, rowRawProduce, rowRawProduceCPU, func() (load.Moved, error) {
			return load.Produce(ctx, w.target, topic, b.size.bytes)
		})
	})
}

func rawFetch(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	return underLoad(w, func() ([]figure, error) {
		return perGB(w, rowRawFetch, rowRawFetchCPU, func() (load.Moved, error) {
			return load.Fetch(ctx, w.target, b.consume, b.size.batches, b.size.bytes)
		})
	})
}

func roundTrip(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	took, err := load.RoundTrip(ctx, w.target, load.ListOffsets(b.consume), b.size.trips)
	return []figure{{rowRoundTrip, float64(took) / float64(time.Millisecond)}}, err
}

// producing does work with a topic of its own.
func (b *bench) producing(ctx context.Context, w way, work func(load.Topic) ([]figure, error)) ([]figure, error) {
	topic, err := b.emptyTopic(ctx, partitions)
	if err != nil {
		return nil, err
	}
	figures, err := underLoad(w, func() ([]figure, error) { return work(topic) })
	return figures, errors.Join(err, b.rig.Broker.DeleteTopic(ctx, topic.Name))
}

// perGB does work and also tells the processor time that the proxy used for it.
func perGB(w way, rate, cpu string, work func() (load.Moved, error)) ([]figure, error) {
	if w.process == nil {
		moved, err := work()
		return []figure{{rate, moved.Rate() / mib}}, err
	}
	before, err := w.process.CPU()
	if err != nil {
		return nil, err
	}
	moved, err := work()
	if err != nil {
		return nil, err
	}
	after, err := w.process.CPU()
	return []figure{{rate, moved.Rate() / mib}, {cpu, (after - before).Seconds() / (float64(moved.Bytes) / (mib << 10))}}, err
}

// watchInterval is how often memory is looked at under load.
const watchInterval = 50 * time.Millisecond

// underLoad does work and also tells the most memory that the proxy had meanwhile.
func underLoad(w way, work func() ([]figure, error)) ([]figure, error) {
	return underLoadOf(w, rowLoadMemory, work)
}

// underLoadOf is underLoad for another row.
func underLoadOf(w way, row string, work func() ([]figure, error)) ([]figure, error) {
	if w.process == nil {
		return work()
	}
	stop, most := make(chan struct{}), make(chan float64)
	go func() { most <- watch(w.process, stop) }()
	figures, err := work()
	close(stop)
	return append(figures, figure{row, <-most / mib}), err
}

// watch returns the most memory that a process has until it is stopped, in bytes.
func watch(p *rig.Process, stop <-chan struct{}) float64 {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	var most int64
	for {
		resident, err := p.Resident()
		if err == nil {
			most = max(most, resident)
		}
		select {
		case <-stop:
			return float64(most)
		case <-ticker.C:
		}
	}
}
