package hostile_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/test/inprocess"
)

// TestHostileMQTTInWebSocket has every vector inside a WebSocket: it goes as on TCP. What an input costs is measured there;
// the frames and the library that reads them would be measured here.
func TestHostileMQTTInWebSocket(t *testing.T) {
	s := newMQTTStage(t, nil)
	s.dial = func(server string) (net.Conn, error) {
		return dialWebSocket(t.Context(), s.gateway.Addresses[server+inprocess.InWebSocket])
	}
	before := calm()
	all := mqttVectors(t, "M[01][0-9]")
	for _, v := range all {
		if r := s.play(v.class+"/"+v.name, v, nil); r != nil {
			s.judge(v.class+"/"+v.name, v, r)
		}
	}
	if !settle(before) { // U4
		t.Errorf("%v before, %v after", before, resources())
	}
	t.Logf("%d hostile inputs inside a WebSocket", len(all))
}

// inWebSocket is the bytes inside a WebSocket, with the address and the end of the connection below.
type inWebSocket struct {
	net.Conn
	under *net.TCPConn
}

func dialWebSocket(ctx context.Context, address string) (net.Conn, error) {
	c := &inWebSocket{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			c.under = conn.(*net.TCPConn)
		}
		return conn, err
	}}
	ws, _, err := websocket.Dial(ctx, "ws://"+address, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"mqtt"}})
	if err != nil {
		if c.under != nil {
			err = errors.Join(err, c.under.Close())
		}
		return nil, err
	}
	ws.SetReadLimit(-1)
	c.Conn = websocket.NetConn(ctx, ws, websocket.MessageBinary)
	return c, nil
}

func (c *inWebSocket) LocalAddr() net.Addr { return c.under.LocalAddr() }

func (c *inWebSocket) CloseWrite() error { return c.under.CloseWrite() }

// Close ends it without a word: whoever is hostile does not say goodbye.
func (c *inWebSocket) Close() error {
	return errors.Join(c.under.Close(), c.Conn.Close())
}
