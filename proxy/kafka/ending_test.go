package kafka_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// behind is a gateway that asks for PLAIN, in front of one broker that answers clients as the test says; without an answer it
// falls silent.
func behind(t *testing.T, change func(*plan.Plan), answer func(h wire.RequestHeader) ([]byte, bool)) (*world, *broker) {
	t.Helper()
	b := newBroker(t, nil)
	silence := make(chan struct{})
	t.Cleanup(func() { close(silence) })
	b.answer = func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		if answer == nil {
			<-silence
			return nil, false
		}
		return answer(h)
	}
	return startBefore(t, []string{b.address()}, func(p *plan.Plan) {
		withPlain(p)
		if change != nil {
			change(p)
		}
	}), b
}

func echo(wire.RequestHeader) ([]byte, bool) { return []byte("ok"), true }
func answered(got []byte, correlation int32) bool {
	return len(got) == 10 && int32(binary.BigEndian.Uint32(got[4:])) == correlation && string(got[8:]) == "ok"
}

// produce is a Produce request of n bytes of records.
func produce(correlation int32, n int) []byte {
	return ask(0, 7, correlation, append([]byte{0xff, 0xff, 0, 1, 0, 0, 0, 9}, make([]byte, n)...))
}

func TestADrainLetsARequestThatHasBegunFinish(t *testing.T) {
	t.Parallel()
	w, b := behind(t, nil, echo)
	conn := logIn(t, w.address)
	frame := produce(7, 1<<20)
	conn.Write(heartbeat)
	conn.Write(frame[:len(frame)/2])
	if got, err := readFrame(conn); err != nil || string(got[4:]) != "ok" {
		t.Fatalf("%q, %v", got, err)
	}
	eventually(t, "a part of the request reaches the broker", func() bool { return b.read.Load() > 100<<10 })
	w.drain()
	eventually(t, "the drain begins", func() bool { return w.logs.FilterMessage("draining").Len() > 0 })
	conn.Write(frame[len(frame)/2:])
	got, err := readFrame(conn)
	if err != nil || string(got[4:]) != "ok" {
		t.Fatalf("half of a request had been read when the drain began; it was answered %q, %v", got, err)
	}
	if n := b.asked.Load(); n != 2 {
		t.Errorf("%d requests reached the broker", n)
	}
	ends(t, conn)
}

func TestWhoDoesNotReadIsRefusedAtOnceAllTheSame(t *testing.T) {
	t.Parallel()
	w, _ := behind(t, nil, func(wire.RequestHeader) ([]byte, bool) { return make([]byte, 1<<20), true })
	conn := logIn(t, w.address)
	for range 20 {
		conn.Write(heartbeat)
	}
	eventually(t, "the gateway cannot write any more", func() bool { return w.stuck("respond") })
	conn.Write([]byte("\x00\x00\x00\x08\x7f\xff\x00\x00\x00\x00\x00\x00"))
	eventually(t, "an audit record", func() bool { return w.refused("unsupported-api") == 1 })
	w.forgets(t, 2*time.Second)
}

func TestABrokerThatSaysNothingHoldsNobodyForEver(t *testing.T) {
	for name, leave := range map[string]func(net.Conn){
		"a client that waits":    func(net.Conn) {},
		"a client that has left": func(c net.Conn) { c.Close() },
		"a client that asks on": func(c net.Conn) {
			for range 2000 {
				c.Write(heartbeat)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, b := behind(t, func(p *plan.Plan) { p.Limits.Idle = time.Second }, nil)
			conn := logIn(t, w.address)
			conn.Write(heartbeat)
			eventually(t, "the request arrives", func() bool { return b.asked.Load() > 0 })
			leave(conn)
			w.forgets(t, 5*time.Second)
		})
	}
}

func TestWhoIsNotIdleStays(t *testing.T) {
	second := func(p *plan.Plan) { p.Limits.Idle = time.Second }
	t.Run("one request at a time", func(t *testing.T) {
		t.Parallel()
		w, _ := behind(t, second, echo)
		conn := logIn(t, w.address)
		for end := time.Now().Add(4 * time.Second); time.Now().Before(end); <-time.After(190 * time.Millisecond) {
			if got := roundTrip(t, conn, heartbeat); !answered(got, 9) {
				t.Fatalf("%q", got)
			}
		}
	})
	t.Run("a slow request", func(t *testing.T) {
		t.Parallel()
		w, _ := behind(t, second, echo)
		conn := logIn(t, w.address)
		for frame := produce(9, 250<<10); len(frame) > 0; <-time.After(190 * time.Millisecond) {
			n := min(len(frame), 12<<10)
			if _, err := conn.Write(frame[:n]); err != nil {
				t.Fatal(err)
			}
			frame = frame[n:]
		}
		if got, err := readFrame(conn); err != nil || string(got[4:]) != "ok" {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

func TestTheGatewaysOwnLoginWaitsForWhatIsOwed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes longer than a login may")
	}
	b := newBroker(t, nil)
	b.lifetime.Store(1)
	b.answer = func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		if h.Correlation == 1 {
			<-time.After(11 * time.Second)
		}
		return []byte("ok"), true
	}
	w := startBefore(t, []string{b.address()}, func(p *plan.Plan) {
		withPlain(p)
		p.Servers[0].Upstream.SASL = &plan.UpstreamSASL{Mechanism: sasl.Plain, Username: "gateway", Password: plan.Secret("file:" + passwordFile(t))}
	})
	conn := logIn(t, w.address)
	conn.Write(ask(12, 0, 1, []byte("\x00\x01g\x00\x00\x00\x00\x00\x01m")))
	eventually(t, "the first request arrives", func() bool { return b.asked.Load() > 0 })
	conn.Write(heartbeat)
	for range 2 {
		if got, err := readFrame(conn); err != nil || string(got[4:]) != "ok" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestABrokerThatAnswersOutOfTurnEndsTheConnection(t *testing.T) {
	for name, answer := range map[string][]byte{
		"another correlation id": frameOf(8, []byte("ok")),
		"a negative length":      []byte("\xff\xff\xff\xff"),
		"no correlation id":      []byte("\x00\x00\x00\x02ok"),
		"an answer too many":     append(frameOf(9, []byte("ok")), frameOf(10, []byte("ok"))...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, b := behind(t, nil, echo)
			asked := make(chan net.Conn, 1)
			b.raw = func(conn net.Conn) []byte {
				asked <- conn
				return answer
			}
			conn := logIn(t, w.address)
			conn.Write(heartbeat)
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			got, err := io.ReadAll(conn)
			if err != nil || len(got) > 0 && !answered(got, 9) {
				t.Fatalf("%q, %v", got, err)
			}
			upstream := <-asked
			eventually(t, "the broker is left", func() bool { return !b.holds(upstream) })
			eventually(t, "an audit record", func() bool { return w.refused("upstream-answer") == 1 })
		})
	}
}

func TestABrokerThatDiesInTheMiddleEndsTheConnection(t *testing.T) {
	t.Parallel()
	w, b := behind(t, nil, echo)
	b.raw = func(conn net.Conn) []byte {
		conn.Write([]byte("\x00\x10\x00\x00\x00\x00\x00\x09half"))
		conn.Close()
		return nil
	}
	conn := logIn(t, w.address)
	conn.Write(heartbeat)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var err error
	for p := make([]byte, 100); err == nil; {
		_, err = conn.Read(p)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
	w.forgets(t, 2*time.Second)
}

func TestAskingForVersionsOfADeadClusterEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	w := startBefore(t, []string{l.Addr().String()}, func(p *plan.Plan) {
		p.Limits.Handshake = time.Second
		p.Servers[0].Alternatives, p.Servers[0].AllowAnonymous = nil, true
	})
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write(askVersions(3, 1))
	ends(t, conn)
	eventually(t, "an audit record", func() bool { return w.refused("upstream-unavailable") == 1 })
}

func TestABrokerThatHangsIsNotTheOnlyOne(t *testing.T) {
	t.Parallel()
	frozen := make(chan struct{})
	first, second := newBroker(t, nil), newBroker(t, nil)
	t.Cleanup(func() { close(frozen) })
	for _, b := range []*broker{first, second} {
		b.peers = []*broker{first, second}
		b.answer = func(h wire.RequestHeader, _ []byte) ([]byte, bool) { return echo(h) }
	}
	w := startBefore(t, []string{first.address()}, func(p *plan.Plan) {
		withPlain(p)
		p.Servers[0].Upstream.SASL = &plan.UpstreamSASL{Mechanism: sasl.Plain, Username: "gateway", Password: plan.Secret("file:" + passwordFile(t))}
	})
	eventually(t, "the gateway knows both", func() bool {
		roundTrip(t, logIn(t, w.address), heartbeat)
		return first.asked.Load() > 0 && second.asked.Load() > 0
	})
	first.frozen.Store(&frozen)
	for range 6 { // one of them tries the first broker first, nearly always
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if got := roundTrip(t, logIn(t, w.address), heartbeat); !answered(got, 9) {
				t.Errorf("%q", got)
			}
		})
	}
}

// passwordFile holds the gateway's password, of which the tests' brokers do not care.
func passwordFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
