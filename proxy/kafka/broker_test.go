package kafka_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// broker is a broker of the test's own: it answers the gateway's questions, and clients as the test says.
type broker struct {
	t        *testing.T
	listener net.Listener
	// answer makes the payload after the correlation id of an answer to a client; ok is false for none.
	answer   func(h wire.RequestHeader, body []byte) (payload []byte, ok bool)
	peers    []*broker                     // the cluster, by id; nil: this one alone
	frozen   atomic.Pointer[chan struct{}] // the gateway's logins wait for it
	lifetime atomic.Int64                  // of the gateway's logins, in milliseconds
	logins   atomic.Int64
	read     atomic.Int64          // bytes
	asked    atomic.Int64          // requests of clients
	pieces   bool                  // write answers in pieces of chance
	raw      func(net.Conn) []byte // instead of answer: what is written, length and all
	topics   map[string][16]byte   // that the gateway is told of, by name

	mu    sync.Mutex
	tls   *tls.Config              // nil: in clear
	login func(body []byte) []byte // answers SaslAuthenticate; nil: whatever is said is good
	conns map[net.Conn]bool
	serve sync.WaitGroup
}

func newBroker(t *testing.T, answer func(h wire.RequestHeader, body []byte) ([]byte, bool)) *broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, listener: l, answer: answer, conns: map[net.Conn]bool{}}
	b.serve.Go(b.accept)
	t.Cleanup(func() {
		l.Close()
		b.cut()
		b.serve.Wait()
	})
	return b
}

func (b *broker) address() string { return b.listener.Addr().String() }

func (b *broker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		if b.tls != nil {
			conn = tls.Server(conn, b.tls)
		}
		b.conns[conn] = true
		b.mu.Unlock()
		b.serve.Go(func() {
			b.run(counted{conn, &b.read})
			conn.Close()
			b.mu.Lock()
			delete(b.conns, conn)
			b.mu.Unlock()
		})
	}
}

// counted counts what is read.
type counted struct {
	net.Conn
	read *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// secure makes it speak TLS, and judge logins.
func (b *broker) secure(config *tls.Config, login func(body []byte) []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tls, b.login = config, login
}

// cut closes all connections.
func (b *broker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

// holds tells whether a connection that it has answered on is still open.
func (b *broker) holds(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conns[conn.(counted).Conn]
}

func (b *broker) run(conn net.Conn) {
	for {
		frame, err := readFrame(conn)
		if err != nil {
			return
		}
		h, n, err := wire.ParseRequestHeader(frame)
		if err != nil {
			b.t.Errorf("a broker was sent a header that it cannot read: %v", err)
			return
		}
		if !b.write(conn, b.reply(conn, h, frame[n:])) {
			return
		}
	}
}

// reply is what is written for one request.
func (b *broker) reply(conn net.Conn, h wire.RequestHeader, body []byte) []byte {
	if string(h.ClientID) == "asyncgate" {
		return frameOf(h.Correlation, b.own(h, body))
	}
	b.asked.Add(1)
	if b.raw != nil {
		return b.raw(conn)
	}
	if payload, ok := b.answer(h, body); ok {
		return frameOf(h.Correlation, payload)
	}
	return nil
}

func (b *broker) write(conn net.Conn, frame []byte) bool {
	for len(frame) > 0 {
		n := len(frame)
		if b.pieces {
			n = 1 + rand.IntN(n)
		}
		if _, err := conn.Write(frame[:n]); err != nil {
			return false
		}
		frame = frame[n:]
	}
	return true
}

// own answers what the gateway asks for itself.
func (b *broker) own(h wire.RequestHeader, body []byte) []byte {
	switch h.Key {
	case 18:
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version = h.Version
		for _, a := range api.All() {
			if a.Max() >= 0 {
				lo, _ := wire.Versions(a.Key)
				r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: a.Key, MinVersion: lo, MaxVersion: a.Max()})
			}
		}
		return r.AppendTo(nil)
	case 3:
		if len(b.topics) > 0 {
			return b.metadataOfTopics(h, body)
		}
		return b.metadata(h.Version)
	case 17:
		b.logins.Add(1)
		if frozen := b.frozen.Load(); frozen != nil {
			<-*frozen
		}
		return []byte{0, 0, 0, 0, 0, 0}
	case 36:
		b.mu.Lock()
		login := b.login
		b.mu.Unlock()
		if login != nil {
			return login(body)
		}
		return append([]byte{0, 0, 0xff, 0xff, 0, 0, 0, 0}, binary.BigEndian.AppendUint64(nil, uint64(b.lifetime.Load()))...)
	}
	b.t.Errorf("the gateway asks a broker for %s", wire.Name(h.Key))
	return nil
}

// metadata is an answer that names the brokers of the cluster, with its header's tagged fields.
func (b *broker) metadata(version int16) []byte {
	var ports []int32
	for _, peer := range append(b.peers, b)[:max(1, len(b.peers))] {
		ports = append(ports, int32(peer.listener.Addr().(*net.TCPAddr).Port))
	}
	return metadataOf(version, ports...)
}

// metadataOfTopics is an answer to the gateway's own question for topics: all, or those of some ids.
func (b *broker) metadataOfTopics(h wire.RequestHeader, body []byte) []byte {
	request, err := wire.DecodeRequest(h.Key, h.Version, body)
	if err != nil {
		b.t.Errorf("the gateway asks what cannot be read: %v", err)
		return nil
	}
	var r kmsg.MetadataResponse
	r.Version = h.Version
	answer := b.metadata(h.Version)
	header := wire.AppendResponseHeader(nil, 3, h.Version, 0)[4:]
	if err := r.ReadFrom(answer[len(header):]); err != nil {
		b.t.Error(err)
	}
	asked := request.(*kmsg.MetadataRequest).Topics
	for name, id := range b.topics {
		if asked == nil || slices.ContainsFunc(asked, func(t kmsg.MetadataRequestTopic) bool { return t.TopicID == id }) {
			topic := kmsg.NewMetadataResponseTopic()
			topic.Topic, topic.TopicID = &name, id
			r.Topics = append(r.Topics, topic)
		}
	}
	return r.AppendTo(header)
}

// metadataOf is the same of brokers on loopback, by id.
func metadataOf(version int16, ports ...int32) []byte {
	r := kmsg.NewPtrMetadataResponse()
	r.Version = version
	for id, port := range ports {
		node := kmsg.NewMetadataResponseBroker()
		node.NodeID, node.Host, node.Port = int32(id), "127.0.0.1", port
		r.Brokers = append(r.Brokers, node)
	}
	return r.AppendTo(wire.AppendResponseHeader(nil, 3, version, 0)[4:])
}

// readFrame reads one frame without its length.
func readFrame(conn net.Conn) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	p := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(conn, p)
	return p, err
}

// frameOf is a frame with its length and correlation id.
func frameOf(correlation int32, payload []byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(4+len(payload)))
	return append(binary.BigEndian.AppendUint32(p, uint32(correlation)), payload...)
}

// ask is a request frame of a client.
func ask(key, version int16, correlation int32, body []byte) []byte {
	p := wire.AppendRequestHeader(make([]byte, 4), key, version, correlation, "model")
	p = append(p, body...)
	binary.BigEndian.PutUint32(p, uint32(len(p)-4))
	return p
}
