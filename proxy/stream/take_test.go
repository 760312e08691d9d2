package stream

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// pipes is two ends of a connection without sockets, which takes no byte that is not read: the path that TLS takes.
func pipes(t testing.TB) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

var pairs = map[string]func(testing.TB) (client, server net.Conn){"TCP": pair, "no descriptor": pipes}

func TestAStreamHoldsNoBufferWhileItIsEmpty(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			s := New(server, Chunk)
			go client.Write([]byte("hello"))
			p, err := s.Take(5)
			if err != nil || string(p) != "hello" {
				t.Fatalf("take: %q, %v", p, err)
			}
			_ = server.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if err := s.Fill(Chunk); err == nil {
				t.Fatal("fill returned without bytes")
			}
			if s.buf != nil {
				t.Fatal("the stream waits with a buffer")
			}
		})
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
			s := New(server, Chunk)
			go func() {
				err := s.Fill(Chunk)
				if err == nil {
					err = s.Pass(to, int64(len(body)), 100<<10, func() {})
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
			if next, err := s.Take(4); err != nil || string(next) != "next" {
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
			s := New(server, Chunk)
			if err := s.Fill(Chunk); err != nil {
				t.Fatal(err)
			}
			if err := s.Pass(to, 200, 100, func() {}); err == nil {
				t.Fatal("half a frame passed for a whole one")
			}
		})
	}
}

func TestMemoryForWhatIsTakenFollowsTheBytesThatArrive(t *testing.T) {
	for _, c := range []struct{ announced, sent int }{{96 << 20, 1000}, {96 << 20, 3 << 20}, {60 << 10, 60 << 10}, {3<<20 + 1, 3<<20 + 1}} {
		client, server := pair(t)
		go func() {
			client.Write(make([]byte, c.sent))
			client.Close()
		}()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := New(server, Sip).Take(c.announced); (err == nil) != (c.announced == c.sent) {
			t.Fatalf("%d of %d bytes: %v", c.sent, c.announced, err)
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if bound := 4*c.sent + c.sent + 64<<10; allocated > uint64(bound) { // the sender's own included
			t.Errorf("%d bytes allocated for %d received of %d", allocated, c.sent, c.announced)
		}
	}
}

// One byte may be all that a protocol needs, or nothing that it can use.
func TestAFirstByteIsReadAloneOrWithTheRest(t *testing.T) {
	client, server := pipes(t)
	s := New(server, Chunk)
	go client.Write([]byte("abcdef"))
	if p, err := s.Take(1); err != nil || string(p) != "a" || len(s.Bytes()) != 0 {
		t.Fatalf("take: %q before %q, %v", p, s.Bytes(), err)
	}
	if err := s.Fill(Chunk); err != nil || string(s.Bytes()) != "b" {
		t.Fatalf("fill: %q, %v", s.Bytes(), err)
	}
	s.Discard(1)
	if err := s.FillOn(Chunk); err != nil || string(s.Bytes()) != "cdef" {
		t.Fatalf("fill on: %q, %v", s.Bytes(), err)
	}
	s.Discard(4)
	go func() { client.Write([]byte("g")); client.Close() }()
	if err := s.FillOn(Chunk); err != nil || string(s.Bytes()) != "g" {
		t.Fatalf("fill on, and the end: %q, %v", s.Bytes(), err)
	}
	if err := s.FillOn(Chunk); err != io.EOF {
		t.Fatalf("after the end: %v", err)
	}
}
