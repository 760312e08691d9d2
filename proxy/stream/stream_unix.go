//go:build unix

package stream

import (
	"io"
	"syscall"
)

// initRaw finds out whether the connection is plain TCP, where waiting can be left to the poller alone.
func (s *Stream) initRaw() {
	tcp := plainTCP(s.conn)
	if tcp == nil {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	s.raw, s.try = raw, s.tryRead
}

// awaitRaw takes a buffer only for the moment in which there is something to read: one system call for bytes that are
// there, and no memory while there are none.
func (s *Stream) awaitRaw() error {
	s.n, s.err = 0, nil
	if err := s.raw.Read(s.try); err != nil {
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
	for {
		n, err := readNow(fd, buf)
		switch {
		case n > 0:
			s.buf, s.n = buf, n
			return true
		case err == syscall.EINTR:
			continue
		}
		putBuffer(buf)
		if err == syscall.EAGAIN {
			return false
		}
		s.err = err
		return true
	}
}
