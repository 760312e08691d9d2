package mqtttest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Target is where a client connects to.
type Target struct {
	URL    string      // mqtt://, mqtts://, ws:// or wss:// with host:port and, for a WebSocket, a path
	TLS    *tls.Config // for mqtts and wss
	Header http.Header // of the WebSocket's upgrade
}

// Patience bounds how long an answer is waited for, and a connection: long, for a machine that is busy with other things.
const Patience = 30 * time.Second

// Conn is one connection of a client.
type Conn struct {
	net.Conn

	Version byte // 3, 4 or 5
	reading sync.Once
	came    chan came
	closing sync.Once
	done    chan struct{} // closed with the connection
}

// came is a packet, or the end of the connection.
type came struct {
	packet *Packet
	err    error
}

// ErrNothing says that nothing came in time.
var ErrNothing = errors.New("nothing came")

// Dial connects; the test fails if it cannot. The connection ends with the test.
func Dial(t testing.TB, target Target, version byte) *Conn {
	t.Helper()
	c, err := DialContext(t.Context(), target, version)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// DialContext connects. The caller closes.
func DialContext(ctx context.Context, target Target, version byte) (*Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	scheme, address, _ := strings.Cut(target.URL, "://")
	var conn net.Conn
	var err error
	switch scheme {
	case "mqtt":
		conn, err = (&net.Dialer{}).DialContext(dialing, "tcp", address)
	case "mqtts":
		conn, err = (&tls.Dialer{Config: target.TLS}).DialContext(dialing, "tcp", address)
	case "ws", "wss":
		conn, err = dialWebSocket(ctx, dialing, target, version)
	default:
		err = fmt.Errorf("%s: no address of MQTT", target.URL)
	}
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, Version: version, came: make(chan came), done: make(chan struct{})}, nil
}

func dialWebSocket(ctx, dialing context.Context, target Target, version byte) (net.Conn, error) {
	protocol := "mqtt"
	if version == 3 {
		protocol = "mqttv3.1"
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: target.TLS}}
	ws, response, err := websocket.Dial(dialing, target.URL, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: target.Header, Subprotocols: []string{protocol},
	})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(longest)
	return websocket.NetConn(ctx, ws, websocket.MessageBinary), nil
}

// Send writes packets, one a line, with one call.
func (c *Conn) Send(lines ...string) error {
	var all []byte
	for _, line := range lines {
		p, err := Parse(line)
		if err != nil {
			return err
		}
		bytes, err := p.Encode(c.Version)
		if err != nil {
			return err
		}
		all = append(all, bytes...)
	}
	_, err := c.Write(all)
	return err
}

// Receive returns the next packet, or [ErrNothing]; from the first call on the connection is read.
func (c *Conn) Receive(within time.Duration) (*Packet, error) {
	c.reading.Do(func() { go c.read() })
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case r, more := <-c.came:
		if !more {
			return nil, io.EOF // said before
		}
		return r.packet, r.err
	case <-timer.C:
		return nil, ErrNothing
	}
}

// read hands over what comes, until the end. Not by deadlines: they end a WebSocket.
func (c *Conn) read() {
	defer close(c.came)
	in := bufio.NewReader(c.Conn)
	for {
		p, err := Read(in, c.Version)
		select {
		case c.came <- came{p, err}:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.closing.Do(func() { close(c.done) })
	return c.Conn.Close()
}

// Put is Send, and the test fails if it fails.
func (c *Conn) Put(t testing.TB, lines ...string) {
	t.Helper()
	if err := c.Send(lines...); err != nil {
		t.Fatalf("%v: %v", lines, err)
	}
}

// Get is Receive with [Patience], and the test fails if nothing comes.
func (c *Conn) Get(t testing.TB) *Packet {
	t.Helper()
	p, err := c.Receive(Patience)
	if err != nil {
		t.Fatalf("instead of a packet: %v", err)
	}
	return p
}

// Ask sends a packet and returns the next that comes.
func (c *Conn) Ask(t testing.TB, line string) *Packet {
	t.Helper()
	c.Put(t, line)
	return c.Get(t)
}

// Try connects, sends a packet, and returns what comes, which may be no packet at all.
func Try(ctx context.Context, target Target, version byte, line string) (*Packet, error) {
	c, err := DialContext(ctx, target, version)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Send(line); err != nil {
		return nil, err
	}
	return c.Receive(Patience)
}
