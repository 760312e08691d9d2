// Package mqtt is the MQTT front of the gateway: versions 3.1, 3.1.1 and 5, inside TCP, TLS and WebSocket.
//
// A connection passes three stages. In the login (01_connect.go, login.go, 15_auth.go) the gateway is the broker: it reads
// CONNECT, lets the client prove who it is, and binds the client id to the principal. Then it dials the broker and
// connects there on the client's behalf (upstream.go, 02_connack.go). From then on two goroutines pump: requests.go
// decides on every packet of the client, deliveries.go on every packet of the broker, and both forward the longest
// unchanged runs with one write.
//
// Nothing of a client reaches the broker before the client has been admitted.
package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// New is the MQTT protocol.
func New() proxy.Protocol { return protocol{unruled} }

type protocol struct {
	rules func(*proxy.Session, *sasl.Principal) rules // that a principal has on its connection
}

func (protocol) Name() string { return "mqtt" }

// Speaks reports whether the plan says that the server speaks MQTT.
func (protocol) Speaks(s *plan.Server) bool { return s.MQTT != nil }

// Open makes the front of one server. It fails for what only the operator can mend: a certificate, key or password that
// cannot be read.
func (p protocol) Open(server *proxy.Server) (proxy.Front, error) {
	up, err := newUpstream(server.State().Server.Upstream)
	if err != nil {
		return nil, err
	}
	f := &front{server: server, upstream: up, rules: p.rules}
	for t := range f.allowed {
		f.allowed[t] = server.Metrics().Requests(wire.Type(t).String(), "allow")
	}
	return f, nil
}

// front is one MQTT server of the plan.
type front struct {
	server   *proxy.Server
	upstream *upstream
	rules    func(*proxy.Session, *sasl.Principal) rules
	allowed  [16]prometheus.Counter // packets of clients that were forwarded, by type
}

// Serve runs one connection.
func (f *front) Serve(ctx context.Context, s *proxy.Session) error {
	c := newConnection(f, s)
	defer c.close()
	return c.serve(ctx)
}

// Close has nothing to stop: a front runs nothing besides its sessions.
func (*front) Close() {}

// upstream knows how to reach and recognise the broker of one server, and who the gateway is to it.
type upstream struct {
	dialer    net.Dialer
	url       *url.URL
	tls       *tls.Config // nil: plaintext
	principal bool        // the name of the client's principal is the user name
	username  string
	password  []byte // nil: none
}
