package mqtt_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// webSockets adds servers of WebSocket: "ws" for user name and password in any place, "basic" for HTTP Basic alone, and
// "wss" for a certificate or HTTP Basic.
func webSockets(b *broker, certificates *inprocess.Certificates) func(*plan.Plan) {
	return func(p *plan.Plan) {
		add := func(name string, ways ...plan.Alternative) *plan.Server {
			s := add(p, name, b.url, ways...)
			s.Protocol, s.MQTT.WebSocket, s.MQTT.Path = "ws", true, "/mqtt"
			return s
		}
		add("ws", way("userPassword", "", sasl.Password, sasl.Basic)).MQTT.Origins = []string{"https://app.example.org"}
		add("basic", basic).MQTT.Path = ""
		add("scram", scram)
		if certificates != nil {
			s := add("wss", x509Only, basic)
			s.Protocol, s.TLS = "wss", certificates.Server(plan.CertificateOptional)
		}
	}
}

// answer is the head of the answer to a request.
type answer struct {
	status int
	header http.Header
}

// open opens a WebSocket; nil: it was refused.
func (w *world) open(server, path string, o *websocket.DialOptions) (*websocket.Conn, answer) {
	w.t.Helper()
	if o.Subprotocols == nil {
		o.Subprotocols = []string{"mqtt"}
	}
	scheme := "ws"
	if server == "wss" {
		scheme = "wss"
	}
	//nolint:bodyclose // the library does, and the body of a success is the connection
	ws, response, err := websocket.Dial(w.t.Context(), scheme+"://"+w.addresses[server]+path, o)
	if response == nil {
		w.t.Fatal(err)
	}
	head := answer{response.StatusCode, response.Header}
	if err != nil {
		return nil, head
	}
	w.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws, head
}

// inside speaks MQTT inside a WebSocket.
func (w *world) inside(ws *websocket.Conn) *client {
	return newClient(w.t, websocket.NetConn(w.t.Context(), ws, websocket.MessageBinary))
}

func authorization(user, password string) http.Header {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, password)
	return r.Header
}

// MQTT inside WebSocket is MQTT: in all versions, whatever the sub-protocol is called, and wherever messages end.
func TestWebSocket(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, webSockets(b, nil))
	for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
		for _, name := range []string{"mqtt", "mqttv3.1"} {
			ws, head := w.open("ws", "/mqtt", &websocket.DialOptions{Subprotocols: []string{"x", name}})
			if ws == nil || ws.Subprotocol() != name {
				t.Fatalf("MQTT %s as %s: %+v", v, name, head)
			}
			c := w.inside(ws)
			c.v = v
			packets := append(login(v, "alice", name).Append(nil), []byte(wire.Pingreq)...)
			for i := range packets { // a message a byte
				c.send(packets[i : i+1])
			}
			if ack := c.connack(); ack.Code != wire.Success {
				t.Fatal(ack.Code)
			}
			c.want(wire.PINGRESP)
			c.subscribe(1, "t/#")
			big := strings.Repeat("x", 200<<10)
			c.send(message(v, "t/1", 0, 0, "one"), message(v, "t/2", 0, 0, big)) // many packets a message
			for _, want := range []string{"one", big} {
				if _, payload := c.publish(); payload != want {
					t.Fatalf("a payload of %d bytes", len(payload))
				}
			}
			c.send(wire.Disconnect{}.Append(nil, v))
			c.ended()
		}
	}
}

// Who does not open a WebSocket of MQTT is answered with a status, recorded once, and unknown to the broker.
func TestUpgradesGoneWrong(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, webSockets(b, nil))
	origin := func(o string) http.Header { return http.Header{"Origin": {o}} }
	for _, c := range []struct {
		name, server, path string
		header             http.Header
		subprotocols       []string
		status             int
		code               string
	}{
		{"another path", "ws", "/", nil, nil, 404, "websocket-path"},
		{"any path where none is stated", "basic", "/x", authorization("alice", "alice-secret"), nil, 101, ""},
		{"another sub-protocol", "ws", "/mqtt", nil, []string{"wamp"}, 400, "websocket-protocol"},
		{"another origin", "ws", "/mqtt", origin("https://evil.example.org"), nil, 403, "websocket-origin"},
		{"the origin over another scheme", "ws", "/mqtt", origin("http://app.example.org"), nil, 403, "websocket-origin"},
		{"the origin that is allowed", "ws", "/mqtt", origin("https://app.example.org"), nil, 101, ""},
		{"no credentials", "basic", "/mqtt", nil, nil, 401, "no-credentials"},
		{"a wrong password", "basic", "/mqtt", authorization("alice", "wrong"), nil, 401, sasl.CodeWrongPassword},
		{"a wrong password where another way is open", "ws", "/mqtt", authorization("alice", "wrong"), nil, 401, sasl.CodeWrongPassword},
		{"a stranger", "basic", "/mqtt", authorization("mallory", "x"), nil, 401, sasl.CodeUnknownUser},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.logs.TakeAll()
			_, head := w.open(c.server, c.path, &websocket.DialOptions{HTTPHeader: c.header, Subprotocols: c.subprotocols})
			if head.status != c.status {
				t.Errorf("status %d", head.status)
			}
			if c.status == 401 && !strings.HasPrefix(head.header.Get("WWW-Authenticate"), `Basic realm="`) {
				t.Errorf("challenge %q", head.header.Get("WWW-Authenticate"))
			}
			if c.code != "" {
				w.refused(c.code)
			}
		})
	}
	for name, c := range map[string]struct{ text, status, code string }{
		"no HTTP":        {"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\r\n\r\n", "400", "http-request"},
		"no upgrade":     {"GET /mqtt HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", "426", "websocket-upgrade"},
		"POST":           {"POST /mqtt HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: mqtt\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", "405", "websocket-upgrade"},
		"no key":         {"GET /mqtt HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: mqtt\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", "400", "websocket-upgrade"},
		"a head too big": {"GET /mqtt HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", "431", "http-request"},
	} {
		t.Run(name, func(t *testing.T) {
			w.logs.TakeAll()
			conn, err := net.Dial("tcp", w.addresses["ws"])
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := conn.Write([]byte(c.text)); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if !strings.HasPrefix(line, "HTTP/1.1 "+c.status) {
				t.Errorf("%q, %v", line, err)
			}
			w.refused(c.code)
		})
	}
	if n := b.notes.count(); n > 0 {
		t.Errorf("the broker has heard of %d", n)
	}
}

// HTTP Basic logs in before MQTT begins, and so does the certificate of TLS; else CONNECT does where it may.
func TestWebSocketLogins(t *testing.T) {
	b := newBroker(t, nil)
	certificates := inprocess.NewCertificates(t)
	w := start(t, b.url, webSockets(b, certificates))
	for _, c := range []struct {
		server, header, certificate, connect string
		code                                 wire.ReasonCode
		name                                 string
	}{
		{"ws", "alice", "", "", 0, "alice"},
		{"ws", "", "", "bob", 0, "bob"},
		{"ws", "alice", "", "bob", 0, "alice"}, // who has logged in already
		{"ws", "", "", "", wire.NotAuthorized, ""},
		{"basic", "alice", "", "", 0, "alice"},
		{"wss", "", "alice", "", 0, "alice"},
		{"wss", "bob", "alice", "", 0, "bob"},
		{"wss", "bob", "", "", 0, "bob"},
	} {
		o := &websocket.DialOptions{}
		if c.header != "" {
			o.HTTPHeader = authorization(c.header, inprocess.Password(c.header))
		}
		if c.server == "wss" {
			config, err := certificates.Client(c.certificate)
			if err != nil {
				t.Fatal(err)
			}
			o.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
		}
		ws, head := w.open(c.server, "/mqtt", o)
		if ws == nil {
			t.Fatalf("%+v: status %d", c, head.status)
		}
		ack := w.inside(ws).connect(login(wire.V5, c.connect, "one"))
		if ack.Code != c.code {
			t.Errorf("%+v: %s", c, ack.Code)
		}
		if c.code == 0 && !strings.HasPrefix(b.notes.last(t).Connect.ClientIdentifier, c.name+"-") {
			t.Errorf("%+v: the broker sees %s", c, b.notes.last(t).Connect.ClientIdentifier)
		}
	}
}

// What a WebSocket must not bring, and how it ends.
func TestWebSocketEnds(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		webSockets(b, nil)(p)
		p.Limits.Handshake = 2 * time.Second
	})
	connect := login(wire.V5, "alice", "one").Append(nil)
	dial := func() *websocket.Conn {
		t.Helper()
		ws, head := w.open("ws", "/mqtt", &websocket.DialOptions{})
		if ws == nil {
			t.Fatal(head.status)
		}
		return ws
	}
	text := dial()
	if err := text.Write(t.Context(), websocket.MessageText, connect); err != nil {
		t.Fatal(err)
	}
	if _, _, err := text.Read(t.Context()); err == nil {
		t.Error("a message of text is answered")
	}
	w.refused("malformed")
	w.logs.TakeAll()

	silent := dial()
	if _, _, err := silent.Read(t.Context()); err == nil {
		t.Error("silence is answered")
	}
	w.refused("timeout")
	w.logs.TakeAll()

	half, err := net.Dial("tcp", w.addresses["ws"]) // of a request
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := half.Write([]byte("GET /mqtt HTTP/1.1\r\n")); err != nil {
		t.Fatal(err)
	}
	newClient(t, half).ended()
	w.refused("timeout")
	w.logs.TakeAll()

	polite := dial()
	c := w.inside(polite)
	c.connect(login(wire.V5, "alice", "one"))
	pinged := make(chan error, 1)
	go func() { pinged <- polite.Ping(t.Context()) }()
	c.send([]byte(wire.Pingreq))
	c.want(wire.PINGRESP)
	w.drain()
	c.disconnected(wire.ServerShuttingDown) // and a pong before it
	if err := <-pinged; err != nil {
		t.Errorf("a ping is not answered: %v", err)
	}
}

// The broker may stand behind TLS, WebSocket, or both.
func TestUpstreamTransports(t *testing.T) {
	b := newBroker(t, nil)
	certificates := inprocess.NewCertificates(t)
	ca, config := certificates.Authority(), certificates.Serving(t)
	secure, web := relay(t, b, config), relayWebSocket(t, b, nil)
	webSecure := relayWebSocket(t, b, config)
	w := start(t, b.url, func(p *plan.Plan) {
		for name, u := range map[string]string{"mqtts": "mqtts://" + secure, "ws": "ws://" + web + "/mqtt", "wss": "wss://" + webSecure + "/mqtt", "stranger": "mqtts://" + secure, "lost": "ws://" + web + "/other"} {
			s := add(p, name, u, passwords)
			if strings.HasPrefix(u, "mqtts") || strings.HasPrefix(u, "wss") {
				s.Upstream.TLS = &plan.UpstreamTLS{CA: ca}
			}
			if name == "stranger" {
				s.Upstream.TLS = &plan.UpstreamTLS{}
			}
		}
	})
	for _, name := range []string{"mqtts", "ws", "wss"} {
		for _, v := range []wire.Version{wire.V31, wire.V5} {
			c := w.connected(name, login(v, "alice", name))
			c.subscribe(1, "t")
			payload := strings.Repeat("x", 200<<10)
			c.send(message(v, "t", 0, 0, payload))
			if _, got := c.publish(); got != payload {
				t.Errorf("%s: %d bytes", name, len(got))
			}
			c.send(wire.Disconnect{}.Append(nil, v))
			c.ended()
		}
	}
	for _, name := range []string{"stranger", "lost"} {
		w.logs.TakeAll()
		if ack := w.dial(name).connect(login(wire.V5, "alice", "one")); ack.Code != wire.ServerUnavailable {
			t.Errorf("%s: %s", name, ack.Code)
		}
		w.refused("upstream-unavailable")
	}
}

// relay puts TLS before a broker.
func relay(t *testing.T, b *broker, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = b.EstablishConnection("tcp", conn) }()
		}
	}()
	return l.Addr().String()
}

// relayWebSocket puts WebSocket, and perhaps TLS, before a broker, at the path /mqtt.
func relayWebSocket(t *testing.T, b *broker, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mqtt" {
			http.NotFound(rw, r)
			return
		}
		ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt", "mqttv3.1"}})
		if err == nil {
			_ = b.EstablishConnection("tcp", websocket.NetConn(r.Context(), ws, websocket.MessageBinary))
		}
	}))
	if config == nil {
		s.Start()
	} else {
		s.TLS = config
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
