package stream

import (
	"io"
	"net"
	"time"
)

// slowest is how slow a big packet may come or go, in bytes a second: no link that Kafka or MQTT brokers stand on is
// slower.
const slowest = 30 << 10

// Piece is how much of a big packet passes between two renewals of deadlines that pass after idle, in bytes.
func Piece(idle time.Duration) int64 { return slowest * max(1, int64(idle/time.Second)) }

// Pass sends the next n bytes of the stream to dst without looking at them. Between plain TCP sockets they never enter
// the process (splice on Linux); elsewhere they go through one buffer. Before each piece it calls renew, to extend the
// deadlines.
func (s *Stream) Pass(dst net.Conn, n, piece int64, renew func()) error {
	if have := s.Bytes(); len(have) > 0 && n > 0 {
		have = have[:min(int64(len(have)), n)]
		renew()
		if _, err := dst.Write(have); err != nil {
			return err
		}
		s.Discard(len(have))
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

func (s *Stream) passPiece(dst net.Conn, n int64) error {
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
		// A chunk at least: the packet must arrive whole anyway, and each write is a system call.
		m, err := io.ReadAtLeast(s.conn, buf[:min(n, big)], int(min(n, Chunk)))
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

// Skip reads the next n bytes of the stream and forgets them. Before each piece it calls renew.
func (s *Stream) Skip(n, piece int64, renew func()) error {
	for left := piece; n > 0; {
		if len(s.Bytes()) == 0 {
			if left <= 0 {
				left = piece
			}
			if left == piece {
				renew()
			}
			if err := s.Fill(Chunk); err != nil {
				return err
			}
		}
		m := min(int64(len(s.Bytes())), n)
		s.Discard(int(m))
		n, left = n-m, left-m
	}
	return nil
}
