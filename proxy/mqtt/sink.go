package mqtt

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asyncgate/asyncgate/proxy/stream"
)

// errClosed ends a pump on whose other side nothing may be written any more: the reason has been told already.
var errClosed = errors.New("connection refused")

// sink is one side of a connection, to which both pumps may write: what is forwarded, and what the gateway answers itself.
// Packets never mix.
type sink struct {
	conn     net.Conn
	deadline *stream.Deadline
	count    prometheus.Counter // bytes
	lost     error              // what to call it when a write fails

	mu     sync.Mutex
	closed bool // the last packet has been written
}

// write writes whole packets.
func (s *sink) write(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	return s.put(p)
}

// writeAll writes packets in two parts.
func (s *sink) writeAll(head, rest []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if err := s.put(head); err != nil {
		return err
	}
	return s.put(rest)
}

// pass writes the head of a packet and lets the rest come from a stream, n bytes.
func (s *sink) pass(head []byte, from *stream.Stream, n, piece int64, renew func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if err := s.put(head); err != nil {
		return err
	}
	s.count.Add(float64(n))
	return from.Pass(s.conn, n, piece, func() {
		s.deadline.Renew()
		renew()
	})
}

func (s *sink) put(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	s.deadline.Renew()
	s.count.Add(float64(len(p)))
	if _, err := s.conn.Write(p); err != nil {
		return fmt.Errorf("%w: %w", s.lost, err)
	}
	return nil
}

// last writes a packet after which nothing may follow; empty: none. Only the first call does anything.
func (s *sink) last(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	_ = s.put(p) // whoever cannot be told is leaving anyway
}
