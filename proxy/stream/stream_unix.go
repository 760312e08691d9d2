//go:build unix

package stream

import (
	"io"
	"syscall"
)

// initRaw finds out whether the connection is plain TCP, where waiting can be left to the poller alone.
func (s *Stream) initRaw() {
	if tcp, ok := Direct(s.conn).(*TCP); ok {
		s.tcp, s.try = tcp, s.tryRead
	}
}

// awaitRaw takes a buffer only for the moment in which there is something to read: one system call for bytes that are
// there, and no memory while there are none.
func (s *Stream) awaitRaw() error {
	s.n, s.err = 0, nil
	if err := s.tcp.raw.Read(s.try); err != nil {
		return err
	}
	if s.n > 0 {
		s.r, s.w = 0, s.n
		return nil
	}
	if s.err == nil {
		return io.EOF
	}
	return s.err
}

// tryRead reads without blocking; false asks the poller to call again once the descriptor is readable.
func (s *Stream) tryRead(fd uintptr) bool {
	buf := getBuffer(s.size)
	n, err := s.tcp.streak.read(fd, buf)
	if n > 0 {
		s.buf, s.n = buf, n
		return true
	}
	putBuffer(buf)
	s.err = err
	return err != syscall.EAGAIN
}
