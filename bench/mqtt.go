package main

import (
	"context"
	"fmt"
	"time"

	"github.com/xdg-go/scram"

	mqttload "github.com/asyncgate/asyncgate/bench/load/mqtt"
	"github.com/asyncgate/asyncgate/bench/rig"
)

// mqttPairs is how many publishers have a subscriber each.
const mqttPairs = 50

// mqttPace is how many messages a second are sent where latency is measured.
const mqttPace = 1000

// mqttFlood measures how many messages a second go through, and what each costs the proxy.
func mqttFlood(qos byte, rate, cpu string) func(context.Context, *bench, string, way) ([]figure, error) {
	return func(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
		pairs, err := mqttload.Open(ctx, w.mqtt, mqttPairs, qos)
		if err != nil {
			return nil, err
		}
		defer pairs.Close()
		return underLoadOf(w, rowMQTTMemory, func() ([]figure, error) {
			var before, after time.Duration
			if w.process != nil {
				if before, err = w.process.CPU(); err != nil {
					return nil, err
				}
			}
			messages, took, err := pairs.Flood(ctx, b.size.mqtt)
			if err == nil && messages == 0 {
				err = fmt.Errorf("no message went through in %v", took)
			}
			if err != nil {
				return nil, err
			}
			figures := []figure{{rate, float64(messages) / took.Seconds()}}
			if w.process == nil {
				return figures, nil
			}
			after, err = w.process.CPU()
			return append(figures, figure{cpu, float64((after - before).Microseconds()) / float64(messages)}), err
		})
	}
}

func mqttLatency(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
	pairs, err := mqttload.Open(ctx, w.mqtt, mqttPairs, 0)
	if err != nil {
		return nil, err
	}
	defer pairs.Close()
	half, most, err := pairs.Latency(ctx, mqttPace, b.size.mqtt)
	return []figure{
		{rowMQTTLatency50, float64(half) / float64(time.Millisecond)},
		{rowMQTTLatency99, float64(most) / float64(time.Millisecond)},
	}, err
}

// mqttConnects measures connections a second, with a password or with SCRAM, which Mosquitto cannot.
func mqttConnects(row string, proof bool) func(context.Context, *bench, string, way) ([]figure, error) {
	return func(ctx context.Context, b *bench, _ string, w way) ([]figure, error) {
		target := w.mqtt
		if proof {
			target.Address = b.rig.MQTT.Gateway.Addresses[rig.MQTTScram]
			client, err := scram.SHA256.NewClientUnprepped(target.User, target.Password, "")
			if err != nil {
				return nil, err
			}
			target.Scram = client
		}
		rate, err := mqttload.Connects(ctx, target, b.size.mqtt)
		return []figure{{row, rate}}, err
	}
}

// mqttIdle measures the memory that a connection costs which has logged in and does nothing, in a process that has done
// nothing else.
func mqttIdle(row string, tls bool) func(context.Context, *bench, string, way) ([]figure, error) {
	return func(ctx context.Context, b *bench, column string, w way) ([]figure, error) {
		target, process, err := b.freshMQTT(ctx, column, w.mqtt, tls)
		if err != nil {
			return nil, err
		}
		defer process.Stop()
		closeAll, err := mqttload.Idle(ctx, target, warmConnections)
		if err != nil {
			return nil, err
		}
		closeAll()
		before, err := settled(ctx, process)
		if err != nil {
			return nil, err
		}
		if closeAll, err = mqttload.Idle(ctx, target, b.size.mqttIdle); err != nil {
			return nil, err
		}
		defer closeAll()
		after, err := settled(ctx, process)
		return []figure{{row, float64(after-before) / float64(b.size.mqttIdle) / 1024}}, err
	}
}

// freshMQTT starts another process of the column's kind, which has done nothing yet. The caller stops it.
func (b *bench) freshMQTT(ctx context.Context, column string, target mqttload.Target, tls bool) (mqttload.Target, *rig.Process, error) {
	if column == haproxy {
		h, err := b.rig.MQTT.FreshHAProxy(ctx)
		if err != nil {
			return target, nil, err
		}
		target.Address = h.Clear
		return target, h.Process, nil
	}
	g, err := b.rig.MQTT.FreshGateway(ctx)
	if err != nil {
		return target, nil, err
	}
	target.Address, target.TLS = g.Addresses[rig.MQTTPassword], nil
	if tls {
		target.Address, target.TLS = g.Addresses[rig.MQTTTLS], b.tls
	}
	return target, g.Process, nil
}
