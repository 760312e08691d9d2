package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	mqttpackets "github.com/mochi-mqtt/server/v2/packets"
	"github.com/xdg-go/scram"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// mqttBroker is an embedded broker on loopback, which lets everyone in: only the gateway knows where it is.
type mqttBroker struct {
	*mochi.Server
	address string
}

// openHook lets everyone do everything.
type openHook struct{ mochi.HookBase }

func (*openHook) ID() string { return "open" }
func (*openHook) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*openHook) OnConnectAuthenticate(*mochi.Client, mqttpackets.Packet) bool { return true }
func (*openHook) OnACLCheck(*mochi.Client, string, bool) bool                  { return true }

func startMQTTBroker() (*mqttBroker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	err = server.AddHook(new(openHook), nil)
	if err == nil {
		err = server.AddListener(listeners.NewNet("demo", l))
	}
	if err == nil {
		err = server.Serve()
	}
	return &mqttBroker{server, l.Addr().String()}, err
}

// mqttLogin is how a client of MQTT comes to a server.
type mqttLogin struct {
	clientID           string // default: one of its own
	user, password     string // in CONNECT, or for the method
	method             string // of enhanced authentication; empty: user and password are in CONNECT, if there are any
	basic, certificate string // user:password in the HTTP request; name of the certificate to show
}

// mqttSession is a client that is connected.
type mqttSession struct {
	*paho.Client
	got chan struct{}
}

var mqttClients atomic.Int64

// asMQTTClient does a client's job: it publishes a message to one topic, and receives one of another.
func (d *demo) asMQTTClient(ctx context.Context, s *plan.Server, l mqttLogin, produce, consume string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	c, err := d.mqttConnect(ctx, s, l)
	if err != nil {
		return err
	}
	defer c.leave()
	return c.exchange(ctx, produce, consume)
}

// asAnother has bob come with the client id that alice is connected with. Both must be able to work then.
func (d *demo) asAnother(ctx context.Context, s *plan.Server, alice, bob mqttLogin) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	w := d.works[s.Name]
	alice.clientID, bob.clientID = "streetlight-1", "streetlight-1"
	hers, err := d.mqttConnect(ctx, s, alice)
	if err != nil {
		return err
	}
	defer hers.leave()
	his, err := d.mqttConnect(ctx, s, bob)
	if err != nil {
		return err
	}
	defer his.leave()
	return errors.Join(his.exchange(ctx, w.produce, w.consume), hers.exchange(ctx, w.produce, w.consume))
}

func (c *mqttSession) leave() { _ = c.Disconnect(&paho.Disconnect{}) }

func (c *mqttSession) exchange(ctx context.Context, produce, consume string) error {
	if produce != "" {
		if _, err := c.Publish(ctx, &paho.Publish{Topic: produce, QoS: 1, Payload: []byte("hello")}); err != nil {
			return err
		}
	}
	if consume == "" {
		return nil
	}
	if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: consume, QoS: 1}}}); err != nil {
		return err
	}
	select {
	case <-c.got:
		return nil
	case <-ctx.Done():
		return errors.New("no message came")
	}
}

// mqttConnect connects and logs in.
func (d *demo) mqttConnect(ctx context.Context, s *plan.Server, l mqttLogin) (*mqttSession, error) {
	conn, err := d.mqttDial(ctx, s, l)
	if err != nil {
		return nil, err
	}
	c := &mqttSession{got: make(chan struct{}, 1)}
	config := paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn)}
	config.OnPublishReceived = append(config.OnPublishReceived, func(paho.PublishReceived) (bool, error) {
		select {
		case c.got <- struct{}{}:
		default: // one is enough
		}
		return true, nil
	})
	if l.clientID == "" {
		l.clientID = fmt.Sprintf("demo-%d", mqttClients.Add(1))
	}
	connect := &paho.Connect{ClientID: l.clientID, CleanStart: true, KeepAlive: 30, Properties: &paho.ConnectProperties{RequestProblemInfo: true}}
	if l.method == "" {
		connect.UsernameFlag, connect.Username = l.user != "", l.user
		connect.PasswordFlag, connect.Password = l.password != "", []byte(l.password)
	} else {
		proof, err := newMQTTProof(l, connect)
		if err != nil {
			return nil, err
		}
		config.AuthHandler = proof
	}
	c.Client = paho.NewClient(config)
	if _, err := c.Connect(ctx, connect); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

func (d *demo) mqttDial(ctx context.Context, s *plan.Server, l mqttLogin) (net.Conn, error) {
	var config *tls.Config
	if s.TLS != nil {
		var err error
		if config, err = d.clientTLS(l.certificate); err != nil {
			return nil, err
		}
	}
	switch {
	case s.MQTT.WebSocket:
		header := http.Header{}
		if l.basic != "" {
			header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(l.basic)))
		}
		ws, response, err := websocket.Dial(ctx, mqttURL(s), &websocket.DialOptions{
			Subprotocols: []string{"mqtt"}, HTTPHeader: header,
			HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: config}},
		})
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		return websocket.NetConn(ctx, ws, websocket.MessageBinary), nil
	case config != nil:
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.Listen)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listen)
}

// mqttURL is where a server is, as clients write it.
func mqttURL(s *plan.Server) string {
	scheme := map[[2]bool]string{{false, false}: "mqtt", {false, true}: "mqtts", {true, false}: "ws", {true, true}: "wss"}
	return scheme[[2]bool{s.MQTT.WebSocket, s.TLS != nil}] + "://" + s.Listen + s.MQTT.Path
}

// mqttProof is the client's side of enhanced authentication.
type mqttProof struct {
	method       string
	conversation *scram.ClientConversation // nil for PLAIN
}

func newMQTTProof(l mqttLogin, connect *paho.Connect) (*mqttProof, error) {
	p := &mqttProof{method: l.method}
	connect.Properties.AuthMethod = l.method
	hash := scram.SHA256
	switch l.method {
	case sasl.ScramSHA256:
	case sasl.ScramSHA512:
		hash = scram.SHA512
	default:
		connect.Properties.AuthData = []byte("\x00" + l.user + "\x00" + l.password)
		return p, nil
	}
	client, err := hash.NewClientUnprepped(l.user, l.password, "")
	if err != nil {
		return nil, err
	}
	p.conversation = client.NewConversation()
	first, err := p.conversation.Step("")
	connect.Properties.AuthData = []byte(first)
	return p, err
}

// Authenticate answers the gateway's challenge. What it cannot answer it answers wrongly, and is refused.
func (p *mqttProof) Authenticate(challenge *paho.Auth) *paho.Auth {
	next := ""
	if p.conversation != nil {
		next, _ = p.conversation.Step(string(challenge.Properties.AuthData))
	}
	return &paho.Auth{ReasonCode: packets.AuthContinueAuthentication, Properties: &paho.AuthProperties{AuthMethod: p.method, AuthData: []byte(next)}}
}

// Authenticated has nothing to do.
func (p *mqttProof) Authenticated() {}

// mqttFirst are bytes to begin with that are none of a client's.
var mqttFirst = []struct{ what, code, bytes string }{
	{"PUBLISH before CONNECT", "connect-required", "\x30\x05\x00\x01tON"},
	{"a length of five bytes", "malformed", "\x10\xff\xff\xff\xff\x01"},
}
