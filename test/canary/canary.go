// Package canary is a broker for tests of what stands before it: it believes whoever connects, says that it is all of the
// cluster, and keeps every frame that it was sent, by connection.
//
// It answers ApiVersions as Apache Kafka 4.3.1 did when it was recorded, Metadata with itself, any other API with an
// empty answer of the right form, and it closes on what a broker closes on. A test may put an answer of its own in the
// place of any.
package canary

import (
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// recorded is the body of an ApiVersions response in version 4, in hexadecimal.
//
//go:embed apiversions.hex
var recorded string

// maxFrame bounds what the canary reads, in bytes.
const maxFrame = 16 << 20

// Options say how the canary differs from a good broker.
type Options struct {
	// Answer may answer a request in the broker's place, with bytes that go out as they are, length included. With false
	// the canary answers itself. Closing the connection is done by [Conn.Close].
	Answer func(c *Conn, r Request) (raw []byte, instead bool)
}

// Request is one frame that arrived.
type Request struct {
	Key, Version int16
	Correlation  int32
	ClientID     string
	Frame        []byte // without its length
	Body         []byte // what follows the header
}

// Broker is a running canary.
type Broker struct {
	Host string
	Port int32

	options  Options
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []*Conn
}

// Conn is a connection that somebody opened to the canary.
type Conn struct {
	net.Conn
	broker *Broker

	requests []Request
	odd      []byte // the beginning of what was no request
}

// Start starts a canary on a free port of 127.0.0.1. It ends with the test.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{Host: "127.0.0.1", Port: int32(listener.Addr().(*net.TCPAddr).Port), options: o, listener: listener}
	b.running.Go(b.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		b.mu.Lock()
		for _, c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		b.running.Wait()
	})
	return b
}

// Address is host:port of the canary.
func (b *Broker) Address() string { return b.listener.Addr().String() }

// Requests are all frames that arrived with one of the client ids, or with any other than these.
func (b *Broker) Requests(match func(clientID string) bool) []Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []Request
	for _, c := range b.conns {
		for _, r := range c.requests {
			if match(r.ClientID) {
				found = append(found, r)
			}
		}
	}
	return found
}

// Odd is what arrived that was no request: nothing of it may ever come from a gateway.
func (b *Broker) Odd() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []byte
	for _, c := range b.conns {
		all = append(all, c.odd...)
	}
	return all
}

// Forget drops what has arrived so far.
func (b *Broker) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		c.requests, c.odd = nil, nil
	}
}

func (b *Broker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		c := &Conn{Conn: conn, broker: b}
		b.mu.Lock()
		b.conns = append(b.conns, c)
		b.mu.Unlock()
		b.running.Go(c.serve)
	}
}

func (c *Conn) serve() {
	defer c.forgotten()
	for {
		frame, ok := c.read()
		if !ok {
			return
		}
		r, ok := parse(frame)
		c.broker.mu.Lock()
		if ok {
			c.requests = append(c.requests, r)
		} else {
			c.odd = append(c.odd, frame...)
		}
		c.broker.mu.Unlock()
		if !ok {
			return
		}
		answer, instead := []byte(nil), false
		if c.broker.options.Answer != nil {
			answer, instead = c.broker.options.Answer(c, r)
		}
		if !instead {
			if answer = c.broker.answer(r); answer == nil {
				return
			}
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// forgotten closes the connection, and drops it if nothing of note came on it: a gateway's own watch comes back for ever.
func (c *Conn) forgotten() { _ = c.Close() }

func (c *Conn) read() (frame []byte, ok bool) {
	var length [4]byte
	n, err := io.ReadFull(c, length[:])
	if err != nil {
		c.keep(length[:n])
		return nil, false
	}
	size := int32(binary.BigEndian.Uint32(length[:]))
	if size < 0 || size > maxFrame {
		c.keep(length[:])
		return nil, false
	}
	frame = make([]byte, size)
	if n, err := io.ReadFull(c, frame); err != nil {
		c.keep(append(length[:], frame[:n]...))
		return nil, false
	}
	return frame, true
}

func (c *Conn) keep(b []byte) {
	c.broker.mu.Lock()
	c.odd = append(c.odd, b...)
	c.broker.mu.Unlock()
}

// parse reads the header of a request and checks its body, as a broker does.
func parse(frame []byte) (Request, bool) {
	h, n, err := wire.ParseRequestHeader(frame)
	r := Request{Key: h.Key, Version: h.Version, Correlation: h.Correlation, ClientID: string(h.ClientID), Frame: frame}
	if err != nil {
		return r, false
	}
	r.Body = frame[n:]
	return r, true
}

// answer is what a good broker says; nil: it closes the connection.
func (b *Broker) answer(r Request) []byte {
	if wire.CheckRequest(r.Key, r.Version, r.Body) != nil {
		return nil
	}
	switch request := kmsg.RequestForKey(r.Key).(type) {
	case nil:
		return nil
	case *kmsg.ApiVersionsRequest:
		return Frame(r, versions(r.Version))
	case *kmsg.MetadataRequest:
		return Frame(r, b.metadata(r.Version))
	case *kmsg.ProduceRequest:
		request.SetVersion(r.Version)
		if request.ReadFrom(r.Body) == nil && request.Acks == 0 {
			return []byte{}
		}
	}
	response := kmsg.ResponseForKey(r.Key)
	response.SetVersion(r.Version)
	return Frame(r, response)
}

// versions are what the recorded broker supports.
func versions(version int16) *kmsg.ApiVersionsResponse {
	body, err := hex.DecodeString(strings.TrimSpace(recorded))
	if err != nil {
		panic(err)
	}
	response := kmsg.NewPtrApiVersionsResponse()
	response.Version = 4
	if err := response.ReadFrom(body); err != nil {
		panic(err)
	}
	response.Version = version
	return response
}

func (b *Broker) metadata(version int16) *kmsg.MetadataResponse {
	response := kmsg.NewPtrMetadataResponse()
	response.Version = version
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = 1, b.Host, b.Port
	response.Brokers = append(response.Brokers, broker)
	response.ClusterID = kmsg.StringPtr("canary")
	response.ControllerID = 1
	return response
}

// Frame is an answer to a request as it goes out, length included.
func Frame(r Request, response kmsg.Response) []byte {
	b := make([]byte, 4, 256)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Correlation))
	if response.IsFlexible() && r.Key != int16(kmsg.ApiVersions) {
		b = append(b, 0)
	}
	b = response.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}
