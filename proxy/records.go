package proxy

import (
	"crypto/tls"
	"net"
	"sync"

	"github.com/asyncgate/asyncgate/proxy/stream"
)

// maxRecord is the most that a TLS record carries, in bytes (RFC 8446 section 5.1).
const maxRecord = 16 << 10

// batch is how many bytes of records are joined into one system call.
const batch = 256 << 10

var batches = sync.Pool{New: func() any { return new([batch]byte) }}

// recordConn is what a TLS connection writes its records to. crypto/tls writes each of them by itself; while held, they
// are joined.
type recordConn struct {
	net.Conn
	mu   sync.Mutex // a reader may have to write as well, such as a key update
	held *[batch]byte
	n    int
}

// Write writes a record, or keeps it while the connection is held.
func (c *recordConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return c.Conn.Write(p)
	}
	if c.n+len(p) > batch {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	c.n += copy(c.held[c.n:], p)
	return len(p), nil
}

func (c *recordConn) hold() {
	c.mu.Lock()
	c.held = batches.Get().(*[batch]byte)
	c.mu.Unlock()
}

// release writes what has been held.
func (c *recordConn) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.flush()
	batches.Put(c.held)
	c.held = nil
	return err
}

func (c *recordConn) flush() error {
	_, err := c.Conn.Write(c.held[:c.n])
	c.n = 0
	return err
}

// tlsConn is a TLS connection whose large writes take one system call for many records.
type tlsConn struct {
	*tls.Conn
	records *recordConn
}

func newTLSConn(tcp *net.TCPConn, config *tls.Config) *tlsConn {
	records := &recordConn{Conn: stream.Direct(tcp)}
	return &tlsConn{Conn: tls.Server(records, config), records: records}
}

// Write is that of the TLS connection. It is for one goroutine at a time.
func (c *tlsConn) Write(p []byte) (int, error) {
	if len(p) <= maxRecord {
		return c.Conn.Write(p)
	}
	if err := c.Handshake(); err != nil { // which waits for an answer to its records
		return 0, err
	}
	c.records.hold()
	n, err := c.Conn.Write(p)
	if e := c.records.release(); err == nil {
		err = e
	}
	if err != nil {
		n = 0 // how much has gone out is not known, and nothing can follow it
	}
	return n, err
}
