package kafka

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// The sizes of a stream's buffer, in bytes. A chunk is large enough that one read and one write carry many small frames,
// and small enough that a thousand busy connections cost 128 MiB. Before authentication a sip must do: a login's
// messages fit, and strangers cost little.
const (
	chunk = 64 << 10
	sip   = 4 << 10
)

var (
	chunks = sync.Pool{New: func() any { return new([chunk]byte) }}
	sips   = sync.Pool{New: func() any { return new([sip]byte) }}
)

func getBuffer(size int) []byte {
	if size == sip {
		return sips.Get().(*[sip]byte)[:]
	}
	return chunks.Get().(*[chunk]byte)[:]
}

func putBuffer(p []byte) {
	if len(p) == sip {
		sips.Put((*[sip]byte)(p))
	} else {
		chunks.Put((*[chunk]byte)(p))
	}
}

// errFull means that a caller asked for more bytes in the buffer than it can hold.
var errFull = errors.New("stream buffer is full")

// stream reads one side of a connection through a pooled buffer, which it holds only while there are bytes in it: an
// idle connection has none. It is for one goroutine.
type stream struct {
	conn  net.Conn
	raw   syscall.RawConn // of a plain TCP connection: there the wait itself needs no buffer; nil elsewhere
	try   func(fd uintptr) bool
	size  int     // of the next buffer: sip or chunk
	buf   []byte  // nil while empty
	r, w  int     // unread bytes are buf[r:w]
	n     int     // result of try
	err   error   // result of try
	first [1]byte // what a wait on TLS reads into
}

// newStream reads conn through buffers of one of the two sizes.
func newStream(conn net.Conn, size int) *stream {
	s := &stream{conn: conn, size: size}
	s.initRaw()
	return s
}

// bytes are the unread bytes. They stay valid until the next call of fill, take, pass or discard.
func (s *stream) bytes() []byte {
	return s.buf[s.r:s.w]
}

// discard drops the first n unread bytes.
func (s *stream) discard(n int) {
	s.r += n
	if s.r == s.w {
		s.release()
	}
}

func (s *stream) release() {
	if s.buf != nil {
		putBuffer(s.buf)
	}
	s.buf, s.r, s.w = nil, 0, 0
}

// fill waits for bytes and adds them to the unread ones. It returns an error only if nothing was added.
func (s *stream) fill() error {
	if s.r == s.w {
		s.release()
		return s.await()
	}
	if s.w == len(s.buf) {
		if err := s.makeRoom(); err != nil {
			return err
		}
	}
	return s.read()
}

// makeRoom moves the unread bytes to the front, of a larger buffer if the stream has come to use one.
func (s *stream) makeRoom() error {
	to := s.buf
	if len(s.buf) < s.size {
		to = getBuffer(s.size)
	} else if s.r == 0 {
		return errFull
	}
	n := copy(to, s.buf[s.r:s.w])
	if len(s.buf) < len(to) {
		putBuffer(s.buf)
	}
	s.buf, s.r, s.w = to, 0, n
	return nil
}

// read reads once into the buffer that there is.
func (s *stream) read() error {
	n, err := s.conn.Read(s.buf[s.w:])
	s.w += n
	if n > 0 { // Read may return bytes together with io.EOF; the next call tells it again
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// await waits for the first byte without holding a buffer, then reads.
func (s *stream) await() error {
	if s.raw != nil {
		return s.awaitRaw()
	}
	// On TLS a read of one byte decrypts a whole record into the connection's own memory, so that the second read
	// costs no system call.
	n, err := s.conn.Read(s.first[:])
	if n == 0 {
		if err == nil {
			err = io.ErrNoProgress
		}
		return err
	}
	s.buf = getBuffer(s.size)
	s.buf[0] = s.first[0]
	s.r, s.w = 0, 1
	if err == nil {
		_ = s.read() // a frame is never one byte: more has come, or will; the next call tells an error again
	}
	return nil
}

// take returns the next n bytes as one slice, and consumes them. What fits the buffer is a view of it, valid until the
// next call; the rest is memory that grows as bytes arrive, never to more than twice of them.
func (s *stream) take(n int) ([]byte, error) {
	if n <= s.size {
		for s.w-s.r < n {
			if err := s.fill(); err != nil {
				return nil, err
			}
		}
		p := s.buf[s.r : s.r+n]
		s.r += n // the buffer stays until the next fill, so that p stays valid
		return p, nil
	}
	p := append(make([]byte, 0, min(n, max(s.size, 2*(s.w-s.r)))), s.bytes()...)
	s.release()
	return readRest(s.conn, p, n)
}

// readRest reads on until p has n bytes. The capacity doubles as they arrive: what is allocated in all is at most four
// times what has arrived, or twice the capacity at first.
func readRest(conn net.Conn, p []byte, n int) ([]byte, error) {
	for len(p) < n {
		if len(p) == cap(p) {
			p = append(make([]byte, 0, min(n, 2*cap(p))), p...)
		}
		m, err := conn.Read(p[len(p):cap(p)])
		p = p[:len(p)+m]
		if err != nil && len(p) < n {
			return nil, err
		}
	}
	return p, nil
}
