package canary

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// What the MQTT canary announces to clients of MQTT 5.
const (
	MQTTReceiveMaximum    = 20
	MQTTTopicAliasMaximum = 5
)

// Unanswered is a topic whose messages the MQTT canary never acknowledges.
const Unanswered = "hold"

// MQTT is a running canary that speaks MQTT of all versions: it believes whoever connects, grants what is subscribed to,
// acknowledges what is published, routes nothing, and keeps every packet that it was sent, by connection.
type MQTT struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	conns   []*MQTTConn
	changed chan struct{} // closed and replaced with every packet, and with every end
}

// MQTTConn is a connection that somebody opened to the canary.
type MQTTConn struct {
	net.Conn
	broker  *MQTT
	version wire.Version

	// Guarded by the broker's mutex.
	connect *wire.Connect // nil until it has come
	packets []wire.Type
	odd     []byte // the beginning of what was no packet
	ended   bool
}

// StartMQTT starts a canary on a free port of 127.0.0.1. It ends with the test.
func StartMQTT(t testing.TB) *MQTT {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &MQTT{listener: listener, changed: make(chan struct{})}
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
func (b *MQTT) Address() string { return b.listener.Addr().String() }

// Seen describes what has arrived on the connections whose CONNECT matches, a connection each: its packets by type, in
// their order, with how many times one came after the other; "odd" at the end stands for bytes that are no packet. What
// came on a connection without a good CONNECT matches always.
func (b *MQTT) Seen(match func(*wire.Connect) bool) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, c := range b.conns {
		if c.connect != nil && !match(c.connect) || c.connect == nil && len(c.odd) == 0 {
			continue
		}
		all = append(all, c.describe())
	}
	return all
}

func (c *MQTTConn) describe() string {
	var words []string
	for i := 0; i < len(c.packets); {
		n := 1
		for i+n < len(c.packets) && c.packets[i+n] == c.packets[i] {
			n++
		}
		word := c.packets[i].String()
		if n > 1 {
			word = fmt.Sprintf("%s*%d", word, n)
		}
		words = append(words, word)
		i += n
	}
	if len(c.odd) > 0 {
		words = append(words, "odd")
	}
	return strings.Join(words, " ")
}

// Connects are the CONNECTs that have arrived.
func (b *MQTT) Connects() []*wire.Connect {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*wire.Connect
	for _, c := range b.conns {
		if c.connect != nil {
			all = append(all, c.connect)
		}
	}
	return all
}

// Idle reports whether no connection is open whose CONNECT matches.
func (b *MQTT) Idle(match func(*wire.Connect) bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !slices.ContainsFunc(b.conns, func(c *MQTTConn) bool {
		return !c.ended && (c.connect == nil || match(c.connect))
	})
}

// Changed is closed with the next packet, and with the next end of a connection.
func (b *MQTT) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Send sends bytes on the connections whose CONNECT matches.
func (b *MQTT) Send(match func(*wire.Connect) bool, packet []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		if c.connect != nil && !c.ended && match(c.connect) {
			if _, err := c.Write(packet); err != nil {
				return err
			}
		}
	}
	return nil
}

// Forget drops the connections that have ended.
func (b *MQTT) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns = slices.DeleteFunc(b.conns, func(c *MQTTConn) bool { return c.ended })
}

// note changes something under the mutex, and tells whoever waits.
func (b *MQTT) note(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *MQTT) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		c := &MQTTConn{Conn: conn, broker: b}
		b.note(func() { b.conns = append(b.conns, c) })
		b.running.Go(c.serve)
	}
}

func (c *MQTTConn) serve() {
	defer func() {
		_ = c.Close()
		c.broker.note(func() { c.ended = true })
	}()
	r := bufio.NewReaderSize(c, 4096)
	for {
		h, body, err := c.read(r)
		if err != nil {
			return
		}
		answer, ok := c.take(h, body)
		if !ok {
			c.broker.note(func() { c.odd = append(c.odd, byte(h.Type)<<4|h.Flags) })
			return
		}
		if len(answer) > 0 {
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
		if h.Type == wire.DISCONNECT {
			return
		}
	}
}

// read reads one packet. What is no packet, and what is half of one, is kept.
func (c *MQTTConn) read(r *bufio.Reader) (h wire.Header, body []byte, err error) {
	scan := wire.Stream{Version: c.version, From: wire.Client, Max: maxFrame}
	for n := 1; ; n++ {
		b, err := r.Peek(n)
		if err != nil {
			c.keep(b)
			return h, nil, err
		}
		h, err = scan.Scan(b)
		if err == wire.ErrShort && h.Size == 0 {
			continue
		}
		if err != nil && err != wire.ErrShort {
			c.keep(b)
			return h, nil, err
		}
		break
	}
	packet := make([]byte, h.Len())
	if n, err := io.ReadFull(r, packet); err != nil {
		c.keep(packet[:n])
		return h, nil, err
	}
	return h, packet[h.Size:], nil
}

func (c *MQTTConn) keep(b []byte) {
	if len(b) > 0 {
		c.broker.note(func() { c.odd = append(c.odd, b...) })
	}
}

// take notes a packet and says what a good broker answers; false: it is none.
func (c *MQTTConn) take(h wire.Header, body []byte) (answer []byte, ok bool) {
	var err error
	connect := (*wire.Connect)(nil)
	switch h.Type {
	case wire.CONNECT:
		if connect, err = wire.DecodeConnect(slices.Clone(body)); err == nil {
			c.version = connect.Version
			answer = c.connack()
		}
	case wire.PUBLISH:
		answer, err = c.published(h, body)
	case wire.PUBREC, wire.PUBREL:
		var a wire.Ack
		if a, err = wire.DecodeAck(h.Type, body, c.version); err == nil && !a.Code.Failed() {
			answer = wire.Ack{Type: h.Type + 1, PacketID: a.PacketID}.Append(nil, c.version)
		}
	case wire.SUBSCRIBE:
		var s wire.Subscribe
		s, err = wire.DecodeSubscribe(body, c.version)
		ack := wire.Suback{Type: wire.SUBACK, PacketID: s.PacketID}
		for one := range s.All() {
			ack.Codes = append(ack.Codes, one.QoS)
		}
		answer = ack.Append(nil, c.version)
	case wire.UNSUBSCRIBE:
		var u wire.Unsubscribe
		u, err = wire.DecodeUnsubscribe(body, c.version)
		answer = wire.Suback{Type: wire.UNSUBACK, PacketID: u.PacketID, Codes: make([]byte, u.Count)}.Append(nil, c.version)
	case wire.PINGREQ:
		answer = []byte(wire.Pingresp)
	}
	if err != nil {
		return nil, false
	}
	c.broker.note(func() {
		if connect != nil {
			c.connect = connect
		}
		c.packets = append(c.packets, h.Type)
	})
	return answer, true
}

func (c *MQTTConn) connack() []byte {
	ack := wire.Connack{}
	if c.version == wire.V5 {
		ack.Properties = ack.Properties.WithUint(wire.ReceiveMaximum, MQTTReceiveMaximum).WithUint(wire.TopicAliasMaximum, MQTTTopicAliasMaximum)
	}
	return ack.Append(nil, c.version)
}

func (c *MQTTConn) published(h wire.Header, body []byte) ([]byte, error) {
	p, _, err := wire.DecodePublish(h, body, c.version, wire.Client)
	if err != nil || p.QoS == 0 || string(p.Topic) == Unanswered {
		return nil, err
	}
	ack := wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}
	if p.QoS == 2 {
		ack.Type = wire.PUBREC
	}
	return ack.Append(nil, c.version), nil
}
