package canary

import (
	"net"
	"slices"
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
