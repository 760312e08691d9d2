package cluster_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// raw is a connection on which single requests are asked, in the version that the test chooses.
type raw struct {
	t testing.TB
	net.Conn
	correlation int32
}

// dialRaw connects, with TLS unless the configuration is nil.
func dialRaw(t testing.TB, address string, config *tls.Config) *raw {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		config = config.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address)
		}
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { conn.Close() })
	return &raw{t: t, Conn: conn}
}

// send sends a request.
func (r *raw) send(request kmsg.Request) {
	r.t.Helper()
	r.sendBody(request.Key(), request.GetVersion(), request.AppendTo(nil))
}

func (r *raw) sendBody(key, version int16, body []byte) {
	r.t.Helper()
	r.correlation++
	frame := wire.AppendRequestHeader(make([]byte, 4), key, version, r.correlation, "test")
	frame = append(frame, body...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	_ = r.SetDeadline(time.Now().Add(patience))
	if _, err := r.Write(frame); err != nil {
		r.t.Fatal(err)
	}
}

// answer reads the answer to a request; io.EOF if the connection ends instead.
func (r *raw) answer(key, version int16) (kmsg.Response, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, fmt.Errorf("in the middle of an answer: %w", err)
	}
	correlation, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		return nil, err
	}
	if correlation != r.correlation {
		return nil, fmt.Errorf("an answer to request %d instead of %d", correlation, r.correlation)
	}
	return wire.DecodeResponse(key, version, payload[n:])
}

// ask sends a request and returns its answer.
func (r *raw) ask(request kmsg.Request) kmsg.Response {
	r.t.Helper()
	r.send(request)
	response, err := r.answer(request.Key(), request.GetVersion())
	if err != nil {
		r.t.Fatalf("%s v%d: %v", wire.Name(request.Key()), request.GetVersion(), err)
	}
	return response
}

// login proves a user with PLAIN, and returns how long that is good for.
func (r *raw) login(user, password string) time.Duration {
	r.t.Helper()
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	r.ask(handshake)
	token := kmsg.NewPtrSASLAuthenticateRequest()
	token.Version, token.SASLAuthBytes = 2, []byte("\x00"+user+"\x00"+password)
	response := r.ask(token).(*kmsg.SASLAuthenticateResponse)
	if response.ErrorCode != 0 {
		r.t.Fatalf("login of %s: error %d", user, response.ErrorCode)
	}
	return time.Duration(response.SessionLifetimeMillis) * time.Millisecond
}

// raw logs a user in at a server of the gateway.
func (g *gateway) raw(t testing.TB, server, user string) *raw {
	t.Helper()
	var config *tls.Config
	if server != "clear" {
		config = g.tls(t, "")
	}
	r := dialRaw(t, g.Address(t, server), config)
	r.login(user, secret(user))
	return r
}

// closed fails the test unless the other side ends the connection without another byte.
func (r *raw) closed(what string) {
	r.t.Helper()
	_ = r.SetDeadline(time.Now().Add(patience))
	n, err := r.Read(make([]byte, 1))
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		r.t.Errorf("%s: the connection is still open", what)
	}
}

// offered are the versions that the other side offers, by API key.
func (r *raw) offered() map[int16]kmsg.ApiVersionsResponseApiKey {
	r.t.Helper()
	all := map[int16]kmsg.ApiVersionsResponseApiKey{}
	for _, k := range r.ask(apiVersions()).(*kmsg.ApiVersionsResponse).ApiKeys {
		all[k.ApiKey] = k
	}
	return all
}

// apiVersions is what every client asks first.
func apiVersions() kmsg.Request {
	request := kmsg.NewPtrApiVersionsRequest()
	request.Version, request.ClientSoftwareName, request.ClientSoftwareVersion = 3, "test", "1"
	return request
}

// metadata asks for a topic as any client does: a small request that the broker answers.
func metadata(t testing.TB, r *raw, topic string) {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 12
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = []kmsg.MetadataRequestTopic{one}
	if got := r.ask(request).(*kmsg.MetadataResponse); len(got.Topics) != 1 || got.Topics[0].ErrorCode != 0 {
		t.Errorf("metadata of %s: %+v", topic, got)
	}
}
