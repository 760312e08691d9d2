// Package stream moves bytes between two connections for a protocol that looks at them: buffers that are held only while
// there is something in them, bytes that pass without being kept, and deadlines that move with progress.
package stream

import (
	"errors"
	"io"
	"net"
)

// ErrFull means that a packet does not fit the largest buffer that the stream may have.
var ErrFull = errors.New("stream buffer is full")

// Stream reads one side of a connection through a buffer that it holds only while there are bytes in it: an idle
// connection has none. It is for one goroutine.
type Stream struct {
	conn  net.Conn
	tcp   *TCP // the connection if it is plain TCP, where the wait itself needs no buffer; nil elsewhere
	try   func(fd uintptr) bool
	size  int     // of the next buffer: Sip or Chunk
	buf   []byte  // nil while empty
	r, w  int     // unread bytes are buf[r:w]
	n     int     // result of try
	err   error   // result of try
	first [1]byte // what a wait on anything but plain TCP reads into
}

// New reads conn through buffers of one of the two sizes.
func New(conn net.Conn, size int) *Stream {
	s := &Stream{conn: conn, size: size}
	s.initRaw()
	return s
}

// Resize makes later buffers of the other size.
func (s *Stream) Resize(size int) { s.size = size }

// Bytes are the unread bytes. They stay valid until the next call of any other method.
func (s *Stream) Bytes() []byte { return s.buf[s.r:s.w] }

// Discard drops the first n unread bytes.
func (s *Stream) Discard(n int) {
	s.r += n
	if s.r == s.w {
		s.Release()
	}
}

// Release drops all unread bytes.
func (s *Stream) Release() {
	if s.buf != nil {
		putBuffer(s.buf)
	}
	s.buf, s.r, s.w = nil, 0, 0
}

// Fill waits for bytes and adds them to the unread ones, of which there may be most in all. It returns an error only if
// nothing was added: ErrFull if there are that many already.
func (s *Stream) Fill(most int) error {
	if s.r == s.w {
		s.Release()
		return s.await()
	}
	if s.w == len(s.buf) {
		if err := s.makeRoom(most); err != nil {
			return err
		}
	}
	return s.read()
}

// FillOn is Fill for a protocol in which one byte says nothing: where a wait is for the first alone, it reads the others
// at once, instead of having them asked for. On TLS they are there already; if none are, it waits for them.
func (s *Stream) FillOn(most int) error {
	waits := s.r == s.w && s.tcp == nil
	if err := s.Fill(most); err != nil {
		return err
	}
	if waits {
		_ = s.read() // there is a byte in any case; the next call tells an error again
	}
	return nil
}

// makeRoom moves the unread bytes to the front, of a buffer of twice the size if they fill this one. So no more is
// allocated in all than four times what has arrived.
func (s *Stream) makeRoom(most int) error {
	have := s.w - s.r
	to := s.buf
	switch {
	case have >= most:
		return ErrFull
	case len(s.buf) < s.size:
		to = getBuffer(s.size)
	case s.r == 0:
		to = make([]byte, min(most, 2*len(s.buf)))
	}
	copy(to, s.buf[s.r:s.w])
	if len(s.buf) < len(to) {
		putBuffer(s.buf)
	}
	s.buf, s.r, s.w = to, 0, have
	return nil
}

// read reads once into the buffer that there is.
func (s *Stream) read() error {
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

// await waits for bytes without holding a buffer: on plain TCP for all that there are, elsewhere for the first.
func (s *Stream) await() error {
	if s.tcp != nil {
		return s.awaitRaw()
	}
	// On TLS a read of one byte decrypts a whole record into the connection's own memory, so that the next read costs no
	// system call. It is left to FillOn or the next Fill: one byte may be all that has come, and enough to refuse a stranger.
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
	return nil // an error that came with the byte is told again by the next call
}
