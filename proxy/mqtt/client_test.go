package mqtt_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

func (w *world) readServers(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	var servers []struct{ Name, Listen string }
	if err := json.Unmarshal(text, &servers); err != nil {
		w.t.Fatal(err)
	}
	for _, s := range servers {
		w.addresses[s.Name] = s.Listen
	}
}

// client speaks MQTT a packet at a time.
type client struct {
	t    *testing.T
	conn net.Conn
	v    wire.Version
	in   []byte
	from wire.Sender // whose packets it reads
}

// dial connects to a server of the gateway.
func (w *world) dial(server string) *client {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addresses[server])
	if err != nil {
		w.t.Fatal(err)
	}
	return newClient(w.t, conn)
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{t: t, conn: conn, from: wire.Server}
}

// login is a CONNECT of a user.
func login(v wire.Version, user, id string) *wire.Connect {
	c := &wire.Connect{Version: v, CleanStart: true, KeepAlive: 60, ClientID: id}
	if user != "" {
		c.HasUsername, c.Username, c.HasPassword, c.Password = true, user, true, []byte(inprocess.Password(user))
	}
	return c
}

// connected is a client that the gateway has let in.
func (w *world) connected(server string, c *wire.Connect) *client {
	w.t.Helper()
	one := w.dial(server)
	if ack := one.connect(c); ack.Code != wire.Success {
		w.t.Fatalf("%s is refused: %s", c.Username, ack.Code)
	}
	return one
}

func (c *client) send(packets ...[]byte) {
	c.t.Helper()
	if _, err := c.conn.Write(bytes.Join(packets, nil)); err != nil {
		c.t.Fatal(err)
	}
}

// next reads a packet; io.EOF if the other side has closed.
func (c *client) next() (wire.Header, []byte, error) {
	for {
		h, err := wire.Stream{Version: c.v, From: c.from}.Scan(c.in)
		if err == nil {
			packet := c.in[:h.Len():h.Len()]
			c.in = c.in[h.Len():]
			return h, packet[h.Size:], nil
		}
		if !errors.Is(err, wire.ErrShort) {
			return h, nil, err
		}
		b := make([]byte, 4096)
		n, err := c.conn.Read(b)
		if n == 0 {
			return h, nil, err
		}
		c.in = append(c.in, b[:n]...)
	}
}

// want reads a packet of a type, and returns its body.
func (c *client) want(t wire.Type) (wire.Header, []byte) {
	c.t.Helper()
	h, body, err := c.next()
	if err != nil {
		c.t.Fatalf("%v in place of %s", err, t)
	}
	if h.Type != t {
		c.t.Fatalf("%s %x in place of %s", h.Type, body, t)
	}
	return h, body
}

// ended waits for the end of the connection, after nothing more has been said.
func (c *client) ended() {
	c.t.Helper()
	h, body, err := c.next()
	if err == nil {
		c.t.Fatalf("%s %x in place of the end", h.Type, body)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection does not end")
	}
	if !errors.Is(err, io.EOF) {
		c.t.Logf("the connection ended with %v", err)
	}
}

// connect sends a CONNECT and returns the answer, in which 3.x return codes stand as they are.
func (c *client) connect(p *wire.Connect) wire.Connack {
	c.t.Helper()
	c.v = p.Version
	c.send(p.Append(nil))
	return c.connack()
}

func (c *client) connack() wire.Connack {
	c.t.Helper()
	_, body := c.want(wire.CONNACK)
	ack, err := wire.DecodeConnack(body, c.v)
	if err != nil {
		c.t.Fatal(err)
	}
	return ack
}

// disconnected waits for a DISCONNECT with that code, and the end after it.
func (c *client) disconnected(code wire.ReasonCode) {
	c.t.Helper()
	_, body := c.want(wire.DISCONNECT)
	d, err := wire.DecodeDisconnect(body, c.v, c.from)
	if err != nil || d.Code != code {
		c.t.Errorf("DISCONNECT with %s (%v), and not %s", d.Code, err, code)
	}
	c.ended()
}

func (c *client) subscribe(id uint16, filters ...string) []byte {
	c.t.Helper()
	s := wire.Subscribe{PacketID: id}
	for _, f := range filters {
		s.List = wire.AppendSubscription(s.List, wire.Subscription{Filter: []byte(f), QoS: 2})
	}
	c.send(s.Append(nil, c.v))
	_, body := c.want(wire.SUBACK)
	ack, err := wire.DecodeSuback(wire.SUBACK, body, c.v)
	if err != nil || ack.PacketID != id {
		c.t.Fatalf("SUBACK %+v: %v", ack, err)
	}
	return ack.Codes
}

// message is a PUBLISH.
func message(v wire.Version, topic string, qos byte, id uint16, payload string) []byte {
	p := wire.Publish{Topic: []byte(topic), QoS: qos, PacketID: id, Payload: len(payload)}
	return append(p.AppendHead(nil, v), payload...)
}

// publish reads a PUBLISH.
func (c *client) publish() (wire.Publish, string) {
	c.t.Helper()
	h, body := c.want(wire.PUBLISH)
	p, n, err := wire.DecodePublish(h, body, c.v, c.from)
	if err != nil {
		c.t.Fatal(err)
	}
	return p, string(body[n:])
}

// ack reads an acknowledgement of a type.
func (c *client) ack(t wire.Type) wire.Ack {
	c.t.Helper()
	_, body := c.want(t)
	a, err := wire.DecodeAck(t, body, c.v)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func tlsClient(conn net.Conn, config *tls.Config) net.Conn { return tls.Client(conn, config) }
