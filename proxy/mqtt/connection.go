package mqtt

import (
	"context"
	"sync"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// connection is one client, and once it is let in its one connection to the broker.
type connection struct {
	front   *front
	session *proxy.Session
	server  *plan.Server
	ws      *webSocket // nil on TCP
	client  *stream.Stream
	back    sink            // what the client is told
	version wire.Version    // 0 before CONNECT
	told    bool            // CONNACK has been sent: what is refused now gets a DISCONNECT
	login   *sasl.Principal // proved in the HTTP request; later whoever has logged in

	principal *sasl.Principal
	method    string    // of enhanced authentication; empty: none
	renewal   *exchange // re-authentication under way; nil: none
	expires   time.Time // when the login must have been renewed; zero: never
	rules     rules
	willed    bool // there is a will at the broker

	broker  *stream.Stream
	forth   sink          // what the broker is told; its conn is nil until there is one
	ended   chan struct{} // closed when the pump of the broker's packets has ended; nil until there is one
	failure error         // why it ended; read after ended

	up, down      aliases       // to the broker, and from it
	sent          ids           // MQTT 5: messages of the client that the broker has not acknowledged
	swallowed     ids           // 3.x: messages of QoS 2 that were denied, until the client's PUBREL
	withheld      ids           // messages of QoS 2 that were not delivered, until the broker's PUBREL
	grants        grants        // SUBSCRIBEs that were denied in part, until the broker's SUBACK
	subscriptions filters       // of this connection
	longest       int           // bytes of a packet of the client's
	bearable      int           // bytes of a packet that the client takes; 0: any
	silence       time.Duration // of the client, after which it is gone
	keepAlive     bool          // silence is by its keep alive, whatever is sent to it

	reading, writing *stream.Deadline // of the client
	hearing          *stream.Deadline // of the broker

	mu       sync.Mutex
	open     bool // both sides are connected, and stop may write to them
	stopping bool
}

func newConnection(f *front, s *proxy.Session) *connection {
	idle := s.State.Limits.Idle
	c := &connection{front: f, session: s, server: s.State.Server, client: stream.New(s.Conn, stream.Sip)}
	c.reading = stream.NewDeadline(s.Conn.SetReadDeadline, idle)
	c.writing = stream.NewDeadline(s.Conn.SetWriteDeadline, s.State.Limits.Handshake)
	c.back = sink{conn: s.Conn, deadline: c.writing, count: s.Metrics().ToClient, lost: errClient}
	s.AfterDraining(c.stop)
	return c
}

// through makes the bytes inside a WebSocket the connection's.
func (c *connection) through(ws *webSocket) {
	c.ws, c.back.conn = ws, ws
	c.client = stream.New(ws, stream.Sip)
}

// serve runs the stages. Every refusal goes through session.Refuse; nil is an ordinary end.
//
// All up to the broker's CONNACK happens aside: a login and a dial take a stack of 8 KiB, and the wait for the client half of
// it.
func (c *connection) serve(ctx context.Context) error {
	var through bool
	var err error
	c.session.Aside(func() { through, err = c.enter(ctx) })
	if !through {
		return err
	}
	c.session.Go(c.deliver)
	return c.end(ctx, c.requests(ctx))
}

// enter takes the client up to where both sides are connected. False: the connection is over, and the error is that of
// serve.
func (c *connection) enter(ctx context.Context) (bool, error) {
	within, cancel := context.WithTimeout(ctx, c.session.State.Limits.Handshake)
	defer cancel()
	if c.server.MQTT.WebSocket {
		if ok, err := c.upgrade(within); !ok {
			return false, err
		}
	}
	connect, err := c.readConnect(within)
	if connect == nil {
		return false, unlessLeft(err)
	}
	admitted, err := c.admit(within, connect)
	if admitted == nil {
		return false, unlessLeft(err)
	}
	if err := c.connect(ctx, connect, admitted); err != nil {
		return false, c.end(ctx, err)
	}
	return c.begin(), nil
}

// begin lets stop write to both sides from now on. False: the session has had to end meanwhile.
func (c *connection) begin() bool {
	c.ended = make(chan struct{})
	c.mu.Lock()
	c.open = true
	stopping := c.stopping
	c.mu.Unlock()
	if stopping {
		close(c.ended)
		c.stop()
	}
	return !stopping
}
