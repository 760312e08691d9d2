package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// connection is one client, and from its first request on the one broker it talks to.
type connection struct {
	front   *front
	session *proxy.Session
	broker  int32 // whose address was dialled; proxy.Bootstrap: any will do
	client  *stream.Stream

	principal *sasl.Principal
	expires   time.Time // when the session must have been renewed; zero: never
	renewal   *login    // re-authentication under way; nil: none
	judge     *judge    // of operations; nil: none was needed yet
	sessions  sessions

	upstream *brokerConn    // nil until the first request
	answers  *stream.Stream // what the broker sends
	owed     inflight
	renewed  chan []byte   // answers to the gateway's own re-authentication
	ended    chan struct{} // closed when the pump of answers has ended; nil until there is one
	failure  error         // why it ended; read after ended
	moved    atomic.Int64  // when bytes last moved, in either direction, in Unix nanoseconds

	reading, writing *stream.Deadline // of the client
	hearing, sending *stream.Deadline // of the broker; nil until the first request
}

func newConnection(f *front, s *proxy.Session) *connection {
	c := &connection{front: f, session: s, broker: s.Broker, client: stream.New(s.Conn, stream.Sip)}
	c.owed.init()
	idle := s.State.Limits.Idle
	c.reading = stream.NewDeadline(s.Conn.SetReadDeadline, idle)
	c.writing = stream.NewDeadline(s.Conn.SetWriteDeadline, idle)
	c.reading.Await() // a login is nothing that a drain lets finish
	s.AfterDraining(c.reading.Hurry)
	return c
}

// serve runs the stages. Every refusal goes through session.Refuse; nil is an ordinary end.
func (c *connection) serve(ctx context.Context) error {
	principal, err := c.login(ctx)
	if principal == nil || err != nil {
		return err
	}
	c.principal = principal
	c.client.Resize(stream.Chunk)
	c.reading.Resume()
	return c.requests(ctx)
}

// login lets the client prove who it is. Without a principal and an error the client has been refused, or has left.
func (c *connection) login(ctx context.Context) (*sasl.Principal, error) {
	state := c.session.State
	byCertificate, reject := policy.Admit(state.Server, c.session.Certificate, nil)
	if len(state.Mechanisms) > 0 {
		return c.prove(ctx, byCertificate)
	}
	if reject == nil {
		return c.letIn(ctx, byCertificate), nil
	}
	errors.As(c.session.CertificateErr, &reject) // says more: unknown, expired, revoked
	c.session.Refuse(ctx, reject)
	return nil, nil
}

// prove is the login by SASL. byCertificate is who the client's certificate allows it to be without; nil: nobody.
func (c *connection) prove(ctx context.Context, byCertificate *sasl.Principal) (*sasl.Principal, error) {
	limits := &c.session.State.Limits
	ctx, cancel := context.WithTimeout(ctx, limits.Handshake)
	defer cancel()
	l := c.newLogin(nil)
	for {
		if byCertificate != nil && l.mechanism == nil { // who has begun a login must finish it
			enough, err := c.certificateSuffices()
			if err != nil {
				return nil, unlessLeft(err)
			}
			if enough {
				return c.letIn(ctx, byCertificate), nil
			}
		}
		frame, err := readFrame(c.client, limits.PreAuthFrame)
		if err != nil && l.failed != nil { // most clients leave when they are told that their token is no good
			c.session.Refuse(ctx, l.failed)
			return nil, nil
		}
		if err == errFrameLength {
			c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: "frame-length",
				Private: fmt.Sprintf("a frame before authentication is at most %d bytes long", limits.PreAuthFrame)})
			return nil, nil
		}
		if err != nil {
			return nil, unlessLeft(err)
		}
		a := l.next(ctx, frame)
		if err := c.tell(ctx, a); err != nil {
			return nil, unlessLeft(err)
		}
		if a.reject != nil || a.principal != nil {
			return a.principal, nil
		}
	}
}

// tell gives the client an answer of its login.
func (c *connection) tell(ctx context.Context, a answer) error {
	if a.reject != nil {
		c.session.Refuse(ctx, a.reject)
	}
	if a.frame == nil {
		return nil
	}
	if a.principal != nil {
		c.writing.Renew() // the deadline of the login has ended
	}
	_, err := c.session.Conn.Write(a.frame)
	return err
}

// certificateSuffices looks at the next request: anything but ApiVersions and SaslHandshake makes use of the
// certificate that has been shown. It consumes nothing.
func (c *connection) certificateSuffices() (bool, error) {
	for {
		p := c.client.Bytes()
		if len(p) >= lengthSize && newParser(p).int32() < minRequest {
			return false, nil // the login refuses it
		}
		if len(p) >= lengthSize+2 {
			key := newParser(p[lengthSize:]).int16()
			return key != keyAPIVersions && key != keySaslHandshake, nil
		}
		if err := c.client.FillOn(stream.Chunk); err != nil {
			return false, err
		}
	}
}

// letIn admits a principal that is known without a login; nil: it was refused.
func (c *connection) letIn(ctx context.Context, p *sasl.Principal) *sasl.Principal {
	if reject := c.admit(p); reject != nil {
		c.session.Refuse(ctx, reject)
		return nil
	}
	return p
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
