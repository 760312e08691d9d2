package kafka

import (
	"io"
	"net"
	"sync"
	"time"
)

// big is the buffer for the bytes of big frames where TLS is on a side: sixteen TLS records.
const big = 256 << 10

var bigs = sync.Pool{New: func() any { return new([big]byte) }}

// slowest is how slow a big frame may come or go, in bytes a second: no link that Kafka is used on is slower.
const slowest = 30 << 10

// piece is how much of a big frame passes between two renewals of deadlines that pass after idle, in bytes.
func piece(idle time.Duration) int64 { return slowest * max(1, int64(idle/time.Second)) }

// pass sends the next n bytes of the stream to dst without looking at them. Between plain TCP sockets they never enter
// the process (splice on Linux); with TLS on a side they go through one buffer. Before each piece it calls renew, to
// extend the deadlines.
func (s *stream) pass(dst net.Conn, n, piece int64, renew func()) error {
	if have := s.bytes(); len(have) > 0 && n > 0 {
		have = have[:min(int64(len(have)), n)]
		renew()
		if _, err := dst.Write(have); err != nil {
			return err
		}
		s.discard(len(have))
		n -= int64(len(have))
	}
	for n > 0 {
		renew()
		m := min(n, piece)
		if err := s.passPiece(dst, m); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

func (s *stream) passPiece(dst net.Conn, n int64) error {
	to, plain := dst.(*net.TCPConn)
	if from, ok := s.conn.(*net.TCPConn); ok && plain {
		limited := io.LimitedReader{R: from, N: n}
		m, err := to.ReadFrom(&limited)
		if err == nil && m < n {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	buf := bigs.Get().(*[big]byte)
	defer bigs.Put(buf)
	for n > 0 {
		// A chunk at least: the frame must arrive whole anyway, and each write is a system call.
		m, err := io.ReadAtLeast(s.conn, buf[:min(n, big)], int(min(n, chunk)))
		if m > 0 {
			if _, err := dst.Write(buf[:m]); err != nil {
				return err
			}
			n -= int64(m)
		}
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}
