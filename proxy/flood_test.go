package proxy_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// Many clients that say nothing, or too little, at every stage: all are gone at the deadline, and others are served
// meanwhile.
func TestSlowClientsAreGoneAtTheDeadlineOfEveryStage(t *testing.T) {
	const clients = 100
	tr := newTrust(t)
	for _, c := range []struct {
		name    string
		trickle string // a byte at a time
		begin   func(*stage) net.Conn
	}{
		{"PROXY protocol header", "PROXY TCP4 192.0.2.7 192.0.2.1 51234 9092", func(s *stage) net.Conn { return s.dial().Conn }},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and thirty-two random bytes to come", func(s *stage) net.Conn { return s.headed().Conn }},
		{"login", "login alice and a long name that never ends", func(s *stage) net.Conn {
			conn := tls.Client(s.headed().Conn, tr.config())
			if err := conn.Handshake(); err != nil {
				t.Error(err)
			}
			return conn
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := users()
			p.Servers[0].ProxyProtocol = true
			anonymous := *tr.tls
			anonymous.ClientAuth, anonymous.ClientCA = 0, ""
			p.Servers[0].TLS = &anonymous
			p.Limits.Handshake = time.Second
			p.Limits.ExemptClients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
			s := begin(t, p)
			before := s.metric("go_goroutines")
			var slow sync.WaitGroup
			for range clients {
				conn, begun := c.begin(s), time.Now()
				slow.Go(func() {
					for i := range c.trickle { // a byte now and then, until the other side has had enough
						_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
						if _, err := conn.Read(make([]byte, 64)); err != nil && !isTimeout(err) {
							break
						}
						_, _ = io.WriteString(conn, c.trickle[i:i+1])
					}
					if took := time.Since(begun); took > 3*time.Second {
						t.Errorf("a slow client stayed %v", took)
					}
					conn.Close()
				})
			}
			for range 10 {
				conn := newClient(t, tls.Client(s.headed().Conn, tr.config()))
				conn.want("login alice", "welcome")
				conn.Close()
			}
			slow.Wait()
			s.log.awaitAll(t, clients, "logger", "audit", "decision", "deny", "code", "timeout")
			s.quiet(before)
		})
	}
}

// headed connects and sends a PROXY protocol header.
func (s *stage) headed() *client {
	c := s.dial()
	if _, err := io.WriteString(c, "PROXY TCP4 192.0.2.7 192.0.2.1 51234 9092\r\n"); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// quiet waits until no connection is open, and the goroutines are as many as before.
func (s *stage) quiet(before float64) {
	s.t.Helper()
	eventually(s.t, "everything is given back", func() bool {
		return s.metric(`asyncgate_connections{server="main"}`) == 0 && s.metric("go_goroutines") <= before+10
	})
}

func TestChurnLeavesNothingBehind(t *testing.T) {
	p := users()
	p.Limits.ExemptClients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := begin(t, p)
	before, files := s.metric("go_goroutines"), s.metric("process_open_fds")
	var churn sync.WaitGroup
	for i := range 6 {
		churn.Go(func() {
			for j := range 100 {
				conn, err := net.Dial("tcp", s.servers["main"].Listen)
				if err != nil {
					t.Error(err)
					return
				}
				switch (i + j) % 3 {
				case 0: // leaves at once
				case 1:
					_, _ = io.WriteString(conn, "login alice\n")
				case 2:
					_, _ = io.WriteString(conn, "fail alice\n")
					_, _ = io.Copy(io.Discard, conn)
				}
				conn.Close()
			}
		})
	}
	churn.Wait()
	s.quiet(before)
	if now := s.metric("process_open_fds"); now > files+10 {
		t.Errorf("%v files are open, %v were", now, files)
	}
	if n := s.metric(`asyncgate_connections_accepted_total{server="main"}`); n != 600 {
		t.Errorf("%v connections are counted", n)
	}
}
