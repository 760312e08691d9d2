package mqtt_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tokens"
)

// tokensOf believes the issuers of a plan.
func tokensOf(p *plan.Plan) (sasl.Tokens, error) {
	var o tokens.Options
	for _, i := range p.Tokens {
		o.Issuers = append(o.Issuers, tokens.Issuer{Name: i.Issuer, Audiences: i.Audiences, JWKS: i.JWKS})
	}
	if len(o.Issuers) == 0 {
		return nil, nil
	}
	return tokens.New(o)
}

// tokenWorld is a gateway with servers that take tokens: "tokens" alone, "either" also passwords, "ws" in a WebSocket, and
// "header" in its HTTP request alone.
func tokenWorld(t *testing.T) (*world, *broker, *throwaway.Issuer) {
	t.Helper()
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	oidc := func(mechanisms ...string) plan.Alternative {
		w := way("openIdConnect", "", mechanisms...)
		w.All[0].Issuers, w.All[0].Scopes = []string{issuer.URL()}, []string{"lights"}
		return w
	}
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		p.Tokens = []plan.Issuer{{Issuer: issuer.URL(), Audiences: []string{"mqtt"}, JWKS: issuer.URL() + "/jwks"}}
		add(p, "tokens", b.url, oidc(sasl.OAuthBearer, sasl.Password))
		add(p, "either", b.url, oidc(sasl.OAuthBearer, sasl.Password), passwords)
		for name, ways := range map[string][]plan.Alternative{
			"ws": {oidc(sasl.OAuthBearer, sasl.Password, sasl.Header)}, "header": {oidc(sasl.Header), basic},
		} {
			s := add(p, name, b.url, ways...)
			s.Protocol, s.MQTT.WebSocket = "ws", true
		}
	})
	return w, b, issuer
}

// tokenOf is a token of alice's; change edits its claims first.
func tokenOf(t *testing.T, issuer *throwaway.Issuer, lifetime time.Duration, change func(map[string]any)) string {
	t.Helper()
	claims := issuer.Claims("alice", "mqtt", lifetime)
	claims["scope"] = "lights"
	if change != nil {
		change(claims)
	}
	token, err := issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withPassword is a CONNECT whose password is a token. User names count for nothing beside one.
func withPassword(v wire.Version, token string) *wire.Connect {
	c := login(v, "whoever", "one")
	c.HasPassword, c.Password = true, []byte(token)
	return c
}

func bearerMessage(token string) []byte { return []byte("n,,\x01auth=Bearer " + token + "\x01\x01") }

func TestATokenIsAPassword(t *testing.T) {
	w, b, issuer := tokenWorld(t)
	for _, server := range []string{"tokens", "either"} {
		for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
			w.connected(server, withPassword(v, tokenOf(t, issuer, time.Hour, nil)))
			if up := b.notes.last(t); v != wire.V31 && !strings.HasPrefix(up.Connect.ClientIdentifier, "alice-") || len(up.Connect.Password) > 0 {
				t.Errorf("the broker was shown %+v", up.Connect)
			}
		}
	}
	w.connected("either", login(wire.V5, "alice", "two")) // with her password
	c := login(wire.V5, "", "three")                      // and no user name
	c.HasPassword, c.Password = true, []byte(tokenOf(t, issuer, time.Hour, nil))
	w.connected("tokens", c)
}

func TestTokensThatDoNotLogIn(t *testing.T) {
	w, b, issuer := tokenWorld(t)
	before := b.notes.count()
	for name, c := range map[string]struct {
		token string
		code  string
		five  wire.ReasonCode
	}{
		"expired":         {tokenOf(t, issuer, -time.Hour, nil), sasl.CodeExpired, 0x86},
		"for another":     {tokenOf(t, issuer, time.Hour, func(c map[string]any) { c["aud"] = "kafka" }), sasl.CodeTokenAudience, 0x86},
		"without a scope": {tokenOf(t, issuer, time.Hour, func(c map[string]any) { c["scope"] = "" }), "missing-scope", 0x87},
		"not a token":     {"alice-secret", sasl.CodeOpaqueToken, 0x86},
		"bytes":           {"\xff\x00", sasl.CodeMalformed, 0x86},
		"nothing":         {"", sasl.CodeMalformed, 0x86},
	} {
		t.Run(name, func(t *testing.T) {
			w.logs.TakeAll()
			conn := w.dial("tokens")
			conn.v = wire.V5
			conn.send(withPassword(wire.V5, c.token).Append(nil))
			if ack := conn.connack(); ack.Code != c.five {
				t.Errorf("CONNACK with %#x", byte(ack.Code))
			}
			conn.ended()
			w.refused(c.code)
		})
	}
	if b.notes.count() != before {
		t.Error("the broker has heard of it")
	}
}

func TestOAuthBearerIsAnAuthenticationMethod(t *testing.T) {
	w, _, issuer := tokenWorld(t)
	c := w.connected("tokens", enhanced(sasl.OAuthBearer, bearerMessage(tokenOf(t, issuer, 6*time.Second, nil))))
	ends := time.Now().Add(6 * time.Second)
	// The same on the connection, before the token ends: deliveries go on.
	c.send(auth(wire.ReAuthenticate, sasl.OAuthBearer, bearerMessage(tokenOf(t, issuer, time.Hour, nil))))
	c.wantAuth(wire.Success)
	for time.Now().Before(ends.Add(time.Second)) {
		c.send([]byte{byte(wire.PINGREQ) << 4, 0})
		c.want(wire.PINGRESP)
	}
	// A bad one ends it, at once and without a word more.
	c.send(auth(wire.ReAuthenticate, sasl.OAuthBearer, bearerMessage("bad")))
	c.disconnected(wire.NotAuthorized)
	w.refused(sasl.CodeOpaqueToken)

	refused := w.dial("tokens")
	refused.v = wire.V5
	refused.send(enhanced(sasl.OAuthBearer, bearerMessage(tokenOf(t, issuer, -time.Hour, nil))).Append(nil))
	if ack := refused.connack(); ack.Code != wire.NotAuthorized {
		t.Errorf("CONNACK with %#x", byte(ack.Code))
	}
	refused.ended()
	w.refused(sasl.CodeExpired)
}

// A large token does not fit into a CONNECT; after one that only names the method it comes in an AUTH, whose data has 64 KiB
// at most (MQTT 5 section 1.5.6).
func TestALargeTokenComesInAuth(t *testing.T) {
	w, _, issuer := tokenWorld(t)
	token := tokenOf(t, issuer, time.Hour, func(c map[string]any) { c["groups"] = strings.Repeat("x", 40_000) })
	c := w.dial("tokens")
	c.v = wire.V5
	c.send(enhanced(sasl.OAuthBearer, nil).Append(nil))
	c.wantAuth(wire.ContinueAuthentication)
	c.send(auth(wire.ContinueAuthentication, sasl.OAuthBearer, bearerMessage(token)))
	if ack := c.connack(); ack.Code != wire.Success {
		t.Errorf("CONNACK with %#x", byte(ack.Code))
	}
}

func TestASessionEndsWithItsToken(t *testing.T) {
	w, _, issuer := tokenWorld(t)
	five := w.connected("tokens", withPassword(wire.V5, tokenOf(t, issuer, 3*time.Second, nil)))
	old := withPassword(wire.V311, tokenOf(t, issuer, 3*time.Second, nil))
	old.ClientID = "two"
	three := w.connected("tokens", old)
	five.disconnected(wire.NotAuthorized)
	three.ended()
	w.refused(sasl.CodeExpired)
}

func TestATokenOpensAWebSocket(t *testing.T) {
	w, b, issuer := tokenWorld(t)
	dial := func(server, authorization string) (*websocket.Conn, answer) {
		header := http.Header{}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		return w.open(server, "/", &websocket.DialOptions{HTTPHeader: header})
	}
	for _, server := range []string{"ws", "header"} {
		ws, _ := dial(server, "bearer "+tokenOf(t, issuer, time.Hour, nil))
		if ws == nil {
			t.Fatalf("%s: a good token is refused", server)
		}
		inside := w.inside(ws)
		inside.connect(login(wire.V311, "", "one"))
		if up := b.notes.last(t); !strings.HasPrefix(up.Connect.ClientIdentifier, "alice-") {
			t.Errorf("the broker was shown %+v", up.Connect)
		}
	}
	// A browser cannot set a header: it logs in inside.
	ws, _ := dial("ws", "")
	w.inside(ws).connect(withPassword(wire.V5, tokenOf(t, issuer, time.Hour, nil)))

	for name, c := range map[string]struct{ authorization, code, challenge string }{
		"expired":   {"Bearer " + tokenOf(t, issuer, -time.Hour, nil), sasl.CodeExpired, `Bearer realm="asyncgate", error="invalid_token"`},
		"nothing":   {"", "no-credentials", `Bearer realm="asyncgate"`},
		"malformed": {"Bearer a b", sasl.CodeMalformed, `Bearer realm="asyncgate", error="invalid_token"`},
		"negotiate": {"Negotiate YII=", "no-credentials", `Bearer realm="asyncgate"`},
	} {
		w.logs.TakeAll()
		_, response := dial("header", c.authorization)
		if response.status != http.StatusUnauthorized {
			t.Fatalf("%s: %+v", name, response)
		}
		if got := response.header.Values("WWW-Authenticate"); len(got) != 2 || !strings.HasPrefix(got[0], "Basic ") || got[1] != c.challenge {
			t.Errorf("%s: challenged with %q", name, got)
		}
		w.refused(c.code)
	}
}

// A key in a header, a query parameter or a cookie opens a WebSocket too.
func TestAKeyOpensAWebSocket(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) {
		for _, in := range []string{"header", "query", "cookie"} {
			key := way("httpApiKey", in, sasl.HTTPKey)
			key.All[0].Name = "X-Key"
			s := add(p, in, b.url, key)
			s.Protocol, s.MQTT.WebSocket = "ws", true
		}
	})
	dial := func(server, in, key string) (*websocket.Conn, answer) {
		header, path := http.Header{}, "/"
		switch in {
		case "header":
			header.Set("X-Key", key)
		case "query":
			path += "?X-Key=" + key
		case "cookie":
			header.Set("Cookie", "X-Key="+key)
		}
		return w.open(server, path, &websocket.DialOptions{HTTPHeader: header})
	}
	for _, in := range []string{"header", "query", "cookie"} {
		ws, _ := dial(in, in, goodKey)
		if ws == nil {
			t.Fatalf("%s: a good key is refused", in)
		}
		w.inside(ws).connect(login(wire.V5, "", "one"))
		if up := b.notes.last(t); !strings.HasPrefix(up.Connect.ClientIdentifier, "billing-") {
			t.Errorf("the broker was shown %+v", up.Connect)
		}
		for name, bad := range map[string][3]string{
			"unknown":   {in, goodKey[:len(goodKey)-1] + "x", sasl.CodeUnknownKey},
			"no key":    {in, "secret", sasl.CodeKeyRequired},
			"not there": {map[string]string{"header": "query", "query": "cookie", "cookie": "header"}[in], goodKey, "no-credentials"},
			"nothing":   {"", "", "no-credentials"},
		} {
			w.logs.TakeAll()
			_, response := dial(in, bad[0], bad[1])
			if response.status != http.StatusUnauthorized || response.header.Get("WWW-Authenticate") == "" {
				t.Fatalf("%s, %s: %+v", in, name, response)
			}
			w.refused(bad[2])
		}
	}
}
