package kafka_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// scripted is what the broker of the model answers: it follows from key, version and correlation id alone.
func scripted(key, version int16, correlation int32) []byte {
	r := rand.New(rand.NewPCG(uint64(key)<<16|uint64(version), uint64(correlation)))
	switch {
	case key == 1 && version >= 16:
		return fetched(r, version)
	}
	return noise(r)
}

// noise is a payload of any size: most are small, some are about the size of a buffer, a few are large.
func noise(r *rand.Rand) []byte {
	n := r.IntN(200)
	switch r.IntN(20) {
	case 0:
		n = 64<<10 - 20 + r.IntN(40)
	case 1:
		n = r.IntN(400 << 10)
	case 2:
		n = r.IntN(9000)
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// fetched is a Fetch answer with records and, now and then, the address of a new leader.
func fetched(r *rand.Rand, version int16) []byte {
	answer := kmsg.NewPtrFetchResponse()
	answer.Version = version
	for range r.IntN(4) {
		topic := kmsg.NewFetchResponseTopic()
		for range 1 + r.IntN(3) {
			partition := kmsg.NewFetchResponseTopicPartition()
			partition.RecordBatches = noise(r)
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	if r.IntN(2) == 0 {
		node := kmsg.NewFetchResponseBroker()
		node.NodeID, node.Host, node.Port = 0, "a-broker-with-a-name.example.org", 9092
		answer.Brokers = append(answer.Brokers, node)
	}
	return answer.AppendTo([]byte{0})
}

// book is the gateway's address of the model's one broker.
type book int32

func (b book) Broker(id int32) (string, int32, bool) { return "127.0.0.1", int32(b), id == 0 }

// exchange is one request and what must come back.
type exchange struct {
	name   string
	frame  []byte
	answer []byte                 // exactly; nil: see check
	check  func(got []byte) error // nil: no answer
}

type model struct {
	r           *rand.Rand
	port        book
	versions    map[int16][]byte // ApiVersions answers, after the correlation id
	correlation int32
	renews      bool
}

func (m *model) next() []exchange {
	m.correlation++
	c := m.correlation
	exact := func(key, version int16, body []byte) []exchange {
		return []exchange{{name: fmt.Sprintf("%s %d", wire.Name(key), version), frame: ask(key, version, c, body), answer: frameOf(c, scripted(key, version, c))}}
	}
	switch m.r.IntN(12) {
	case 0, 1:
		return exact(12, int16(m.r.IntN(5)), noise(m.r))
	case 2, 3:
		body := append([]byte{0xff, 0xff, 0, 1, 0, 0, 0, 9}, noise(m.r)...)
		return exact(0, 7, body)
	case 4:
		body := append([]byte{0, 0, 0, 0, 0, 0, 9}, noise(m.r)...) // compact null, acks 0
		return []exchange{{name: "Produce without acks", frame: ask(0, 9, c, body)}}
	case 5:
		f := kmsg.NewPtrFetchRequest()
		f.Version = 11
		return exact(1, 11, f.AppendTo(nil))
	case 6, 7:
		f := kmsg.NewPtrFetchRequest()
		f.Version = 16 + int16(m.r.IntN(2))
		e := exact(1, f.Version, f.AppendTo(nil))
		e[0].answer = m.rewritten(f.Version, e[0].answer)
		return e
	case 8:
		version := int16(m.r.IntN(13))
		q := kmsg.NewPtrMetadataRequest()
		q.Version = version
		return []exchange{{name: "Metadata", frame: ask(3, version, c, q.AppendTo(nil)),
			answer: frameOf(c, metadataOf(version, int32(m.port)))}}
	case 9:
		version := []int16{0, 2, 3}[m.r.IntN(3)]
		return []exchange{{name: "ApiVersions", frame: askVersions(version, c), answer: frameOf(c, m.versions[version])}}
	case 10:
		q := kmsg.NewPtrCreateTopicsRequest()
		q.Version = 5
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic = fmt.Sprint("topic-", c)
		q.Topics = append(q.Topics, topic)
		body := q.AppendTo(nil)
		refused, err := api.Refuse(wire.RequestHeader{Key: 19, Version: 5, Correlation: c}, body)
		if err != nil {
			panic(err)
		}
		return []exchange{{name: "CreateTopics", frame: ask(19, 5, c, body), answer: refused}}
	default:
		if !m.renews {
			return []exchange{{name: "SaslAuthenticate", frame: ask(36, 1, c, []byte{0, 0, 0, 1, 'x'}), check: code(c, 34)}}
		}
		m.correlation++
		return []exchange{
			{name: "SaslHandshake", frame: ask(17, 1, c, []byte("\x00\x05PLAIN")), check: code(c, 0)},
			{name: "SaslAuthenticate", frame: ask(36, 1, c+1, plainToken()), check: code(c+1, 0)},
		}
	}
}

func (m *model) rewritten(version int16, frame []byte) []byte {
	payload := frame[4:]
	var s address.Stream
	if err := s.Reset(m.port, 1, version, len(payload)); err != nil {
		panic(err)
	}
	_, pass, out, err := s.Feed(payload)
	if err != nil {
		panic(err)
	}
	return append(bytes.Clone(frame[:4+pass]), out...)
}

func plainToken() []byte {
	token := []byte("\x00alice\x00alice-secret")
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...)
}

func askVersions(version int16, correlation int32) []byte {
	q := kmsg.NewPtrApiVersionsRequest()
	q.Version, q.ClientSoftwareName, q.ClientSoftwareVersion = version, "model", "1"
	return ask(18, version, correlation, q.AppendTo(nil))
}

// code checks the correlation id and the error code after it.
func code(correlation int32, want int16) func([]byte) error {
	return func(frame []byte) error {
		if len(frame) < 10 || int32(binary.BigEndian.Uint32(frame[4:])) != correlation {
			return errors.New("another answer")
		}
		if got := int16(binary.BigEndian.Uint16(frame[8:])); got != want {
			return fmt.Errorf("error %d, want %d", got, want)
		}
		return nil
	}
}

// roundTrip sends one request and returns the answer's frame.
func roundTrip(t *testing.T, conn net.Conn, frame []byte) []byte {
	t.Helper()
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	answer, err := readFrame(conn)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)
}

// logIn dials the gateway and logs alice in with PLAIN.
func logIn(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	proveAlice(t, conn)
	return conn
}

func proveAlice(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := code(1, 0)(roundTrip(t, conn, ask(17, 1, 1, []byte("\x00\x05PLAIN")))); err != nil {
		t.Fatal(err)
	}
	if err := code(2, 0)(roundTrip(t, conn, ask(36, 1, 2, plainToken()))); err != nil {
		t.Fatal(err)
	}
}

// withPlain makes the server ask for PLAIN.
func withPlain(p *plan.Plan) {
	p.Servers[0].Alternatives = []plan.Alternative{{Enabled: true, All: []plan.Requirement{{
		Scheme: "plain", Type: "plain", Mechanisms: []string{sasl.Plain}}}}}
}

func (w *world) modelOn(conn net.Conn, seed uint64) *model {
	m := &model{r: rand.New(rand.NewPCG(seed, seed)), versions: map[int16][]byte{}, correlation: 1000}
	q := kmsg.NewPtrMetadataRequest()
	q.Version = 1
	got := roundTrip(w.t, conn, ask(3, 1, 3, q.AppendTo(nil)))
	var answer kmsg.MetadataResponse
	answer.Version = 1
	if err := answer.ReadFrom(got[8:]); err != nil {
		w.t.Fatal(err)
	}
	m.port = book(answer.Brokers[0].Port)
	for _, version := range []int16{0, 2, 3} {
		m.versions[version] = roundTrip(w.t, conn, askVersions(version, 4))[8:]
	}
	return m
}

// play pipelines requests in pieces of any size and holds every answer against the model.
func (m *model) play(conn net.Conn, requests int) error {
	var all []exchange
	var sent []byte
	for len(all) < requests {
		for _, e := range m.next() {
			all = append(all, e)
			sent = append(sent, e.frame...)
		}
	}
	pieces := rand.New(rand.NewPCG(m.r.Uint64(), 1))
	wrote := make(chan error, 1)
	go func() {
		for p := sent; len(p) > 0; {
			n := 1 + pieces.IntN(min(len(p), []int{20, 5000, 300000}[pieces.IntN(3)]))
			if _, err := conn.Write(p[:n]); err != nil {
				wrote <- err
				return
			}
			p = p[n:]
		}
		wrote <- nil
	}()
	for i, e := range all {
		if e.answer == nil && e.check == nil {
			continue
		}
		payload, err := readFrame(conn)
		if err != nil {
			return fmt.Errorf("answer %d, to %s: %w", i, e.name, err)
		}
		got := append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
		if e.check != nil {
			err = e.check(got)
		} else if !bytes.Equal(got, e.answer) {
			err = fmt.Errorf("%d bytes %.40x, want %d bytes %.40x", len(got), got, len(e.answer), e.answer)
		}
		if err != nil {
			return fmt.Errorf("answer %d, to %s: %w", i, e.name, err)
		}
	}
	return <-wrote
}

func TestEveryAnswerComesInItsTurnAndWhole(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	for _, c := range []struct {
		name   string
		change func(*plan.Plan, *broker)
		renews bool
	}{
		{"a plain session", func(*plan.Plan, *broker) {}, false},
		{"a client that logs in again", func(p *plan.Plan, _ *broker) { p.Servers[0].MaxSession = time.Hour }, true},
		{"a gateway that must log in again", func(p *plan.Plan, b *broker) {
			p.Servers[0].Upstream.SASL = &plan.UpstreamSASL{Mechanism: sasl.Plain, Username: "gateway", Password: "env:MODEL_PASSWORD"}
			b.lifetime.Store(5)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("MODEL_PASSWORD", "x")
			b := newBroker(t, nil)
			b.pieces = true
			b.answer = func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
				switch {
				case h.Key == 3:
					return b.metadata(h.Version), true
				case h.Key == 0 && h.Version == 9:
					return nil, false
				}
				return scripted(h.Key, h.Version, h.Correlation), true
			}
			w := startBefore(t, []string{b.address()}, func(p *plan.Plan) {
				withPlain(p)
				c.change(p, b)
			})
			requests := 1500
			if testing.Short() {
				requests = 300
			}
			for i := range uint64(3) {
				t.Run(fmt.Sprint("seed ", seed+i), func(t *testing.T) {
					conn := logIn(t, w.address)
					m := w.modelOn(conn, seed+i)
					m.renews = c.renews
					if err := m.play(conn, requests); err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}
