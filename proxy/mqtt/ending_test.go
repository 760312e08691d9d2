package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wills is what the broker has published of wills to the topic "will".
func (b *broker) wills(t *testing.T) <-chan string {
	t.Helper()
	heard := make(chan string, 10)
	err := b.Subscribe("will", 1, func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) { heard <- string(p.Payload) })
	if err != nil {
		t.Fatal(err)
	}
	return heard
}

// A drain tells clients of MQTT 5 so, and ends all of them at once; their wills are published.
func TestDrain(t *testing.T) {
	b := newBroker(t, nil)
	wills := b.wills(t)
	w := start(t, b.url, nil)
	var clients []*client
	for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
		c := login(v, "alice", v.String())
		c.Will = &wire.Will{Topic: "will", Payload: []byte("bye")}
		clients = append(clients, w.connected("mqtt", c))
	}
	silent := w.dial("mqtt") // has not logged in
	parts.Await(t, patience, "acceptance of the silent one", func() bool { return w.gateway.Open() == 4 })
	w.drain()
	for _, c := range clients {
		if c.v == wire.V5 {
			c.disconnected(wire.ServerShuttingDown)
		} else {
			c.ended()
		}
		<-wills
	}
	silent.ended()
	select {
	case err := <-w.ended:
		w.ended <- err
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("the drain does not end")
	}
	if n := w.logs.FilterMessage("refused").Len(); n != 1 {
		t.Errorf("%d refusals: only the one that had not logged in is refused", n)
	}
}

// Who is revoked goes at once, without a last word: the will goes too. Others stay.
func TestRevocation(t *testing.T) {
	b := newBroker(t, nil)
	wills := b.wills(t)
	w := start(t, b.url, nil)
	connect := func(user, will string, v wire.Version) *client {
		c := login(v, user, user)
		c.Will = &wire.Will{Topic: "will", Payload: []byte(will)}
		return w.connected("mqtt", c)
	}
	alice, bob, carol := connect("alice", "alice's", wire.V5), connect("bob", "bob's", wire.V5), connect("carol", "carol's", wire.V311)
	w.directory.revoke("alice")
	w.directory.revoke("carol")
	if err := w.gateway.Reload(w.plan); err != nil {
		t.Fatal(err)
	}
	alice.disconnected(wire.AdministrativeAction)
	carol.ended()
	w.refused(sasl.CodeRevoked)
	bob.send([]byte(wire.Pingreq))
	bob.want(wire.PINGRESP)
	_ = bob.conn.Close() // without DISCONNECT
	if will := <-wills; will != "bob's" {
		t.Errorf("the will %q was published", will)
	}
}

// A session ends with maxSession; until then it may be renewed, by who logs in with an exchange.
func TestSessionExpiry(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		p.Servers[0].MaxSession = 100 * time.Millisecond
		p.Limits.Handshake = 500 * time.Millisecond
		add(p, "other", b.url, passwords).MaxSession = 100 * time.Millisecond
	})
	busy := w.connected("mqtt", login(wire.V5, "alice", "busy"))
	for goesOn := true; goesOn; { // a client that goes on as if nothing was
		busy.send([]byte(wire.Pingreq))
		h, body, err := busy.next()
		if goesOn = h.Type == wire.PINGRESP; !goesOn && (err != nil || len(body) == 0 || body[0] != byte(wire.MaximumConnectTime)) {
			t.Errorf("%s %x, %v", h.Type, body, err)
		}
	}
	w.refused("session-expired")
	idle := w.connected("other", login(wire.V5, "alice", "idle"))
	idle.disconnected(wire.MaximumConnectTime)
	w.refused(sasl.CodeExpired)
}

// A client that is not heard within one and a half times its keep alive is gone. Pieces of a packet are no sign of life.
func TestKeepAlive(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	connect := login(wire.V5, "alice", "one")
	connect.KeepAlive = 1
	began := time.Now()
	c := w.connected("mqtt", connect)
	c.send([]byte{0x30, 100, 0, 1}) // and nothing more of it
	c.disconnected(wire.KeepAliveTimeout)
	if after := time.Since(began); after < time.Second {
		t.Errorf("gone after %s", after)
	}
	w.refused("keep-alive")
	connect.Version = wire.V311
	w.connected("mqtt", connect).ended()
}

// Without a keep alive, limits.idle bounds the silence of both sides together: what is delivered counts.
func TestIdle(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { p.Limits.Idle = 2 * time.Second })
	connect := login(wire.V311, "alice", "one")
	connect.KeepAlive = 0
	c := w.connected("mqtt", connect)
	c.subscribe(1, "t")
	began := time.Now()
	for range 6 {
		if err := b.Publish("t", []byte("x"), false, 0); err != nil {
			t.Fatal(err)
		}
		c.want(wire.PUBLISH)
		tick := time.NewTimer(500 * time.Millisecond)
		<-tick.C
	}
	c.ended()
	if after := time.Since(began); after < 3*time.Second {
		t.Errorf("gone after %s, in the middle of deliveries", after)
	}
	w.refused("idle")
}

// What clients must not do once they are connected: the right last word, one record, and nothing of it at the broker.
func TestMisbehaviour(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { p.Limits.Frame = 64 << 10 })
	again := login(wire.V5, "alice", "one").Append(nil)
	for _, c := range []struct {
		name  string
		bytes []byte
		code  wire.ReasonCode
		audit string
	}{
		{"a second CONNECT", again, wire.ProtocolError, "protocol-error"},
		{"CONNACK", wire.Connack{}.Append(nil, wire.V5), wire.ProtocolError, "protocol-error"},
		{"PINGRESP", []byte(wire.Pingresp), wire.ProtocolError, "protocol-error"},
		{"the reserved type", []byte{0, 0}, wire.MalformedPacket, "malformed"},
		{"QoS 3", []byte{0x36, 5, 0, 1, 't', 0, 1}, wire.MalformedPacket, "malformed"},
		{"a length of five bytes", []byte{0x30, 0x80, 0x80, 0x80, 0x80, 1}, wire.MalformedPacket, "malformed"},
		{"a length that is not minimal", []byte{0xC0, 0x80, 0}, wire.MalformedPacket, "malformed"},
		{"a packet longer than announced", []byte{0x30, 0x80, 0x80, 4}, wire.PacketTooLarge, "packet-length"},
		{"a topic with a wildcard", message(wire.V5, "a/+", 0, 0, ""), wire.MalformedPacket, "malformed"},
		{"an empty topic", message(wire.V5, "", 0, 0, ""), wire.ProtocolError, "protocol-error"},
		{"packet id 0", message(wire.V5, "t", 1, 0, ""), wire.ProtocolError, "protocol-error"},
		{"a subscription id", (&wire.Publish{Topic: []byte("t"), Properties: wire.Properties{0x0B, 1}}).AppendHead(nil, wire.V5), wire.ProtocolError, "protocol-error"},
		{"no filter", []byte{0x82, 3, 0, 1, 0}, wire.MalformedPacket, "malformed"},
		{"a bad filter", []byte{0x82, 8, 0, 1, 0, 0, 2, 'a', '#', 0}, wire.MalformedPacket, "malformed"},
		{"an acknowledgement with a code that there is not", []byte{0x40, 3, 0, 1, 0x33}, wire.ProtocolError, "protocol-error"},
		{"DISCONNECT with a server's code", []byte{0xE0, 1, 0x8B}, wire.ProtocolError, "protocol-error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.logs.TakeAll()
			one := w.connected("mqtt", login(wire.V5, "alice", "one"))
			one.send(c.bytes)
			_, body := one.want(wire.DISCONNECT)
			if d, _ := wire.DecodeDisconnect(body, wire.V5, wire.Server); d.Code != c.code {
				t.Errorf("DISCONNECT with %s, and not %s", d.Code, c.code)
			}
			one.ended()
			w.refused(c.audit)
			old := w.connected("mqtt", login(wire.V311, "alice", "one"))
			if c.name != "a subscription id" && c.name != "no filter" { // which are something else in 3.1.1
				old.send(c.bytes)
				old.ended()
			}
		})
	}
}

// More messages on their way than the Receive Maximum end the connection, and no fewer do (CATALOGUE M10).
func TestReceiveMaximum(t *testing.T) {
	script := newScript(t)
	w := start(t, script.url, nil)
	c := w.dial("mqtt")
	c.v = wire.V5
	c.send(login(wire.V5, "alice", "one").Append(nil))
	up, _ := script.accept()
	up.send(wire.Connack{Properties: wire.Properties(nil).WithUint(wire.ReceiveMaximum, 3)}.Append(nil, wire.V5))
	if most, _ := c.connack().Properties.Uint(wire.ReceiveMaximum); most != 3 {
		t.Errorf("announced %d", most)
	}
	for id := range uint16(3) {
		c.send(message(wire.V5, "t", 1+byte(id%2), id+1, ""))
		up.publish()
	}
	up.send(wire.Ack{Type: wire.PUBACK, PacketID: 1}.Append(nil, wire.V5), wire.Ack{Type: wire.PUBREC, PacketID: 2, Code: wire.QuotaExceeded}.Append(nil, wire.V5))
	c.ack(wire.PUBACK)
	c.ack(wire.PUBREC)
	for _, id := range []uint16{4, 5} {
		c.send(message(wire.V5, "t", 1, id, ""))
		up.publish()
	}
	c.send(message(wire.V5, "t", 1, 6, ""))
	c.disconnected(wire.ReceiveMaximumExceeded)
	w.refused("receive-maximum")
}

// A connection has so many subscriptions, and makes room for others by ending some.
func TestSubscriptionQuota(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	c := w.connected("mqtt", login(wire.V5, "alice", "one"))
	some := func(from, n int) (filters []string) {
		for i := range n {
			filters = append(filters, fmt.Sprintf("t/%d", from+i))
		}
		return filters
	}
	for i := range 10 {
		c.subscribe(uint16(i+1), some(i*1000, 1000)...)
	}
	if codes := c.subscribe(11, "t/0", "one/more"); codes[0] != 2 || codes[1] != byte(wire.QuotaExceeded) {
		t.Errorf("granted %v", codes)
	}
	c.send([]byte{0xA2, 8, 0, 12, 0, 0, 3, 't', '/', '0'})
	c.want(wire.UNSUBACK)
	if codes := c.subscribe(13, "one/more"); codes[0] != 2 {
		t.Errorf("granted %v", codes)
	}
}

// Before the login: whoever says nothing, or half of something, or nothing of MQTT, is gone in time (CATALOGUE F03).
func TestBeforeTheLogin(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { p.Limits.Handshake = time.Second })
	long := login(wire.V5, "alice", "one")
	long.Will = &wire.Will{Topic: "t", Payload: make([]byte, 65000)}
	far := *long
	far.Properties = wire.Properties(nil).WithUser("k", strings.Repeat("x", 8200))
	for _, c := range []struct {
		name  string
		bytes []byte
		ack   wire.ReasonCode // 0xFF: closed without a word
		audit string
	}{
		{"silence", nil, 0xFF, "timeout"},
		{"half a CONNECT", login(wire.V5, "alice", "one").Append(nil)[:20], 0xFF, "timeout"},
		{"PUBLISH first", message(wire.V5, "t", 0, 0, "x"), 0xFF, "connect-required"},
		{"PINGREQ first", []byte(wire.Pingreq), 0xFF, "connect-required"},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0xFF, "connect-required"},
		{"TLS", []byte{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3}, 0xFF, "malformed"},
		{"a length of five bytes", []byte{0x10, 0x80, 0x80, 0x80, 0x80, 1}, 0xFF, "malformed"},
		{"a CONNECT of 256 MiB", []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60}, wire.PacketTooLarge, "packet-length"},
		{"one of 256 MiB in 3.1.1", []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60}, 0xFF, "packet-length"},
		{"a long will", long.Append(nil), 0, ""},
		{"more than a head may have beside a long will", far.Append(nil), wire.PacketTooLarge, "packet-length"},
		{"an unknown level", []byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 6, 2, 0, 60, 0, 0}, 1, "unsupported-version"},
		{"an unknown name", []byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'X', 4, 2, 0, 60, 0, 0}, 0xFF, "unsupported-version"},
		{"reserved connect flags", []byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 3, 0, 60, 0, 0}, 0xFF, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.logs.TakeAll()
			one := w.dial("mqtt")
			one.v = wire.V5
			if c.ack == 1 {
				one.v = wire.V311
			}
			one.send(c.bytes)
			if c.ack != 0xFF {
				if ack := one.connack(); ack.Code != c.ack {
					t.Errorf("CONNACK with %s", ack.Code)
				}
			}
			if c.ack == 0 {
				return
			}
			before := b.notes.count()
			one.ended()
			w.refused(c.audit)
			if b.notes.count() != before {
				t.Error("the broker has heard of it")
			}
		})
	}
}
