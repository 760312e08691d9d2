package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
)

// script is a connection that gives its reader pieces, and notes what is written to it.
type script struct {
	net.Conn
	pieces [][]byte
	writes [][]byte
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.writes = append(s.writes, slices.Clone(p))
	return len(p), nil
}

// between is a pump from one script to another.
func between(from, to *script, decide func(wire.Header, []byte) (edit, error)) *pump {
	return &pump{
		from: stream.New(from, stream.Chunk),
		to: &sink{conn: to, deadline: stream.NewDeadline(func(time.Time) error { return nil }, time.Hour),
			count: prometheus.NewCounter(prometheus.CounterOpts{}), lost: errBroker},
		scan:   wire.Stream{Version: wire.V5, From: wire.Client},
		decide: decide, renew: func() {}, piece: 1 << 20,
	}
}

func publish(topic, payload string) []byte {
	p := wire.Publish{Topic: []byte(topic), Payload: len(payload)}
	return append(p.AppendHead(nil, wire.V5), payload...)
}

// byTopic drops "drop", renames "edit", ends with "end" and refuses "bad".
func byTopic(h wire.Header, b []byte) (edit, error) {
	if h.Type != wire.PUBLISH {
		return edit{}, nil
	}
	p, n, err := wire.DecodePublish(h, b[h.Size:], wire.V5, wire.Client)
	if err != nil {
		return edit{}, err
	}
	switch string(p.Topic) {
	case "drop":
		return drop(h), nil
	case "edit":
		p.Topic = []byte("edited")
		return edit{skip: h.Size + n, head: p.AppendHead(nil, wire.V5)}, nil
	case "end":
		return edit{}, errLast
	case "bad":
		return edit{}, &wire.Malformed{Packet: wire.PUBLISH, Code: wire.ProtocolError}
	}
	return edit{}, nil
}

// Wherever the bytes are cut, the same comes out; whole runs in one write.
func TestPump(t *testing.T) {
	big := string(bytes.Repeat([]byte("x"), 100<<10))
	in := slices.Concat(publish("a", "1"), publish("b", "2"), publish("drop", "3"), publish("c", "4"), publish("edit", "5"), publish("d", "6"),
		publish("drop", big), publish("edit", big), publish("e", big), []byte(wire.Pingreq), publish("end", ""), publish("never", ""))
	want := slices.Concat(publish("a", "1"), publish("b", "2"), publish("c", "4"), publish("edited", "5"), publish("d", "6"),
		publish("edited", big), publish("e", big), []byte(wire.Pingreq), publish("end", ""))
	for _, size := range []int{1, 7, 4096, len(in)} {
		from, to := &script{}, &script{}
		for piece := range slices.Chunk(slices.Clone(in), size) {
			from.pieces = append(from.pieces, piece)
		}
		if err := between(from, to, byTopic).run(); err != errLast {
			t.Fatalf("pieces of %d: %v", size, err)
		}
		if got := bytes.Join(to.writes, nil); !bytes.Equal(got, want) {
			t.Errorf("pieces of %d: %d bytes came out, and not %d", size, len(got), len(want))
		}
		if size == len(in) && !bytes.Equal(to.writes[0], in[:len(publish("a", "1"))*2]) {
			t.Errorf("the first run is %q", to.writes[0])
		}
	}
}

// What came before a packet that is refused has been forwarded, and nothing of what follows.
func TestPumpRefuses(t *testing.T) {
	for _, bad := range [][]byte{publish("bad", ""), {0, 0}, {0x30, 0x80, 0x80, 0x80, 0x80, 1}, {0x82, 0xFF, 0xFF, 0xFF, 0x7F}} {
		from, to := &script{pieces: [][]byte{slices.Concat(publish("a", "1"), bad, publish("b", "2"))}}, &script{}
		var malformed *wire.Malformed
		if err := between(from, to, byTopic).run(); !errors.As(err, &malformed) {
			t.Errorf("%x: %v", bad, err)
		}
		if got := bytes.Join(to.writes, nil); !bytes.Equal(got, publish("a", "1")) {
			t.Errorf("%x: %q came out", bad, got)
		}
	}
}

// A head that no buffer may hold is refused; one that is only long is not.
func TestLongHeads(t *testing.T) {
	for pairs, fits := range map[int]bool{10: true, 20: false} {
		p := wire.Publish{Topic: []byte("t")}
		for range pairs {
			p.Properties = p.Properties.WithUser("k", string(bytes.Repeat([]byte("v"), 65000)))
		}
		from, to := &script{pieces: [][]byte{p.AppendHead(nil, wire.V5)}}, &script{}
		err := between(from, to, byTopic).run()
		if fits != errors.Is(err, io.EOF) || fits == errors.Is(err, stream.ErrFull) {
			t.Errorf("%d user properties: %v", pairs, err)
		}
	}
}

// A message that is allowed costs no memory, whatever its quality of service.
func TestMessagesAllocateNothing(t *testing.T) {
	c := &connection{version: wire.V5, rules: everything{}, front: &front{}}
	c.sent.most, c.up.most = 10, 10
	for i := range c.front.allowed {
		c.front.allowed[i] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	for _, p := range []wire.Publish{{Topic: []byte("a/b")}, {Topic: []byte("a/b"), QoS: 1, PacketID: 1}, {Topic: []byte("a/b"), Alias: 3}, {Alias: 3, QoS: 2, PacketID: 1}} {
		packet := p.AppendHead(nil, wire.V5)
		h, err := wire.Stream{Version: wire.V5, From: wire.Client}.Scan(packet)
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(100, func() {
			if e, err := c.fromClient(t.Context(), h, packet); err != nil || e.skip != 0 {
				t.Fatal(e, err)
			}
			c.sent.remove(p.PacketID)
		})
		if n > 0 {
			t.Errorf("%+v: %v allocations", p, n)
		}
	}
}
