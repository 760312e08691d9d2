//go:build unix

package stream

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// direct is a TCP connection's two ends, of which the near one is direct.
func direct(t *testing.T) (near *TCP, far net.Conn) {
	t.Helper()
	conn, far := pair(t)
	return Direct(conn).(*TCP), far
}

func TestDirectLeavesWhatIsNotTCP(t *testing.T) {
	near, _ := pair(t)
	if conn := (opaque{near}); Direct(conn) != conn {
		t.Error("a connection that hides what it is was made another one")
	}
}

// A write waits while the peer does not read, and a read while it does not write.
func TestDirectTCPWaits(t *testing.T) {
	near, far := direct(t)
	sent := random(8 << 20) // more than both sockets hold
	writing := write(t, near, sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what arrives is not what was written (%v)", err)
	}
	writing.Wait()
	writing = write(t, far, sent)
	clear(got)
	if _, err := io.ReadFull(near, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what is read is not what was written (%v)", err)
	}
	writing.Wait()
}

// Reads that never have to wait go on in the ordinary way, and after a wait as before.
func TestDirectTCPReadsOnAfterALongStreak(t *testing.T) {
	near, far := direct(t)
	for range 2 {
		sent := random(2 * maxStreak)
		write(t, far, sent).Wait()
		got, longest := make([]byte, len(sent)), 0
		for i := range got {
			if _, err := near.Read(got[i : i+1]); err != nil {
				t.Fatal(err)
			}
			longest = max(longest, near.streak.n)
		}
		if !bytes.Equal(got, sent) || longest <= maxStreak {
			t.Errorf("other bytes than were sent, or a streak of %d reads", longest)
		}
		_ = near.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := near.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) || near.streak.n != 0 {
			t.Errorf("after a wait, a streak of %d reads (%v)", near.streak.n, err)
		}
		_ = near.SetReadDeadline(time.Time{})
	}
}

func TestDirectTCPMovesNothingOfNothing(t *testing.T) {
	near, far := direct(t)
	_ = far.Close()
	for what, call := range map[string]func([]byte) (int, error){"read": near.Read, "written": near.Write} {
		if n, err := call(nil); n != 0 || err != nil {
			t.Errorf("%d bytes %s, %v", n, what, err)
		}
	}
}

// Errors are those of package net.
func TestDirectTCPFails(t *testing.T) {
	near, far := direct(t)
	_ = near.SetReadDeadline(time.Unix(1, 0))
	var at *net.OpError
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &at) || at.Op != "read" {
		t.Errorf("read past its deadline: %v", err)
	}
	sent := make([]byte, 16<<20) // more than both sockets hold
	var n int
	written := make(chan error, 1)
	go func() {
		var err error
		n, err = near.Write(sent)
		written <- err
	}()
	if _, err := far.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = near.SetWriteDeadline(time.Unix(1, 0))
	if err := <-written; !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(sent) {
		t.Errorf("written to nobody who reads: %d bytes, %v", n, err)
	}
	_ = near.SetDeadline(time.Time{})
	_ = far.(*net.TCPConn).SetLinger(0)
	_ = far.Close() // with a reset
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &at) || at.Op != "read" {
		t.Errorf("read from a connection that was reset: %v", err)
	}
	if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("written to a connection that was reset: %v", err)
	}
	_ = near.Close()
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read from a closed connection: %v", err)
	}
	if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("written to a closed connection: %v", err)
	}
}

func TestDirectTCPEnds(t *testing.T) {
	near, far := direct(t)
	_ = far.Close()
	if n, err := near.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// BenchmarkRoundTrip is one byte there and back, each time after a wait.
func BenchmarkRoundTrip(b *testing.B) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"net":    func(conn net.Conn) net.Conn { return conn },
		"direct": Direct,
	} {
		b.Run(name, func(b *testing.B) {
			near, far := pair(b)
			near, far = wrap(near), wrap(far)
			go func() { _, _ = io.CopyBuffer(struct{ io.Writer }{far}, struct{ io.Reader }{far}, make([]byte, 1)) }()
			p := make([]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := near.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := near.Read(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
