//go:build !unix

package stream

import "net"

// Direct is for Unix: elsewhere a connection stays as it is.
func Direct(conn net.Conn) net.Conn { return conn }

// TCP is for Unix.
type TCP struct{ *net.TCPConn }

// plainTCP is the TCP connection that conn is; nil: it is none.
func plainTCP(conn net.Conn) *net.TCPConn {
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// initRaw leaves the wait to net.Conn: it costs nothing but the one byte that await reads first.
func (s *Stream) initRaw() {}

func (s *Stream) awaitRaw() error { panic("unreachable: tcp is never set here") }
