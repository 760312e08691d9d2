package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/bench/load"
	"github.com/asyncgate/asyncgate/bench/rig"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// measureTimeout bounds one measurement of one column.
const measureTimeout = 2 * time.Minute

// disturbance is the share of the processors at which a measurement was not alone on the machine.
const disturbance = 0.05

// bench is the rig, ready to be measured.
type bench struct {
	rig      *rig.Rig
	size     size
	tls      *tls.Config
	login    map[string]*load.Login // by mechanism
	ways     map[string]way         // to Kafka, by column
	mqttWays map[string]way         // to Mosquitto, by column
	consume  load.Topic             // filled with size.batches a partition
	topics   int                    // made so far
	log      io.Writer

	elsewhere []float64 // share of the processors that each measurement did not have
}

// partitions is how many connections the raw loader uses, each with a partition of its own.
const partitions = 2

// prepare fills the topic that is consumed and fetched.
func prepare(ctx context.Context, r *rig.Rig, s size, log io.Writer) (*bench, error) {
	b := &bench{rig: r, size: s, login: map[string]*load.Login{}, log: log}
	var err error
	if b.tls, err = r.TLS(); err != nil {
		return nil, err
	}
	if r.MQTT != nil {
		b.mqttWays = b.makeMQTTWays()
	}
	if r.Broker == nil {
		return b, nil
	}
	for _, mechanism := range []string{scram256, plain} {
		if b.login[mechanism], err = load.NewLogin(mechanism, rig.User, kafkatest.Password(rig.User)); err != nil {
			return nil, err
		}
	}
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	if b.login[bearer], err = load.NewLogin(bearer, rig.User, token); err != nil {
		return nil, err
	}
	if b.ways, err = b.makeWays(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	b.consume = load.Topic{Name: "consume", Partitions: partitions}
	if b.consume.ID, err = r.Broker.CreateTopic(ctx, b.consume.Name, partitions); err != nil {
		return nil, err
	}
	return b, load.Fill(ctx, b.ways[direct].target, b.consume, s.batches)
}

// warm lets Java compile the broker's code: direct connections are worth nothing to compare with while it does.
func (b *bench) warm(ctx context.Context, c choice) error {
	for _, m := range c.measures {
		w := b.to(m)[direct]
		if !m.warm {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, measureTimeout)
		defer cancel()
		for begin := time.Now(); time.Since(begin) < b.size.warmUp; {
			if _, err := m.run(ctx, b, direct, w); err != nil {
				return fmt.Errorf("warm up: %s: %w", m.name, err)
			}
		}
	}
	return nil
}

// to are the ways that a measure goes.
func (b *bench) to(m measure) map[string]way {
	if m.mqtt {
		return b.mqttWays
	}
	return b.ways
}

// rounds measures everything that was chosen, round after round.
func (b *bench) rounds(ctx context.Context, c choice) (results, error) {
	all := results{}
	for round := range c.rounds {
		for _, m := range c.measures {
			if round >= m.rounds && m.rounds > 0 {
				continue
			}
			for i := range m.columns {
				column := m.columns[(i+round)%len(m.columns)] // nobody is always first
				w, there := b.to(m)[column]
				if !there || !c.columns[column] {
					continue
				}
				if err := b.one(ctx, all, m, round, column, w); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", m.name, column, err)
				}
			}
		}
	}
	return all, nil
}

// one measures one column once.
func (b *bench) one(ctx context.Context, all results, m measure, round int, column string, w way) error {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	others, err := b.rig.Others()
	if err != nil {
		return err
	}
	figures, err := m.run(ctx, b, column, w)
	if err != nil && w.process != nil {
		return fmt.Errorf("%w\n%s", err, w.process.Log())
	}
	if err != nil {
		return err
	}
	var said strings.Builder
	for _, f := range figures {
		all.add(f.row, column, round, f.value)
		fmt.Fprintf(&said, "  %s %s", f.row, rowFormat(f.row, f.value))
	}
	elsewhere, err := others()
	b.elsewhere = append(b.elsewhere, elsewhere)
	fmt.Fprintf(b.log, "round %d  %-20s%s", round+1, column, said.String())
	if elsewhere >= disturbance {
		fmt.Fprintf(b.log, "  (%.0f %% of the processors were busy with something else)", 100*elsewhere)
	}
	fmt.Fprintln(b.log)
	return err
}

// emptyTopic is a new topic for what is produced. The caller deletes it.
func (b *bench) emptyTopic(ctx context.Context, partitions int32) (load.Topic, error) {
	b.topics++
	topic := load.Topic{Name: fmt.Sprintf("produce-%d", b.topics), Partitions: partitions}
	var err error
	topic.ID, err = b.rig.Broker.CreateTopic(ctx, topic.Name, partitions)
	return topic, err
}
