package tokens_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (w *world) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: w.roots}
}

// wire is a connection on which a test says every word itself.
type wire struct {
	t    testing.TB
	conn net.Conn
	last int32
}

func (w *world) dial(server string) *wire {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.gateway.Address(w.t, server), w.tls())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &wire{t: w.t, conn: conn}
}

// ask sends a request and reads its answer. io.EOF: the connection has ended.
func (c *wire) ask(request kmsg.Request) (kmsg.Response, error) {
	c.last++
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, request, c.last)
	if _, err := c.conn.Write(frame); err != nil {
		return nil, io.EOF
	}
	var length [4]byte
	if _, err := io.ReadFull(c.conn, length[:]); err != nil {
		return nil, io.EOF
	}
	body := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return nil, io.EOF
	}
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	body = body[4:]
	if response.IsFlexible() && response.Key() != 18 {
		body = body[1:]
	}
	return response, response.ReadFrom(body)
}

// handshake begins a login, or the renewal of one.
func (c *wire) handshake() error {
	request := kmsg.NewPtrSASLHandshakeRequest()
	request.Mechanism, request.Version = "OAUTHBEARER", 1
	response, err := c.ask(request)
	if err == nil && response.(*kmsg.SASLHandshakeResponse).ErrorCode != 0 {
		err = errors.New("the handshake was refused")
	}
	return err
}

// authenticate sends one message of the mechanism.
func (c *wire) authenticate(message string) (*kmsg.SASLAuthenticateResponse, error) {
	request := kmsg.NewPtrSASLAuthenticateRequest()
	request.SASLAuthBytes, request.Version = []byte(message), 2
	response, err := c.ask(request)
	if err != nil {
		return nil, err
	}
	return response.(*kmsg.SASLAuthenticateResponse), nil
}

// login goes the whole way with a good token, and returns how long the session lasts.
func (c *wire) login(token string) time.Duration {
	c.t.Helper()
	if err := c.handshake(); err != nil {
		c.t.Fatal(err)
	}
	response, err := c.authenticate("n,,\x01auth=Bearer " + token + "\x01\x01")
	if err != nil || response.ErrorCode != 0 || len(response.SASLAuthBytes) > 0 {
		c.t.Fatalf("the login failed: %+v %v", response, err)
	}
	return time.Duration(response.SessionLifetimeMillis) * time.Millisecond
}

// alive fails the test unless a request is answered.
func (c *wire) alive() {
	c.t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 12
	if _, err := c.ask(request); err != nil {
		c.t.Fatalf("the connection has ended: %v", err)
	}
}

// ends waits until the gateway ends the connection.
func (c *wire) ends() {
	c.t.Helper()
	if n, err := c.conn.Read(make([]byte, 1)); n > 0 || err == nil {
		c.t.Fatal("the gateway sent something")
	} else if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatal("the connection stays open")
	}
}
