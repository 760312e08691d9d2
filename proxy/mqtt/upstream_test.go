package mqtt_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// A broker that is not there is no fault of the client's, and no reason to stop: it is let in as soon as there is one.
func TestBrokerDown(t *testing.T) {
	w := start(t, closed(t), nil)
	for v, code := range map[wire.Version]wire.ReasonCode{wire.V31: 3, wire.V311: 3, wire.V5: wire.ServerUnavailable} {
		w.logs.TakeAll()
		c := w.dial("mqtt")
		if ack := c.connect(login(v, "alice", "one")); ack.Code != code {
			t.Errorf("MQTT %s: %s", v, ack.Code)
		}
		c.ended()
		w.refused("upstream-unavailable")
	}
}

// A broker that dies ends its clients, who are told so in MQTT 5.
func TestBrokerDies(t *testing.T) {
	script := newScript(t)
	w := start(t, script.url, nil)
	for _, v := range []wire.Version{wire.V311, wire.V5} {
		w.logs.TakeAll()
		c, up := script.connected(w, login(v, "alice", "one"))
		_ = up.conn.Close()
		if v == wire.V5 {
			c.disconnected(wire.ServerShuttingDown)
		} else {
			c.ended()
		}
		w.refused("upstream-lost")
	}
}

// script is a broker that a test plays.
type script struct {
	t   *testing.T
	l   net.Listener
	url string
}

func newScript(t *testing.T) *script {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &script{t, l, "mqtt://" + l.Addr().String()}
}

// accept takes the gateway's next connection and reads its CONNECT.
func (s *script) accept() (*client, *wire.Connect) {
	s.t.Helper()
	_ = s.l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	c := newClient(s.t, conn)
	c.from = wire.Client
	_, body := c.want(wire.CONNECT)
	connect, err := wire.DecodeConnect(body)
	if err != nil {
		s.t.Fatal(err)
	}
	c.v = connect.Version
	return c, connect
}

// connected lets a client of the gateway in, and returns both ends.
func (s *script) connected(w *world, connect *wire.Connect) (c, up *client) {
	s.t.Helper()
	c = w.dial("mqtt")
	c.v = connect.Version
	c.send(connect.Append(nil))
	up, _ = s.accept()
	up.send(wire.Connack{}.Append(nil, up.v))
	if ack := c.connack(); ack.Code != wire.Success {
		s.t.Fatal(ack.Code)
	}
	return c, up
}

// What the broker refuses the client for is passed on; what it refuses the gateway for is not the client's to know.
func TestBrokerRefuses(t *testing.T) {
	script := newScript(t)
	w := start(t, script.url, nil)
	for _, c := range []struct {
		v            wire.Version
		broker       []byte
		client       wire.ReasonCode
		code, reason string
	}{
		{wire.V311, wire.Connack{Code: 5}.Append(nil, wire.V311), 3, "upstream-login", "credentials"},
		{wire.V311, wire.Connack{Code: 4}.Append(nil, wire.V311), 3, "upstream-login", "credentials"},
		{wire.V311, wire.Connack{Code: 2}.Append(nil, wire.V311), 2, "upstream-refused", "Client Identifier"},
		{wire.V311, wire.Connack{Code: 1}.Append(nil, wire.V311), 1, "upstream-refused", "Version"},
		{wire.V5, wire.Connack{Code: 0x86}.Append(nil, wire.V5), 0x88, "upstream-login", "credentials"},
		{wire.V5, wire.Connack{Code: 0x87}.Append(nil, wire.V5), 0x88, "upstream-login", "credentials"},
		{wire.V5, wire.Connack{Code: 0x9C, Properties: wire.Properties(nil).WithText(wire.ServerReference, "10.0.0.1:1883")}.Append(nil, wire.V5), 0x88, "upstream-refused", "another server"},
		{wire.V5, wire.Connack{Code: 0x97}.Append(nil, wire.V5), 0x97, "upstream-refused", "Quota"},
		{wire.V5, wire.Connack{Code: 1}.Append(nil, wire.V311), 0x84, "upstream-refused", "Version"},
		{wire.V5, []byte(wire.Pingresp), 0x88, "upstream-unavailable", "PINGRESP"},
		{wire.V5, []byte{0x20, 0xFF, 0xFF, 0xFF, 0x7F}, 0x88, "upstream-unavailable", "longer"},
		{wire.V5, message(wire.V5, "t", 0, 0, "x"), 0x88, "upstream-unavailable", "PUBLISH"},
		{wire.V311, []byte{0x20, 2, 2, 0}, 3, "upstream-unavailable", "flag"},
	} {
		w.logs.TakeAll()
		one := w.dial("mqtt")
		one.v = c.v
		one.send(login(c.v, "alice", "one").Append(nil))
		up, _ := script.accept()
		up.send(c.broker)
		ack := one.connack()
		if ack.Code != c.client || len(ack.Properties) > 0 {
			t.Errorf("%x is passed on as %#x %x", c.broker, byte(ack.Code), ack.Properties)
		}
		one.ended()
		if r := w.refused(c.code); !strings.Contains(r["reason"].(string), c.reason) {
			t.Errorf("%x: %v", c.broker, r["reason"])
		}
	}
}

// What a broker must not send once it has accepted a client ends both connections.
func TestBrokerMisbehaves(t *testing.T) {
	script := newScript(t)
	w := start(t, script.url, nil)
	alias := wire.Publish{Topic: []byte("t"), Alias: 5}
	for name, bytes := range map[string][]byte{
		"a second CONNACK":         wire.Connack{}.Append(nil, wire.V5),
		"a packet of clients":      []byte(wire.Pingreq),
		"AUTH":                     auth(wire.ContinueAuthentication, "x", nil),
		"reserved bits":            {0xD1, 0},
		"a length of five bytes":   {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1},
		"a topic with a wildcard":  {0x30, 5, 0, 2, 'a', '#', 0},
		"an alias nobody asked of": alias.AppendHead(nil, wire.V5),
		"more than the client can": append([]byte{0x30, 0xFF, 0x7F, 0, 1, 't', 0}, make([]byte, 100)...),
		"a code that there is not": {0x40, 3, 0, 1, 0x33},
	} {
		t.Run(name, func(*testing.T) {
			w.logs.TakeAll()
			connect := login(wire.V5, "alice", "one")
			connect.Properties = connect.Properties.WithUint(wire.MaximumPacketSize, 1000)
			c, up := script.connected(w, connect)
			up.send(bytes)
			c.disconnected(wire.ServerShuttingDown)
			up.ended()
			w.refused("upstream-answer")
		})
	}
}

// The gateway shows the broker its own credentials, or the principal's name, and nothing of the client's.
func TestUpstreamIdentity(t *testing.T) {
	b := newBroker(t, nil)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, b.url, func(p *plan.Plan) {
		u := &add(p, "service", b.url, passwords).Upstream
		u.Username, u.Password = "gateway", plan.Secret("file:"+file)
		u = &add(p, "principal", b.url, passwords).Upstream
		u.Identity, u.Password = plan.IdentityPrincipal, plan.Secret("file:"+file)
	})
	for _, c := range []struct{ server, user, password string }{{"mqtt", "", ""}, {"service", "gateway", "hush"}, {"principal", "alice", "hush"}} {
		w.connected(c.server, login(wire.V311, "alice", "one"))
		if up := b.notes.last(t).Connect; string(up.Username) != c.user || string(up.Password) != c.password {
			t.Errorf("%s shows the broker %q and %q", c.server, up.Username, up.Password)
		}
	}
}

// The gateway promises no more than itself and the broker can keep, and no less than that.
func TestConnack(t *testing.T) {
	b := newBroker(t, func(c *mochi.Capabilities) { c.ReceiveMaximum = 5000 })
	w := start(t, b.url, func(p *plan.Plan) {
		p.Limits.Frame, p.Limits.Idle = 1<<20, 90*time.Second
		add(p, "bound", b.url, passwords).MQTT.KeepAlive = 30
	})
	b.notes.say(func(p *packets.Properties) {
		p.TopicAliasMaximum, p.ReasonString, p.ServerReference, p.ResponseInfo = 100, "hello from 10.0.0.1", "10.0.0.1:1883", "answers/"
		p.User = []packets.UserProperty{{Key: "k", Val: "v"}}
	})
	c := w.dial("mqtt")
	connect := login(wire.V5, "alice", "one")
	connect.KeepAlive = 600
	connect.Properties = connect.Properties.WithUint(wire.TopicAliasMaximum, 500).WithUint(wire.RequestResponseInformation, 1)
	ack := c.connect(connect)
	for id, want := range map[wire.Property]uint32{
		wire.ReceiveMaximum: 1024, wire.MaximumPacketSize: 1 << 20, wire.TopicAliasMaximum: 16, wire.ServerKeepAlive: 60,
	} {
		if got, _ := ack.Properties.Uint(id); got != want {
			t.Errorf("%s is %d, and not %d", id, got, want)
		}
	}
	for _, gone := range []wire.Property{wire.ReasonString, wire.ServerReference, wire.AssignedClientIdentifier} {
		if ack.Properties.Has(gone) {
			t.Errorf("%s is passed on", gone)
		}
	}
	for _, kept := range []wire.Property{wire.UserProperty, wire.ResponseInformation} {
		if !ack.Properties.Has(kept) {
			t.Errorf("%s is lost", kept)
		}
	}
	up := b.notes.last(t)
	if up.Properties.TopicAliasMaximum != 16 || up.Connect.Keepalive != 61 {
		t.Errorf("the broker is asked for %d aliases, and a keep alive of %d", up.Properties.TopicAliasMaximum, up.Connect.Keepalive)
	}
	for asked, want := range map[uint16]uint32{0: 30, 31: 30, 20: 0} {
		connect := login(wire.V5, "alice", "one")
		connect.KeepAlive = asked
		c := w.dial("bound")
		if got, _ := c.connect(connect).Properties.Uint(wire.ServerKeepAlive); got != want {
			t.Errorf("who asks for a keep alive of %d is told %d", asked, got)
		}
	}
}

// After a client's goodbye it is the broker that ends the connection, but one that does not is not waited for for ever.
func TestBrokerStaysAfterGoodbye(t *testing.T) {
	script := newScript(t)
	w := start(t, script.url, nil)
	for _, v := range []wire.Version{wire.V311, wire.V5} {
		c, up := script.connected(w, login(v, "alice", "one"))
		c.send(wire.Disconnect{}.Append(nil, v))
		up.want(wire.DISCONNECT)
		up.ended()
		c.ended()
	}
}
