package hostile_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// A broker that is not one, or no longer: K07 and K14. What it sends on a client's connection must end that connection,
// and nothing that answers no request may reach the client.

// evil is a client id: to requests with it the canary answers as the test says. The gateway's own watch gets good answers.
const evil = "evil"

// answers are what is sent instead of the answer to a Metadata request with correlation id 1; %c is the frame's own id.
var answers = []struct {
	name string
	raw  []byte // for the last of the requests
	sent int    // Metadata requests of the client, before which nothing is answered
}{
	{"of-nobodys-request", answer(77, metadata()), 1},
	{"of-a-later-request", answer(2, metadata()), 2},
	{"of-an-earlier-connection", answer(-1, metadata()), 1},
	{"with-a-negative-length", unhex("ffffffff"), 1},
	{"with-the-least-length", unhex("80000000"), 1},
	{"of-no-bytes", unhex("00000000"), 1},
	{"of-three-bytes", unhex("00000003000000"), 1},
	{"without-tagged-fields-in-its-header", frame(append(be32(1), metadata()[1:]...)), 1},
	{"with-2-to-31-brokers", answer(1, unhex("0000000000ffffffff0700")), 1},
	{"with-2-to-32-tagged-fields", answer(1, unhex("00000000000101ffffffffff0f")), 1},
	{"with-2-to-32-tags-in-its-header", answer(1, unhex("ffffffff0f0000")), 1},
	{"with-a-name-longer-than-itself", answer(1, unhex("000000000002000000017f61")), 1},
	{"with-bytes-behind", answer(1, append(metadata(), 1, 2, 3)), 1},
	{"of-garbage", answer(1, unhex(strings.Repeat("ff", 1000))), 1},
	{"of-zeros", answer(1, make([]byte, 60000)), 1},
	{"of-http", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 1},
	{"twice", append(answer(1, metadata()), answer(1, metadata())...), 1},
	{"twice-later", append(append(answer(1, metadata()), answer(2, metadata())...), answer(2, metadata())...), 2},
	{"swapped", append(answer(2, metadata()), answer(1, metadata())...), 2},
}

func TestAnswersThatAnswerNothingEndTheConnection(t *testing.T) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			upstreamEnded := make(chan struct{})
			seen := 0
			b := canary.Start(t, canary.Options{Answer: func(c *canary.Conn, r canary.Request) ([]byte, bool) {
				if r.ClientID != evil {
					return nil, false
				}
				if seen++; seen < a.sent {
					return nil, true
				}
				_, _ = c.Write(a.raw)
				_, _ = io.Copy(io.Discard, c)
				close(upstreamEnded)
				return nil, true
			}})
			s := before(t, b)
			conn := s.dial()
			for i := range a.sent {
				s.send(conn, int32(i+1))
			}
			from := used()
			got := s.readToEnd(conn)
			spent := used()
			for correlation := int32(1); len(got) > 0; correlation++ {
				if n := binary.BigEndian.Uint32(got); int(n)+4 > len(got) || binary.BigEndian.Uint32(got[4:]) != uint32(correlation) {
					t.Fatalf("the client received %x", got)
				}
				got = got[4+binary.BigEndian.Uint32(got):]
			}
			select {
			case <-upstreamEnded:
			case <-time.After(patience):
				t.Error("the connection to the broker is still open")
			}
			if cpu := spent.cpu - from.cpu; !instrumented && cpu > 100*time.Millisecond {
				t.Errorf("took %v of CPU", cpu)
			}
			if allocated := spent.allocated - from.allocated; !instrumented && allocated > 1<<20 {
				t.Errorf("%d bytes of the broker allocated %d", len(a.raw), allocated)
			}
			s.stillWorks()
		})
	}
}

// A broker never answers a Produce without acknowledgement: if it does, the answer belongs to nothing.
func TestAnAnswerToAProduceWithoutAcknowledgementEndsTheConnection(t *testing.T) {
	b := canary.Start(t, canary.Options{Answer: func(_ *canary.Conn, r canary.Request) ([]byte, bool) {
		if r.Key != int16(kmsg.Produce) {
			return nil, false
		}
		return frame(be32(r.Correlation)), true
	}})
	s := before(t, b)
	conn := s.dial()
	produce := kmsg.NewPtrProduceRequest()
	produce.Version, produce.Acks = 7, 0
	if _, err := conn.Write(request(produce, 1)); err != nil {
		t.Fatal(err)
	}
	if got := s.readToEnd(conn); len(got) > 0 {
		t.Errorf("the client received %x", got)
	}
	s.stillWorks()
}

// Bytes that nobody asked for, from a broker that talks first.
func TestABrokerThatTalksFirstEndsTheConnection(t *testing.T) {
	b := canary.Start(t, canary.Options{Answer: func(_ *canary.Conn, r canary.Request) ([]byte, bool) {
		if r.ClientID != evil {
			return nil, false
		}
		return append(canary.Frame(r, good(r.Version)), answer(2, metadata())...), true
	}})
	s := before(t, b)
	conn := s.dial()
	s.send(conn, 1)
	got := s.readToEnd(conn)
	if n := len(got); n > 0 && int(binary.BigEndian.Uint32(got))+4 != n {
		t.Errorf("the client received more than its answer: %x", got)
	}
	s.stillWorks()
}

func before(t *testing.T, b *canary.Broker) *stage {
	t.Helper()
	c := inprocess.NewCertificates(t)
	p := inprocess.Plan(inprocess.PlanOptions{Certificates: c, Session: time.Second, Bootstrap: []string{b.Address()}})
	s := &stage{t: t, canary: b, gateway: inprocess.Start(t, p, inprocess.NewUsers(t, "alice"))}
	s.target = &dialogue.Target{Addresses: s.gateway.Addresses, TLS: c.Client}
	return s
}

func (s *stage) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.gateway.Addresses[inprocess.Plaintext])
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// send asks for metadata.
func (s *stage) send(conn net.Conn, correlation int32) {
	s.t.Helper()
	r := kmsg.NewPtrMetadataRequest()
	r.Version = 12
	if _, err := conn.Write(request(r, correlation)); err != nil {
		s.t.Fatal(err)
	}
}

// readToEnd reads until the gateway closes the connection, which it has to do although the client is not idle for long.
func (s *stage) readToEnd(conn net.Conn) []byte {
	s.t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Errorf("the connection is open %v after it; received %x", patience, got)
	}
	return got
}

// stillWorks has a legitimate client ask.
func (s *stage) stillWorks() {
	s.t.Helper()
	conn := s.dial()
	r, err := ping.Continue(s.t.Context(), conn, s.target, dialogue.Patience{Expected: patience})
	if err != nil || r.Transcript() != ping.Transcript() {
		s.t.Errorf("the next client: %v\n%v", err, r)
	}
}

func request(r kmsg.Request, correlation int32) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(r.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(r.GetVersion()))
	b = append(b, be32(correlation)...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(evil))), evil...)
	if r.IsFlexible() {
		b = append(b, 0)
	}
	return frame(r.AppendTo(b))
}

// answer is a response with the header of a flexible version.
func answer(correlation int32, body []byte) []byte {
	return frame(append(append(be32(correlation), 0), body...))
}

func good(version int16) *kmsg.MetadataResponse {
	r := kmsg.NewPtrMetadataResponse()
	r.Version = version
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = 1, "127.0.0.1", 9092
	r.Brokers = append(r.Brokers, broker)
	return r
}

func metadata() []byte { return good(12).AppendTo(nil) }

func frame(b []byte) []byte { return append(be32(int32(len(b))), b...) }

func be32(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
