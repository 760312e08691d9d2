package kafka

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// tcpPair is two ends of a TCP connection on loopback.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	deadline := time.Now().Add(10 * time.Second)
	client.SetDeadline(deadline)
	server.SetDeadline(deadline)
	return client, server
}

// pipePair is the same without sockets: the path that TLS takes.
func pipePair(t *testing.T) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

var pairs = map[string]func(*testing.T) (client, server net.Conn){"TCP": tcpPair, "no descriptor": pipePair}

func TestAStreamHoldsNoBufferWhileItIsEmpty(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			s := newStream(server, chunk)
			go client.Write([]byte("hello"))
			p, err := s.take(5)
			if err != nil || string(p) != "hello" {
				t.Fatalf("take: %q, %v", p, err)
			}
			_ = server.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if err := s.fill(); err == nil {
				t.Fatal("fill returned without bytes")
			}
			if s.buf != nil {
				t.Fatal("the stream waits with a buffer")
			}
		})
	}
}

func TestAStreamReadsFramesHoweverTheyAreCut(t *testing.T) {
	small, large := make([]byte, 100), make([]byte, 3*chunk+17)
	rand.Read(small)
	rand.Read(large)
	var sent []byte
	for _, p := range [][]byte{small, large, {}, small} {
		sent = append(sent, newFrame(0).raw(p).finish()...)
	}
	for name, pair := range pairs {
		for _, cut := range []int{7, 4096, len(sent)} {
			t.Run(name, func(t *testing.T) {
				client, server := pair(t)
				go func() {
					for p := sent; len(p) > 0; {
						n := min(cut, len(p))
						client.Write(p[:n])
						p = p[n:]
					}
				}()
				s := newStream(server, chunk)
				for i, want := range [][]byte{small, large, {}, small} {
					got, err := s.readFrame(1 << 20)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("cut into %d: frame %d: %d bytes, %v; want %d bytes", cut, i, len(got), err, len(want))
					}
				}
			})
		}
	}
}

func TestAFrameLengthIsJudgedBeforeAnythingIsAllocated(t *testing.T) {
	for _, length := range []string{"\xff\xff\xff\xff", "\x80\x00\x00\x00", "\x7f\xff\xff\xff", "GET ", "\x16\x03\x01\x02", "\x00\x00\x04\x01"} {
		client, server := tcpPair(t)
		go client.Write([]byte(length))
		if _, err := newStream(server, chunk).readFrame(1024); err != errFrameLength {
			t.Errorf("length %x: %v", length, err)
		}
	}
}

func TestMemoryForAFrameFollowsTheBytesThatArrive(t *testing.T) {
	for _, c := range []struct{ announced, sent int }{{96 << 20, 1000}, {96 << 20, 3 << 20}, {60 << 10, 60 << 10}, {3<<20 + 1, 3<<20 + 1}} {
		client, server := tcpPair(t)
		go func() {
			client.Write(binary.BigEndian.AppendUint32(nil, uint32(c.announced)))
			client.Write(make([]byte, c.sent))
			client.Close()
		}()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := newStream(server, sip).readFrame(100 << 20); (err == nil) != (c.announced == c.sent) {
			t.Fatalf("%d of %d bytes: %v", c.sent, c.announced, err)
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if bound := 4*c.sent + c.sent + 64<<10; allocated > uint64(bound) { // the sender's own included
			t.Errorf("%d bytes allocated for %d received of %d", allocated, c.sent, c.announced)
		}
	}
}

func TestBigFramesPassWithoutBeingLookedAt(t *testing.T) {
	body := make([]byte, 5*big+3)
	rand.Read(body)
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			to, sink := pair(t)
			go func() {
				client.Write(body)
				client.Write([]byte("next"))
			}()
			passed := make(chan error, 1)
			s := newStream(server, chunk)
			go func() {
				err := s.fill()
				if err == nil {
					err = s.pass(to, int64(len(body)), 100<<10, func() {})
				}
				passed <- err
			}()
			got := make([]byte, len(body))
			if _, err := io.ReadFull(sink, got); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("what arrived is not what was sent (%v)", err)
			}
			if err := <-passed; err != nil {
				t.Fatal(err)
			}
			if next, err := s.take(4); err != nil || string(next) != "next" {
				t.Fatalf("after the frame comes %q, %v", next, err)
			}
		})
	}
}

func TestAFrameThatEndsTooEarlyIsAnError(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			to, sink := pair(t)
			go io.Copy(io.Discard, sink)
			go func() { client.Write(make([]byte, 100)); client.Close() }()
			s := newStream(server, chunk)
			if err := s.fill(); err != nil {
				t.Fatal(err)
			}
			if err := s.pass(to, 200, 100, func() {}); err == nil {
				t.Fatal("half a frame passed for a whole one")
			}
		})
	}
}
