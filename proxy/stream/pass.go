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

// spliceFrom is how many bytes are worth splicing: fewer are read and written, which costs less than the system calls and
// the scheduler's attention that a splice takes.
const spliceFrom = 256 << 10

// Pass sends the next n bytes of the stream to dst without looking at them. Between plain TCP sockets many of them never
// enter the process (splice on Linux); elsewhere they go through one buffer. Before each piece it calls renew, to extend
// the deadlines.
func (s *Stream) Pass(dst net.Conn, n, piece int64, renew func()) error {
	if have := min(n, int64(len(s.Bytes()))); have > 0 {
		renew()
		if err := s.passSmall(dst, have); err != nil {
			return err
		}
		n -= have
	}
	from, to := plainTCP(s.conn), plainTCP(dst)
	pass := s.passSmall
	switch {
	case from == nil || to == nil:
		pass = s.passBig
	case n >= spliceFrom:
		pass = func(_ net.Conn, n int64) error { return splice(to, from, n) }
	}
	for n > 0 {
		renew()
		m := min(n, piece)
		if err := pass(dst, m); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// passSmall moves n bytes through the stream's own buffer, without a renewal: a piece has one deadline, however it comes.
func (s *Stream) passSmall(dst net.Conn, n int64) error {
	for n > 0 {
		if len(s.Bytes()) == 0 {
			if err := s.Fill(Chunk); err != nil {
				return err
			}
		}
		have := s.Bytes()[:min(n, int64(len(s.Bytes())))]
		if _, err := dst.Write(have); err != nil {
			return err
		}
		s.Discard(len(have))
		n -= int64(len(have))
	}
	return nil
}

// splice lets the kernel move n bytes.
func splice(to, from *net.TCPConn, n int64) error {
	m, err := to.ReadFrom(&io.LimitedReader{R: from, N: n})
	if err == nil && m < n {
		err = io.EOF
	}
	return err
}

// passBig moves n bytes through a buffer that is worth its while where TLS is on a side.
func (s *Stream) passBig(dst net.Conn, n int64) error {
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
			fill := s.Fill
			if n > 1 { // of the last byte no other may come with it
				fill = s.FillOn
			}
			if err := fill(Chunk); err != nil {
				return err
			}
		}
		m := min(int64(len(s.Bytes())), n)
		s.Discard(int(m))
		n, left = n-m, left-m
	}
	return nil
}
