package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// keepUpstream logs in again at the broker where that is due.
func (c *connection) keepUpstream(ctx context.Context) error {
	if c.upstream == nil {
		return nil
	}
	if c.front.upstream.passes != "" {
		return c.keepPassing(ctx)
	}
	if !c.upstream.due() {
		return nil
	}
	if err := c.renewUpstream(nil); err != nil {
		c.failUpstream(ctx, "upstream-login", fmt.Errorf("renewal of the gateway's own login: %w", err))
		return errClosed
	}
	return nil
}

// codeUpstreamUnavailable is the audit code of a client for whom no broker answers.
const codeUpstreamUnavailable = "upstream-unavailable"

// dial connects to the broker, unless that has happened: before the first request is forwarded, not earlier.
func (c *connection) dial(ctx context.Context) error {
	if c.upstream != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	metrics := c.session.Metrics()
	s, err := c.show(ctx, time.Time{})
	if err != nil {
		c.failShown(ctx, err)
		return errClosed
	}
	addresses, err := c.candidates(ctx)
	if err != nil {
		c.failUpstream(ctx, "unknown-broker", err)
		return errClosed
	}
	var conn *brokerConn
	for i, address := range addresses {
		metrics.UpstreamDials.Inc()
		if conn, err = c.dialOne(ctx, address, s, len(addresses)-i); err == nil || errors.As(err, new(*tokenError)) {
			break // who is refused by one broker is not tried at the others
		}
	}
	if conn == nil && c.failShown(ctx, err) {
		return errClosed
	}
	if conn == nil {
		c.front.cluster.refresh()
		c.failUpstream(ctx, codeUpstreamUnavailable, err)
		return errClosed
	}
	metrics.UpstreamOpen.Inc()
	c.upstream, c.answers = conn, stream.New(conn.Conn, stream.Chunk)
	idle := c.session.State.Limits.Idle
	c.hearing = stream.NewDeadline(conn.SetReadDeadline, idle)
	c.sending = stream.NewDeadline(conn.SetWriteDeadline, idle)
	c.renewed, c.ended = make(chan []byte, 1), make(chan struct{})
	c.session.Go(c.respond)
	return nil
}

// dialOne tries one of the addresses that are left. Each but the last may take half of the time that is left: one that
// swallows every packet must not use up the others' time.
func (c *connection) dialOne(ctx context.Context, address string, s *shown, left int) (*brokerConn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	conn, err := c.front.upstream.dial(ctx, address, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return conn, nil
}

// candidates are the addresses to try: the broker's whose address the client dialled, or any of the cluster's in an
// order of chance, which spreads bootstrap connections.
func (c *connection) candidates(ctx context.Context) ([]string, error) {
	if c.broker == proxy.Bootstrap {
		v, _ := c.front.cluster.await(ctx, func(v *view) bool { return len(v.of) > 0 })
		var addresses []string
		for id := range v.of {
			addresses = append(addresses, v.brokers[id])
		}
		if len(addresses) == 0 {
			return nil, fmt.Errorf("no broker of the cluster answers")
		}
		// #nosec G404 -- it spreads load, and guards nothing
		rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
		return addresses, nil
	}
	v, ok := c.front.cluster.await(ctx, func(v *view) bool { return v.brokers[c.broker] != "" })
	if !ok {
		return nil, fmt.Errorf("broker %d is not in the cluster", c.broker)
	}
	return []string{v.brokers[c.broker]}, nil
}

// failUpstream tells the operator why a client that did nothing wrong loses its connection.
func (c *connection) failUpstream(ctx context.Context, code string, err error) {
	c.session.Metrics().UpstreamFailures(code).Inc()
	c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageUpstream, Code: code, Private: err.Error()})
}
