package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// The sub-protocols of MQTT inside WebSocket (MQTT 5 section 6, and what clients of 3.1 ask for).
const (
	subprotocol   = "mqtt"
	subprotocol31 = "mqttv3.1"
)

func subprotocolOf(v wire.Version) string {
	if v == wire.V31 {
		return subprotocol31
	}
	return subprotocol
}

// webSocket is the bytes inside the binary messages of a WebSocket: where messages begin and end says nothing. Its
// deadlines are those of the connection below; one that has passed is the end of the WebSocket.
type webSocket struct {
	net.Conn // below
	ws       *websocket.Conn
	message  io.Reader // that is being read; nil: none
}

func newWebSocket(ws *websocket.Conn, under net.Conn) *webSocket {
	ws.SetReadLimit(-1) // messages pass through; no more of one is kept than of anything else
	return &webSocket{Conn: under, ws: ws}
}

// errFrame is what is no WebSocket, or no MQTT inside one: control packets travel in binary messages (MQTT 5 section 6).
var errFrame = errors.New("WebSocket")

// Read reads what there is of one message. Pings are answered meanwhile.
func (w *webSocket) Read(p []byte) (int, error) {
	for {
		if w.message == nil {
			kind, message, err := w.ws.Reader(context.Background())
			if err != nil {
				return 0, ofFrame(err)
			}
			if kind != websocket.MessageBinary {
				return 0, fmt.Errorf("%w: a message of text", errFrame)
			}
			w.message = message
		}
		n, err := w.message.Read(p)
		if err == io.EOF {
			w.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, ofFrame(err)
		}
	}
}

// ofFrame tells a frame that breaks the protocol from a connection that has ended.
func ofFrame(err error) error {
	var network net.Error
	switch {
	case err == nil:
		return nil
	case websocket.CloseStatus(err) != -1:
		return io.EOF
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return err
	}
	return fmt.Errorf("%w: %w", errFrame, err)
}

// Write writes one message.
func (w *webSocket) Write(p []byte) (int, error) {
	if err := w.ws.Write(context.Background(), websocket.MessageBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// farewell is how long the end of a WebSocket may take: the other side answers the frame that closes it.
const farewell = 250 * time.Millisecond

// Close says goodbye, and closes.
func (w *webSocket) Close() error { return w.shut(websocket.StatusNormalClosure) }

// shut closes with a status.
func (w *webSocket) shut(status websocket.StatusCode) error {
	_ = w.Conn.SetDeadline(time.Now().Add(farewell))
	return w.ws.Close(status, "")
}
