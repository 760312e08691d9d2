//go:build unix

package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// TCP is a TCP connection whose reads and writes cost less where the gateway was idle before: see readNow. It waits in
// the poller like any other, with the same deadlines.
type TCP struct {
	*net.TCPConn
	raw    syscall.RawConn
	streak streak
}

// Direct makes a [TCP] of a TCP connection, and leaves any other as it is.
func Direct(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	return &TCP{TCPConn: tcp, raw: raw}
}

// plainTCP is the TCP connection that conn is, without TLS or anything else around it; nil: it is none.
func plainTCP(conn net.Conn) *net.TCPConn {
	switch conn := conn.(type) {
	case *TCP:
		return conn.TCPConn
	case *net.TCPConn:
		return conn
	}
	return nil
}

// Read is that of [net.Conn].
func (c *TCP) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := move(&reads, c.raw.Read, p, &c.streak)
	switch {
	case err != nil:
		return n, c.failed("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write is that of [net.Conn].
func (c *TCP) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := move(&writes, c.raw.Write, p, nil)
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

// failed says of an error where it was, as package net does.
func (c *TCP) failed(op string, err error) error {
	if wait := (*net.OpError)(nil); errors.As(err, &wait) { // which calls itself raw-read
		wait.Op = op
		return wait
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}

// streak counts the reads of a connection that have found something at once, since the last that had to wait.
type streak struct{ n int }

// maxStreak is when the scheduler is told after all, 2 MiB or so: its monitor sees to it that others get their turn where
// every processor is kept busy.
const maxStreak = 32

// read reads what there is without blocking. It is called by the poller alone, for one goroutine at a time.
func (s *streak) read(fd uintptr, p []byte) (n int, err error) {
	for {
		if s.n++; s.n <= maxStreak {
			n, err = readNow(fd, p)
		} else {
			n, err = syscall.Read(int(fd), p)
		}
		if err == syscall.EAGAIN {
			s.n = 0
		}
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// transfer is one Read or Write that is under way.
type transfer struct {
	p      []byte
	n      int
	err    error
	streak *streak               // of reads
	step   func(fd uintptr) bool // what the poller calls: read or write, made a function once
}

var (
	reads  = sync.Pool{New: func() any { t := new(transfer); t.step = t.read; return t }}
	writes = sync.Pool{New: func() any { t := new(transfer); t.step = t.write; return t }}
)

// move takes a transfer of a kind and lets it wait for the descriptor until it has moved p, or some of it.
func move(kind *sync.Pool, wait func(func(uintptr) bool) error, p []byte, reads *streak) (int, error) {
	t := kind.Get().(*transfer)
	defer kind.Put(t)
	t.p, t.n, t.err, t.streak = p, 0, nil, reads
	err := wait(t.step)
	if err == nil {
		err = t.err
	}
	t.p, t.streak = nil, nil
	return t.n, err
}

// read reads once; false asks the poller to call again once there is something.
func (t *transfer) read(fd uintptr) bool {
	t.n, t.err = t.streak.read(fd, t.p)
	return t.err != syscall.EAGAIN
}

// write writes all without blocking; false asks the poller to call again once there is room.
func (t *transfer) write(fd uintptr) bool {
	for t.n < len(t.p) {
		n, err := writeNow(fd, t.p[t.n:])
		t.n += n
		switch {
		case err == syscall.EAGAIN:
			return false
		case err == nil && n == 0:
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != syscall.EINTR {
			t.err = err
			return true
		}
	}
	return true
}
