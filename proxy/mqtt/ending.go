package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// Why a connection ends, beside what its reads and writes say.
var (
	errLeft   = errors.New("the client has left")
	errClient = errors.New("cannot write to the client")
	errBroker = errors.New("cannot write to the broker")
)

// unlessLeft is an error of the login, unless it says that the client has left, or has been told why it is refused.
func unlessLeft(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err == errLeft, err == errClosed:
		return nil
	}
	return err
}

// end is the end of a connection, of which the pump of the client's packets says why. If the other pump has ended, its
// reason came first, save where the client has said goodbye.
func (c *connection) end(ctx context.Context, err error) error {
	if c.ended != nil && err != errLast {
		select {
		case <-c.ended:
			return c.lost(ctx, c.failure)
		default:
		}
	}
	var malformed *wire.Malformed
	switch {
	case c.hasToStop():
		c.leave()
		return nil
	case err == errLast:
		c.back.last(nil)
		c.forth.last(nil)
		c.await() // the broker ends the connection: it has read the DISCONNECT
		return nil
	case errors.As(err, &malformed):
		return unlessLeft(c.violation(ctx, err))
	case err == stream.ErrFull:
		return unlessLeft(c.violation(ctx, &wire.Malformed{Reason: "longer than can be looked at", Code: wire.PacketTooLarge}))
	case errors.Is(err, errBroker):
		return unlessLeft(c.failUpstream(ctx, "upstream-lost", err))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.silent(ctx)
	}
	return unlessLeft(c.unread(ctx, err))
}

// unread is an error of reading from the client, who is refused if it says that there is no WebSocket.
func (c *connection) unread(ctx context.Context, err error) error {
	if errors.Is(err, errFrame) {
		return c.violation(ctx, err)
	}
	return err
}

// silent ends the connection of a client that has not been heard for too long.
func (c *connection) silent(ctx context.Context) error {
	code, why := "idle", "nothing has moved for limits.idle"
	if c.keepAlive {
		code, why = "keep-alive", fmt.Sprintf("not heard for %s, one and a half times its keep alive", c.silence)
	}
	return unlessLeft(c.refuse(ctx, wire.KeepAliveTimeout, &sasl.Reject{Stage: sasl.StageSession, Code: code, Private: why}))
}

// lost is the end of a connection for what came, or did not come, from the broker.
func (c *connection) lost(ctx context.Context, err error) error {
	var malformed *wire.Malformed
	switch {
	case err == errLast, err == errClosed, c.hasToStop(): // by what the broker has said, or by us
		return nil
	case errors.Is(err, errClient):
		return err
	case errors.As(err, &malformed), err == stream.ErrFull:
		return unlessLeft(c.failUpstream(ctx, "upstream-answer", err))
	}
	return unlessLeft(c.failUpstream(ctx, "upstream-lost", fmt.Errorf("the broker has ended the connection: %w", err)))
}

// stop ends the connection from outside: the gateway drains, or the login has ended. Before both sides are connected it
// only ends the wait for the client.
func (c *connection) stop() {
	c.mu.Lock()
	open := c.open
	c.stopping = true
	c.mu.Unlock()
	if open {
		code := wire.ServerShuttingDown
		withdraw := false
		if r := c.session.Refusal(); r != nil {
			code, withdraw = endCode(r, c.session.ByToken())
		}
		c.writing.Change(farewell) // whoever does not read is not waited for
		c.back.last(c.lastPacket(code))
		c.forth.last(c.withdrawal(withdraw))
	}
	c.reading.End()
}

// endCode is what MQTT 5 calls the end of a session. The will of a client whose right to be here was taken away goes with
// it; after every other end it is published, as after a lost connection.
func endCode(r *sasl.Reject, byToken bool) (code wire.ReasonCode, withdraw bool) {
	if byToken && r.Code == sasl.CodeExpired {
		return wire.NotAuthorized, false
	}
	switch r.Code {
	case sasl.CodeExpired, "session-expired":
		return wire.MaximumConnectTime, false
	case sasl.CodeRevoked, "certificate-revoked":
		return wire.AdministrativeAction, true
	}
	return wire.AdministrativeAction, false
}

// withdrawal is the packet by which a broker forgets the will.
func (c *connection) withdrawal(wanted bool) []byte {
	if !wanted || !c.willed {
		return nil
	}
	return wire.Disconnect{}.Append(nil, c.version)
}

func (c *connection) hasToStop() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping
}

// lastWords is how long a broker has to take the last packet and end the connection: closing one with unread bytes resets
// it, and the reset overtakes the packet.
const lastWords = time.Second

// leave lets the broker take what has been sent to it.
func (c *connection) leave() {
	if c.forth.conn == nil || c.ended == nil {
		return
	}
	c.forth.last(nil)
	if w, ok := c.forth.conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	c.await()
}

// await waits until the broker has ended the connection, which it does after a DISCONNECT (MQTT 5 section 3.14.4), but not
// for ever. Who ends a connection first keeps its port for a minute (TIME-WAIT, RFC 9293 section 3.3.2), and the gateway has
// no more than some 28,000 of them to one broker: 470 clients a second that come and go.
func (c *connection) await() {
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
	}
}

// close ends the upstream connection and the WebSocket. The client's connection belongs to the gateway.
func (c *connection) close() {
	if c.forth.conn != nil {
		c.writing.End() // the pump of deliveries may be writing to a client that does not read
		_ = c.forth.conn.Close()
		if c.ended != nil {
			<-c.ended
		}
		c.broker.Release()
		c.session.Metrics().UpstreamOpen.Dec()
	}
	c.client.Release()
	if c.ws != nil {
		_ = c.ws.shut(c.status())
	}
}

// status is how a WebSocket ends (RFC 6455 section 7.4.1).
func (c *connection) status() websocket.StatusCode {
	switch {
	case c.session.Refused():
		return websocket.StatusPolicyViolation
	case c.hasToStop():
		return websocket.StatusGoingAway
	}
	return websocket.StatusNormalClosure
}
