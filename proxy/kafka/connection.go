package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/sasl"
)

// connection is one client, and from its first request on the one broker it talks to.
type connection struct {
	front   *front
	session *proxy.Session
	broker  int32 // whose address was dialled; proxy.Bootstrap: any will do
	client  *stream

	principal *sasl.Principal
	expires   time.Time // when the session must have been renewed; zero: never
	renewal   *login    // re-authentication under way; nil: none

	upstream   *brokerConn    // nil until the first request
	answers    *stream        // what the broker sends
	tail       address.Stream // of the Fetch answer that is passing
	owed       inflight
	renewed    chan []byte   // answers to the gateway's own re-authentication
	ended      chan struct{} // closed when the pump of answers has ended; nil until there is one
	failure    error         // why it ended; read after ended
	lastAnswer atomic.Int64  // when bytes last went to the client, in Unix seconds

	reading, writing, sending deadline // of the client's reads and writes, and of writes to the broker
}

func newConnection(f *front, s *proxy.Session) *connection {
	c := &connection{front: f, session: s, broker: s.Broker, client: newStream(s.Conn, sip)}
	c.owed.init()
	s.AfterDraining(c.interrupt)
	idle := s.State.Limits.Idle
	c.reading = deadline{set: s.Conn.SetReadDeadline, after: idle}
	c.writing = deadline{set: s.Conn.SetWriteDeadline, after: idle}
	return c
}

// errIdle ends a connection on which nothing has moved for the idle limit.
var errIdle = errors.New("idle")

// serve runs the stages. Every refusal goes through session.Refuse; nil is an ordinary end.
func (c *connection) serve(ctx context.Context) error {
	if c.session.TLS != nil {
		id, ok := c.front.addresses.byName(c.session.TLS.ServerName)
		if !ok {
			c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageTLS, Code: "unknown-server-name",
				Private: fmt.Sprintf("the client asked for %.255q, which is neither the advertised host nor a broker's name", c.session.TLS.ServerName)})
			return nil
		}
		if id != proxy.Bootstrap {
			c.broker = id
		}
	}
	principal, err := c.login(ctx)
	if principal == nil || err != nil {
		return err
	}
	c.principal = principal
	c.client.size = chunk
	return c.requests(ctx)
}

// login lets the client prove who it is. Without a principal and an error the client has been refused, or has left.
func (c *connection) login(ctx context.Context) (*sasl.Principal, error) {
	state := c.session.State
	byCertificate, reject := policy.Admit(state.Server, c.session.Certificate, nil)
	if len(state.Mechanisms) == 0 {
		if reject == nil {
			reject = c.admit(byCertificate)
		} else {
			errors.As(c.session.CertificateErr, &reject) // says more: unknown, expired, revoked
		}
		if reject != nil {
			c.session.Refuse(ctx, reject)
			return nil, nil
		}
		return byCertificate, nil
	}
	ctx, cancel := context.WithTimeout(ctx, state.Limits.Handshake)
	defer cancel()
	l := c.newLogin(nil)
	for {
		if reject == nil && l.mechanism == nil { // who has begun a login must finish it
			enough, err := c.certificateSuffices()
			if err != nil {
				return nil, c.clientError(err)
			}
			if enough {
				if reject := c.admit(byCertificate); reject != nil {
					c.session.Refuse(ctx, reject)
					return nil, nil
				}
				return byCertificate, nil
			}
		}
		frame, err := c.client.readFrame(state.Limits.PreAuthFrame)
		if err == errFrameLength {
			c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: "frame-length",
				Private: fmt.Sprintf("a frame before authentication is at most %d bytes long", state.Limits.PreAuthFrame)})
			return nil, nil
		}
		if err != nil {
			return nil, c.clientError(err)
		}
		a := l.next(ctx, frame)
		if a.reject != nil {
			c.session.Refuse(ctx, a.reject)
		}
		if a.frame != nil {
			if _, err := c.session.Conn.Write(a.frame); err != nil {
				return nil, c.clientError(err)
			}
		}
		if a.reject != nil {
			return nil, nil
		}
		if a.principal != nil {
			return a.principal, nil
		}
	}
}

// certificateSuffices looks at the next request: anything but ApiVersions and SaslHandshake makes use of the
// certificate that has been shown. It consumes nothing.
func (c *connection) certificateSuffices() (bool, error) {
	for len(c.client.bytes()) < lengthSize+2 {
		if err := c.client.fill(); err != nil {
			return false, err
		}
	}
	r := newParser(c.client.bytes())
	r.int32()
	key := r.int16()
	return key != keyAPIVersions && key != keySaslHandshake, nil
}

func (c *connection) newLogin(previous *sasl.Principal) *login {
	return &login{
		session: c.session, previous: previous,
		versions: c.versions, lifetime: c.lifetime, admit: c.admit,
	}
}

// admit lets a principal in and notes when its session ends.
func (c *connection) admit(p *sasl.Principal) *sasl.Reject {
	reject := c.session.Admit(p)
	if reject == nil {
		c.expires = c.session.Expires()
	}
	return reject
}

// lifetime is how long the session lasts from now on, for the client to know when to log in again; zero: without end.
func (c *connection) lifetime() time.Duration {
	if c.expires.IsZero() {
		return 0
	}
	return max(time.Until(c.expires), time.Millisecond)
}

// versions are what the gateway offers on this connection: the broker's, or on a bootstrap address what all brokers have
// in common. It waits while nothing is known; nil: still nothing when ctx ended.
func (c *connection) versions(ctx context.Context) *versions {
	of := func(v *view) *versions {
		if c.broker == proxy.Bootstrap {
			return v.common
		}
		return v.of[c.broker]
	}
	v, _ := c.front.cluster.await(ctx, func(v *view) bool { return of(v) != nil })
	return of(v)
}

// clientError sorts out how reading from or writing to the client failed.
func (c *connection) clientError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// close ends the upstream connection and what waits for it. The client's belongs to the gateway.
func (c *connection) close() {
	c.owed.close()
	if c.upstream != nil {
		_ = c.upstream.Close()
		<-c.ended
		c.session.Metrics().UpstreamOpen.Dec()
		c.answers.release()
	}
	c.client.release()
}

// interrupt ends the wait for the client's next request. The reader renews its deadline before it looks whether it has
// to end, and whoever calls this has said so before: so either the one or the other is seen.
func (c *connection) interrupt() { _ = c.session.Conn.SetReadDeadline(time.Unix(1, 0)) }

// closeWrite tells the broker that no more requests follow.
func (c *connection) closeWrite() {
	if w, ok := c.upstream.Conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}
