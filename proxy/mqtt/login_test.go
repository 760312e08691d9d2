package mqtt_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// Who is refused is told so with the code of its version, is recorded once, and the broker hears nothing of it.
func TestRefusedLogins(t *testing.T) {
	b := newBroker(t, nil)
	yes, one := true, 1
	w := start(t, b.url, func(p *plan.Plan) {
		add(p, "keys", b.url, keys)
		add(p, "scram", b.url, scram)
		add(p, "five", b.url, passwords).MQTT.Only5 = true
		bound := add(p, "bound", b.url, passwords).MQTT
		bound.ClientID, bound.CleanSession, bound.KeepAlive = "guest", &yes, 60
		bound.LastWill = &plan.LastWill{Topic: "last/words", QoS: &one}
	})
	connect := func(change func(*wire.Connect)) *wire.Connect {
		c := login(0, "alice", "guest")
		if change != nil {
			change(c)
		}
		return c
	}
	nothing := wire.ReasonCode(0xFF) // closed without a word
	for _, c := range []struct {
		name, server string
		connect      *wire.Connect
		old, five    wire.ReasonCode // 3.1 and 3.1.1, and 5; 0: the version is let in
		code         string
	}{
		{"a wrong password", "mqtt", connect(func(c *wire.Connect) { c.Password = []byte("wrong") }), 4, 0x86, sasl.CodeWrongPassword},
		{"a stranger", "mqtt", connect(func(c *wire.Connect) { c.Username = "mallory" }), 4, 0x86, sasl.CodeUnknownUser},
		{"a password of bytes", "mqtt", connect(func(c *wire.Connect) { c.Password = []byte{0xFF, 0, 1} }), 4, 0x86, sasl.CodeWrongPassword},
		{"no password", "mqtt", connect(func(c *wire.Connect) { c.HasPassword = false }), 4, 0x86, sasl.CodeMalformed},
		{"no credentials", "mqtt", connect(func(c *wire.Connect) { c.HasPassword, c.HasUsername = false, false }), 5, 0x87, "no-credentials"},
		{"a user where a key is wanted", "keys", connect(nil), 4, 0x86, sasl.CodeKeyRequired},
		{"a key where a user is wanted", "mqtt", connect(func(c *wire.Connect) { c.Password = []byte(goodKey) }), 4, 0x86, sasl.CodeKeyNotAccepted},
		{"an unknown key", "keys", connect(func(c *wire.Connect) { c.Password = []byte(goodKey[:len(goodKey)-1] + "x") }), 4, 0x86, sasl.CodeUnknownKey},
		{"a password where an exchange is wanted", "scram", connect(nil), 1, 0x87, "unsupported-version"},
		{"an old version of mqtt5", "five", connect(nil), 1, 0, "unsupported-version"},
		{"another client id than the bound one", "bound", connect(func(c *wire.Connect) { c.ClientID = "x" }), 2, 0x85, "client-id"},
		{"a session that is to stay", "bound", connect(func(c *wire.Connect) { c.CleanStart = false }), 5, 0x87, "clean-session"},
		{"a long keep alive", "bound", connect(func(c *wire.Connect) { c.KeepAlive = 61 }), 5, 0, "keep-alive-too-long"},
		{"no keep alive", "bound", connect(func(c *wire.Connect) { c.KeepAlive = 0 }), 5, 0, "keep-alive-too-long"},
		{"another will", "bound", connect(func(c *wire.Connect) { c.Will = &wire.Will{Topic: "other", QoS: 1} }), 5, 0x87, "will"},
		{"the will at another quality of service", "bound", connect(func(c *wire.Connect) { c.Will = &wire.Will{Topic: "last/words"} }), 5, 0x87, "will"},
		{"the bound will", "bound", connect(func(c *wire.Connect) { c.Will = &wire.Will{Topic: "last/words", QoS: 1, Payload: []byte("bye")} }), 0, 0, ""},
		{"a will to the broker", "mqtt", connect(func(c *wire.Connect) { c.Will = &wire.Will{Topic: "$SYS/x"} }), 5, 0x87, "will"},
		{"a will to a wildcard", "mqtt", connect(func(c *wire.Connect) { c.Will = &wire.Will{Topic: "a/#"} }), nothing, 0x81, "malformed"},
	} {
		for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
			t.Run(c.name+" in "+v.String(), func(t *testing.T) {
				w.logs.TakeAll()
				before, want := b.notes.count(), c.old
				if v == wire.V5 {
					want = c.five
				}
				packet := *c.connect
				packet.Version = v
				one := w.dial(c.server)
				one.v = v
				one.send(packet.Append(nil))
				if want != nothing {
					if ack := one.connack(); ack.Code != want {
						t.Errorf("CONNACK with %#x, and not %#x", byte(ack.Code), byte(want))
					}
				}
				if want == 0 {
					return
				}
				one.ended()
				code := c.code
				if v == wire.V5 && code == "unsupported-version" {
					code = "no-credentials"
				}
				r := w.refused(code)
				if strings.Contains(r["reason"].(string), "-secret") {
					t.Errorf("a secret in %v", r)
				}
				if b.notes.count() != before {
					t.Error("the broker has heard of it")
				}
			})
		}
	}
}

// A password may come without a user name in MQTT 5, and an API key needs none.
func TestKeysLogIn(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { add(p, "keys", b.url, keys) })
	c := login(wire.V5, "", "meter")
	c.HasPassword, c.Password = true, []byte(goodKey)
	w.connected("keys", c)
	c.Version, c.HasUsername, c.Username = wire.V311, true, "whoever"
	w.connected("keys", c)
	if up := b.notes.last(t); string(up.Connect.Username) != "" || string(up.Connect.Password) != "" || !strings.HasPrefix(up.Connect.ClientIdentifier, "billing-") {
		t.Errorf("the broker was shown %+v", up.Connect)
	}
}

// Everybody is let in where the settings say so, and what somebody shows there is not looked at, nor passed on.
func TestAnonymousServers(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { add(p, "open", b.url).AllowAnonymous = true })
	w.connected("open", login(wire.V311, "", "one"))
	w.connected("open", login(wire.V5, "mallory", "one"))
	if up := b.notes.last(t); up.Connect.UsernameFlag || up.Connect.PasswordFlag {
		t.Error("the broker was shown the client's credentials")
	}
}

// enhanced is a CONNECT of MQTT 5 with an authentication method.
func enhanced(method string, data []byte) *wire.Connect {
	c := login(wire.V5, "", "one")
	c.Properties = c.Properties.WithText(wire.AuthenticationMethod, method)
	if data != nil {
		c.Properties = c.Properties.WithText(wire.AuthenticationData, string(data))
	}
	return c
}

func auth(code wire.ReasonCode, method string, data []byte) []byte {
	p := wire.Properties(nil).WithText(wire.AuthenticationMethod, method)
	if data != nil {
		p = p.WithText(wire.AuthenticationData, string(data))
	}
	return wire.Auth{Code: code, Properties: p}.Append(nil)
}

// wantAuth reads an AUTH with a code, and returns its data.
func (c *client) wantAuth(code wire.ReasonCode) []byte {
	c.t.Helper()
	_, body := c.want(wire.AUTH)
	a, err := wire.DecodeAuth(body, wire.Server)
	if err != nil || a.Code != code {
		c.t.Fatalf("AUTH %+v: %v", a, err)
	}
	return a.Data()
}

// prove is the client's side of an exchange: first is the data of the packet that begins it. It returns the last message
// for the caller to look at.
func prove(t *testing.T, user, password string) (sasl.Client, []byte) {
	t.Helper()
	s, err := sasl.NewClient(sasl.ScramSHA512, user, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := s.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, first
}

// SCRAM and PLAIN are methods of enhanced authentication, before CONNACK and again after it.
func TestEnhancedAuthentication(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		s := add(p, "scram", b.url, scram, plain)
		s.MaxSession = time.Hour
	})
	c := w.dial("scram")
	c.v = wire.V5
	s, first := prove(t, "alice", inprocess.Password("alice"))
	c.send(enhanced(sasl.ScramSHA512, first).Append(nil))
	second, _, err := s.Next(c.wantAuth(wire.ContinueAuthentication))
	if err != nil {
		t.Fatal(err)
	}
	c.send(auth(wire.ContinueAuthentication, sasl.ScramSHA512, second))
	ack := c.connack()
	last, _ := ack.Properties.Bytes(wire.AuthenticationData)
	if _, done, err := s.Next(last); ack.Code != wire.Success || !done || err != nil {
		t.Fatalf("%s, and the gateway has not proved itself: %v", ack.Code, err)
	}
	if method, _ := ack.Properties.Bytes(wire.AuthenticationMethod); string(method) != sasl.ScramSHA512 {
		t.Errorf("the method of the CONNACK is %q", method)
	}
	if up := b.notes.last(t); up.Properties.AuthenticationMethod != "" || len(up.Properties.AuthenticationData) > 0 {
		t.Error("the broker was shown the exchange")
	}

	s, first = prove(t, "alice", inprocess.Password("alice"))
	c.send(auth(wire.ReAuthenticate, sasl.ScramSHA512, first))
	answer := c.wantAuth(wire.ContinueAuthentication)
	c.send([]byte(wire.Pingreq)) // other packets pass meanwhile
	c.want(wire.PINGRESP)
	second, _, err = s.Next(answer)
	if err != nil {
		t.Fatal(err)
	}
	c.send(auth(wire.ContinueAuthentication, sasl.ScramSHA512, second))
	if _, done, err := s.Next(c.wantAuth(wire.Success)); !done || err != nil {
		t.Fatal("the gateway has not proved itself again", err)
	}
	if n := w.logs.FilterMessage("login").Len(); n != 2 {
		t.Errorf("%d records of logins", n)
	}

	s, first = prove(t, "bob", inprocess.Password("bob"))
	c.send(auth(wire.ReAuthenticate, sasl.ScramSHA512, first))
	second, _, err = s.Next(c.wantAuth(wire.ContinueAuthentication))
	if err != nil {
		t.Fatal(err)
	}
	c.send(auth(wire.ContinueAuthentication, sasl.ScramSHA512, second))
	c.disconnected(wire.NotAuthorized)
	w.refused("principal-changed")

	p := w.dial("scram")
	if ack := p.connect(enhanced(sasl.Plain, []byte("\x00alice\x00alice-secret"))); ack.Code != wire.Success {
		t.Errorf("PLAIN: %s", ack.Code)
	}
	p = w.dial("scram")
	p.v = wire.V5
	p.send(enhanced(sasl.Plain, nil).Append(nil)) // the client waits to be asked
	if data := p.wantAuth(wire.ContinueAuthentication); data != nil {
		t.Errorf("asked with %q", data)
	}
	p.send(auth(wire.ContinueAuthentication, sasl.Plain, []byte("\x00alice\x00alice-secret")))
	if ack := p.connack(); ack.Code != wire.Success {
		t.Errorf("PLAIN when asked: %s", ack.Code)
	}
}

// What AUTH must not be (CATALOGUE M06): each ends the connection, and the broker hears nothing of it.
func TestAuthGoneWrong(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { add(p, "scram", b.url, scram) })
	_, first := prove(t, "alice", "alice-secret")
	begin := enhanced(sasl.ScramSHA512, first).Append(nil)
	for _, c := range []struct {
		name    string
		packets [][]byte
		rounds  int             // AUTH packets of the gateway's
		ack     wire.ReasonCode // 0: closed without a word
		code    string
	}{
		{"before CONNECT", [][]byte{auth(0x18, sasl.ScramSHA512, first)}, 0, 0, "connect-required"},
		{"a method that there is not", [][]byte{enhanced("NTLM", first).Append(nil)}, 0, 0x8C, "unsupported-mechanism"},
		{"a method that is not offered", [][]byte{enhanced(sasl.Plain, first).Append(nil)}, 0, 0x8C, "unsupported-mechanism"},
		{"data without a method", [][]byte{(&wire.Connect{Version: wire.V5, CleanStart: true,
			Properties: wire.Properties(nil).WithText(wire.AuthenticationData, "x")}).Append(nil)}, 0, 0x82, "protocol-error"},
		{"another method in the middle", [][]byte{begin, auth(0x18, sasl.Plain, first)}, 1, 0x82, "out-of-order"},
		{"no method in the middle", [][]byte{begin, {0xF0, 2, 0x18, 0}}, 1, 0x82, "protocol-error"},
		{"a new exchange in the middle", [][]byte{begin, auth(0x19, sasl.ScramSHA512, first)}, 1, 0x82, "out-of-order"},
		{"success from the client", [][]byte{begin, auth(0, sasl.ScramSHA512, first)}, 1, 0x82, "protocol-error"},
		{"a publish in the middle", [][]byte{begin, message(wire.V5, "t", 0, 0, "x")}, 1, 0x82, "out-of-order"},
		{"a second CONNECT in the middle", [][]byte{begin, begin}, 1, 0x82, "out-of-order"},
		{"no data in the middle", [][]byte{begin, auth(0x18, sasl.ScramSHA512, nil)}, 1, 0x87, sasl.CodeMalformed},
		{"nonsense", [][]byte{begin, auth(0x18, sasl.ScramSHA512, []byte("x"))}, 1, 0x87, sasl.CodeMalformed},
		{"nonsense at once", [][]byte{enhanced(sasl.ScramSHA512, []byte{0xFF}).Append(nil)}, 0, 0x87, sasl.CodeMalformed},
		{"longer than a login may be", [][]byte{begin, auth(0x18, sasl.ScramSHA512, make([]byte, 65535))}, 1, 0x95, "packet-length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.logs.TakeAll()
			one := w.dial("scram")
			one.v = wire.V5
			one.send(c.packets...)
			for range c.rounds {
				one.wantAuth(wire.ContinueAuthentication)
			}
			if c.ack != 0 {
				if ack := one.connack(); ack.Code != c.ack {
					t.Errorf("CONNACK with %s, and not %s", ack.Code, c.ack)
				}
			}
			one.ended()
			w.refused(c.code)
			if b.notes.count() > 0 {
				t.Error("the broker has heard of it")
			}
		})
	}
}

// An AUTH that fits nothing ends a connection that is up.
func TestAuthOutOfOrder(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	c := w.connected("mqtt", login(wire.V5, "alice", "one"))
	c.send(auth(wire.ReAuthenticate, sasl.Plain, []byte("\x00alice\x00alice-secret")))
	c.disconnected(wire.ProtocolError)
	w.refused("protocol-error")
}

// A certificate is a way in by itself; beside a password it may be shown or not.
func TestCertificates(t *testing.T) {
	b := newBroker(t, nil)
	certificates := inprocess.NewCertificates(t)
	w := start(t, b.url, func(p *plan.Plan) {
		server := func(name string, mode plan.AuthMode, ways ...plan.Alternative) {
			add(p, name, b.url, ways...).TLS = certificates.Server(mode)
		}
		server("mtls", plan.CertificateRequired, x509Only)
		server("either", plan.CertificateOptional, x509Only, passwords)
	})
	for _, c := range []struct {
		server, certificate, user string
		code                      wire.ReasonCode
		name                      string
	}{
		{"mtls", "alice", "", 0, "alice"},
		{"mtls", "alice", "bob", 0, "alice"}, // nobody asked for it
		{"mtls", "nobody", "", 0x87, ""},
		{"either", "alice", "", 0, "alice"},
		{"either", "alice", "bob", 0, "bob"},
		{"either", "", "bob", 0, "bob"},
		{"either", "", "", 0x87, ""},
		{"either", "nobody", "bob", 0, "bob"},
	} {
		config, err := certificates.Client(c.certificate)
		if err != nil {
			t.Fatal(err)
		}
		config.ServerName = "127.0.0.1"
		conn, err := net.Dial("tcp", w.addresses[c.server])
		if err != nil {
			t.Fatal(err)
		}
		one := newClient(t, tlsClient(conn, config))
		ack := one.connect(login(wire.V5, c.user, "one"))
		if ack.Code != c.code {
			t.Errorf("%s with the certificate of %q as %q: %s", c.server, c.certificate, c.user, ack.Code)
		}
		if ack.Code == 0 && !strings.HasPrefix(b.notes.last(t).Connect.ClientIdentifier, c.name+"-") {
			t.Errorf("%+v is the principal of %s", c, b.notes.last(t).Connect.ClientIdentifier)
		}
	}
}
