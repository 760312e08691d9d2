package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// upstreamTimeout bounds everything from the dial to the broker's CONNACK. Clients wait about thirty seconds for theirs.
const upstreamTimeout = 10 * time.Second

// lost is how a broker is noticed that has vanished without a word while nothing is sent to it: after a minute.
var lost = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

func newUpstream(p plan.Upstream) (*upstream, error) {
	if len(p.Bootstrap) != 1 {
		return nil, fmt.Errorf("an MQTT server has one broker behind it, and not %d", len(p.Bootstrap))
	}
	u := &upstream{dialer: net.Dialer{Timeout: upstreamTimeout, KeepAliveConfig: lost},
		principal: p.Identity == plan.IdentityPrincipal, username: p.Username}
	var err error
	if u.url, err = url.Parse(p.Bootstrap[0]); err != nil {
		return nil, errors.New("the address of the broker is no URL")
	}
	if p.TLS != nil {
		u.tls, err = tlsconf.Client(tlsconf.ClientOptions{
			CA: p.TLS.CA, ServerName: p.TLS.ServerName, Certificate: p.TLS.Certificate, Key: p.TLS.Key})
		if err != nil {
			return nil, err
		}
		if u.tls.ServerName == "" {
			u.tls.ServerName = u.url.Hostname()
		}
	}
	if p.Password != "" {
		if u.password, err = proxy.ReadSecret(p.Password); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// credentials are what the gateway shows the broker for a client.
func (u *upstream) credentials(to *wire.Connect, who *sasl.Principal) {
	to.Username, to.Password = u.username, u.password
	if u.principal {
		to.Username = who.Name
	}
	to.HasUsername, to.HasPassword = to.Username != "", u.password != nil
	if to.Version != wire.V5 && !to.HasUsername {
		to.HasPassword = false // only MQTT 5 has a password without a user name
	}
}

// dial connects to the broker, up to where MQTT begins.
func (u *upstream) dial(ctx context.Context, v wire.Version) (net.Conn, error) {
	if u.url.Scheme == "ws" || u.url.Scheme == "wss" {
		return u.dialWebSocket(ctx, v)
	}
	return u.dialTransport(ctx)
}

func (u *upstream) dialTransport(ctx context.Context) (net.Conn, error) {
	conn, err := u.dialer.DialContext(ctx, "tcp", u.url.Host)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	conn = stream.Direct(conn)
	if u.tls == nil {
		return conn, nil
	}
	secured := tls.Client(conn, u.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, nil
}

// dialWebSocket opens a WebSocket on a connection that we have dialled ourselves: its deadlines are then ours.
func (u *upstream) dialWebSocket(ctx context.Context, v wire.Version) (net.Conn, error) {
	var under net.Conn
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
			under, err = u.dialTransport(ctx)
			return under, err
		},
		MaxResponseHeaderBytes: maxRequest,
	}
	plain := *u.url
	plain.Scheme = "ws" // TLS, if any, has been done by then
	//nolint:bodyclose // the library does, and the body of a success is the connection
	ws, response, err := websocket.Dial(ctx, plain.String(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Subprotocols: []string{subprotocolOf(v)},
	})
	if err != nil {
		if under != nil {
			_ = under.Close()
		}
		if response != nil {
			return nil, fmt.Errorf("the broker answers the WebSocket with HTTP status %d", response.StatusCode)
		}
		return nil, fmt.Errorf("WebSocket: %w", err)
	}
	return newWebSocket(ws, under), nil
}
