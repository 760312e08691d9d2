package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/bench/load"
	"github.com/asyncgate/asyncgate/bench/rig"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// authenticated is where a column takes logins. The broker and, through HAProxy, the broker ends TLS and SASL itself.
func (b *bench) authenticated(column, mechanism string, tls bool, h *rig.HAProxy, g *rig.Gateway) load.Target {
	target := load.Target{Login: b.login[mechanism]}
	if tls {
		target.TLS = b.tls
	}
	switch {
	case column == direct && tls:
		target.Address = b.rig.Broker.Address(kafkatest.SASLTLS)
	case column == direct:
		target.Address = b.rig.Broker.Address(kafkatest.SASL)
	case column == haproxy && tls:
		target.Address = h.SASLTLS
	case column == haproxy:
		target.Address = h.SASL
	case tls && mechanism == plain:
		target.Address = g.Addresses[rig.TLSPlain]
	case tls && mechanism == bearer:
		target.Address = g.Addresses[rig.TLSToken]
	case tls:
		target.Address = g.Addresses[rig.TLSSCRAM]
	default:
		target.Address = g.Addresses[rig.SASLScram]
	}
	return target
}

// logins measures logins a second; with answer each has a request answered by the broker, too.
func logins(row, mechanism string, tls, answer bool) func(context.Context, *bench, string, way) ([]figure, error) {
	return func(ctx context.Context, b *bench, column string, _ way) ([]figure, error) {
		var request kmsg.Request
		if answer {
			request = load.ListOffsets(b.consume)
		}
		rate, err := load.Logins(ctx, b.authenticated(column, mechanism, tls, b.rig.HAProxy, b.rig.Gateway), request, b.size.logins)
		return []figure{{row, rate}}, err
	}
}

// warmConnections have come and gone before idle ones are counted: what every process sets up once is none of theirs.
const warmConnections = 100

// idle measures the memory that a connection costs which has logged in, had one request answered, and does nothing, in
// a process that has done nothing else.
func idle(row string, tls bool) func(context.Context, *bench, string, way) ([]figure, error) {
	return func(ctx context.Context, b *bench, column string, _ way) ([]figure, error) {
		var process *rig.Process
		var h *rig.HAProxy
		var g *rig.Gateway
		var err error
		if column == haproxy {
			if h, err = b.rig.FreshHAProxy(ctx); err != nil {
				return nil, err
			}
			process = h.Process
		} else {
			if g, err = b.rig.FreshGateway(ctx); err != nil {
				return nil, err
			}
			process = g.Process
		}
		defer process.Stop()
		target := b.authenticated(column, scram256, tls, h, g)
		request := load.ListOffsets(b.consume)

		closeAll, err := load.Idle(ctx, target, request, warmConnections)
		if err != nil {
			return nil, err
		}
		closeAll()
		before, err := settled(ctx, process)
		if err != nil {
			return nil, err
		}
		if closeAll, err = load.Idle(ctx, target, request, b.size.idle); err != nil {
			return nil, err
		}
		defer closeAll()
		after, err := settled(ctx, process)
		return []figure{{row, float64(after-before) / float64(b.size.idle) / 1024}}, err
	}
}

// Memory has settled when it stayed within settledWithin for settledFor; settleTimeout later it counts as it is.
const (
	settledFor    = 5 * time.Second
	settledWithin = 128 << 10 // bytes
	settleTimeout = 30 * time.Second
)

// settled returns the memory of a process once it has settled, in bytes.
func settled(ctx context.Context, p *rig.Process) (int64, error) {
	begin := time.Now()
	since := begin
	reference, err := p.Resident()
	for err == nil && time.Since(since) < settledFor && time.Since(begin) < settleTimeout {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		var now int64
		if now, err = p.Resident(); max(now-reference, reference-now) > settledWithin {
			reference, since = now, time.Now()
		}
	}
	return reference, err
}
