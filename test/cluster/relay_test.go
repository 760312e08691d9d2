package cluster_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// relay passes TCP connections on and keeps what goes by.
type relay struct {
	to       string
	edit     func(frame []byte) // changes each frame back in place, without its length; nil: nothing is changed
	listener net.Listener

	mu    sync.Mutex
	there bytes.Buffer // what went to the address
	back  bytes.Buffer // what came from there
	open  []net.Conn
}

// newRelay listens at one address and passes on to another until the test ends.
func newRelay(t testing.TB, at, to string, edit func([]byte)) *relay {
	t.Helper()
	r := &relay{to: to, edit: edit}
	var err error
	if r.listener, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	go r.accept()
	t.Cleanup(r.close)
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		from, err := r.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", r.to)
		if err != nil {
			from.Close()
			continue
		}
		r.mu.Lock()
		r.open = append(r.open, from, to)
		r.mu.Unlock()
		go r.pump(to, from, &r.there, false)
		go r.pump(from, to, &r.back, r.edit != nil)
	}
}

func (r *relay) pump(to, from net.Conn, record *bytes.Buffer, frames bool) {
	defer to.(*net.TCPConn).CloseWrite()
	buffer := make([]byte, 64<<10)
	for {
		p, err := r.read(from, buffer, frames)
		if err != nil {
			return
		}
		r.mu.Lock()
		record.Write(p)
		r.mu.Unlock()
		if _, err := to.Write(p); err != nil {
			return
		}
	}
}

// read returns the next bytes, or the next frame if frames are to be changed.
func (r *relay) read(from net.Conn, buffer []byte, frames bool) ([]byte, error) {
	if !frames {
		n, err := from.Read(buffer)
		return buffer[:n], err
	}
	if _, err := io.ReadFull(from, buffer[:4]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(buffer))
	copy(frame, buffer[:4])
	_, err := io.ReadFull(from, frame[4:])
	r.edit(frame[4:])
	return frame, err
}

// sent is all that went to the address.
func (r *relay) sent() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.there.Bytes())
}

// received is all that came from there.
func (r *relay) received() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.back.Bytes())
}

// close ends the relay and all that it passes.
func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		c.Close()
	}
}
