package hostile_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
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
	ws, response, err := websocket.Dial(ctx, "ws://"+address, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"mqtt"}})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
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

// framedPing is a PINGREQ in a frame.
var framedPing = []byte("\x82\x82\x00\x00\x00\x00" + wire.Pingreq)

// upgraded reads what a gateway answers to HTTP: a response, and after one of status 101 frames.
type upgraded struct {
	packet func(have []byte) (what string, rest []byte, err error)
	frames bool
}

// take takes one answer off what has arrived, and describes it.
func (u *upgraded) take(have []byte) (what string, rest []byte, err error) {
	if u.frames {
		return u.frame(have)
	}
	if !bytes.Contains(have, []byte("\r\n\r\n")) {
		return "", nil, wire.ErrShort
	}
	r := bufio.NewReader(bytes.NewReader(have))
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	if u.frames = response.StatusCode == http.StatusSwitchingProtocols; !u.frames {
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return "", nil, wire.ErrShort
		}
	}
	rest, err = io.ReadAll(r)
	return "HTTP " + strconv.Itoa(response.StatusCode), rest, err
}

// frame takes one frame of the gateway's off: they are not masked, and short.
func (u *upgraded) frame(have []byte) (what string, rest []byte, err error) {
	if len(have) < 2 || have[1] < 126 && len(have) < 2+int(have[1]) {
		return "", nil, wire.ErrShort
	}
	payload, rest := have[2:2+have[1]], have[2+have[1]:]
	switch have[0] {
	case 0x82:
		what, _, err = u.packet(payload)
	case 0x88:
		what = fmt.Sprintf("CLOSE %d", binary.BigEndian.Uint16(payload))
	case 0x8A:
		what = fmt.Sprintf("PONG %s", payload)
	default:
		err = fmt.Errorf("frame %x", have)
	}
	return what, rest, err
}

// TestHostileWebSocket has everything wrong on the way to MQTT with a server that speaks it inside a WebSocket.
func TestHostileWebSocket(t *testing.T) {
	s := newMQTTStage(t, nil)
	s.employ()
	calm()
	counts := map[string]*costs{"W01": {}}
	for _, v := range mqttVectors(t, "W01") {
		s.try(v, counts["W01"])
	}
	report(t, counts, s.worked)
}
