package tokens_test

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	_ "github.com/asyncgate/asyncgate/internal/cases" // its flag -update
	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/oidc"
	"github.com/asyncgate/asyncgate/test/parts"
)

// TestAnswersToBadTokens comes with tokens of real issuers on every road: what the client is told and what the operator is,
// in one record, is in docs/tokens.md, line by line.
func TestAnswersToBadTokens(t *testing.T) {
	f := newFaults(t)
	for _, r := range roads {
		for name, issuer := range map[string]*oidctest.Provider{"signed": f.signs, "opaque": f.asked} {
			if got, _ := r.try(f.world, issuer.MustToken("lamp")); got != in {
				t.Fatalf("%s: with a good token, %s: %s", r.name, name, got)
			}
		}
	}
	var table strings.Builder
	head, rule := "| the token is |", "|---|"
	for _, r := range roads {
		head, rule = head+" "+r.name+" |", rule+"---|"
	}
	fmt.Fprintf(&table, "%s `code` |\n%s---|\n", head, rule)
	for _, bad := range f.tokens() {
		token := bad.token()
		fmt.Fprintf(&table, "| %s |", bad.name)
		var codes []string
		for _, r := range roads {
			answer, local := r.try(f.world, token)
			fmt.Fprintf(&table, " %s |", answer)
			codes = append(codes, f.refused(t, r.server, local, token))
		}
		fmt.Fprintf(&table, " `%s` |\n", codes[0])
		for i, code := range codes {
			if code != codes[0] {
				t.Errorf("%s: the operator is told %s on the road %s, and %s on %s", bad.name, code, roads[i].name, codes[0], roads[0].name)
			}
		}
	}
	page := []string{"docs", "tokens.md"}
	if got := table.String(); parts.Section(t, "answers", page...) != got {
		if flag.Lookup("update").Value.String() == "true" {
			parts.WriteSection(t, got, "answers", page...)
			return
		}
		t.Errorf("docs/tokens.md has another table than\n%s", got)
	}
}

// in is the answer to a good token.
const in = "in"

// roads are the columns of the table, and the server of testdata/roads.yml that each leads to. try returns what the client is
// told, and where it was.
var roads = []struct {
	name, server string
	try          func(w *world, token string) (answer, local string)
}{
	{"Kafka", "kafka", (*world).tryKafka},
	{"MQTT 5, password", "mqtt", func(w *world, token string) (string, string) { return w.tryMQTT(5, "user=x password="+token) }},
	{"MQTT 5, AUTH", "mqtt", func(w *world, token string) (string, string) {
		return w.tryMQTT(5, fmt.Sprintf("method=OAUTHBEARER data=%q", "n,,\x01auth=Bearer "+token+"\x01\x01"))
	}},
	{"MQTT 3.1.1", "mqtt", func(w *world, token string) (string, string) { return w.tryMQTT(4, "user=x password="+token) }},
	{"WebSocket", "web", (*world).tryWebSocket},
}

func (w *world) tryKafka(token string) (answer, local string) {
	w.t.Helper()
	conn := w.dial("kafka")
	local = conn.conn.LocalAddr().String()
	if err := conn.handshake(); err != nil {
		w.t.Fatal(err)
	}
	r, err := conn.authenticate("n,,\x01auth=Bearer " + token + "\x01\x01")
	if err == nil && len(r.SASLAuthBytes) > 0 {
		answer = fmt.Sprintf("`%s`, then ", r.SASLAuthBytes)
		r, err = conn.authenticate("\x01")
	}
	switch {
	case err != nil:
		w.t.Fatal(err)
	case r.ErrorCode == 0:
		return answer + in, local
	case strings.HasPrefix(*r.ErrorMessage, "{"):
		return fmt.Sprintf("%s%d", answer, r.ErrorCode), local
	}
	return fmt.Sprintf("%s%d `%s`", answer, r.ErrorCode, *r.ErrorMessage), local
}

func (w *world) tryMQTT(version byte, how string) (answer, local string) {
	w.t.Helper()
	conn := mqtttest.Dial(w.t, mqtttest.Target{URL: "mqtts://" + w.gateway.Address(w.t, "mqtt"), TLS: w.tls()}, version)
	defer conn.Close()
	return connack(conn.Ask(w.t, "CONNECT clean id=lamp "+how)), conn.LocalAddr().String()
}

// connack is what a server answers to CONNECT.
func connack(p *mqtttest.Packet) string {
	switch code := p.Text("code"); {
	case p.Name != "CONNACK":
		return p.String()
	case code == "0x00":
		return in
	default:
		return code
	}
}

func (w *world) tryWebSocket(token string) (answer, local string) {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.gateway.Address(w.t, "web"), w.tls())
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = fmt.Fprintf(conn, "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nAuthorization: Bearer %s\r\n\r\n", token)
	var r *http.Response
	from := bufio.NewReader(conn)
	if err == nil {
		r, err = http.ReadResponse(from, nil)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	local = conn.LocalAddr().String()
	if r.StatusCode != http.StatusSwitchingProtocols {
		if challenge := r.Header.Get("WWW-Authenticate"); challenge != "" {
			return fmt.Sprintf("%d `%s`", r.StatusCode, challenge), local
		}
		return fmt.Sprint(r.StatusCode), local
	}
	p, err := mqtttest.Parse("CONNECT clean id=lamp")
	var packet []byte
	if err == nil {
		packet, err = p.Encode(5)
	}
	if err == nil { // one frame, whose mask is zero (RFC 6455 section 5.2)
		_, err = conn.Write(append([]byte{0x82, byte(0x80 | len(packet)), 0, 0, 0, 0}, packet...))
	}
	if err == nil {
		_, err = from.Discard(2) // the frame's header
	}
	if err == nil {
		p, err = mqtttest.Read(from, 5)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return connack(p), local
}

// faults is a gateway with a server for each road, and issuers: one whose tokens are JWTs, one whose are opaque, one that is
// believed and gone, and one that is not believed.
type faults struct {
	*world
	signs, asked *oidctest.Provider
	gone, other  string // tokens of the last two
}

func newFaults(t *testing.T) *faults {
	t.Helper()
	const scope = "lights:write"
	f := &faults{
		signs: oidctest.Start(t, map[string]oidctest.Client{
			"lamp": {Scope: scope, Audience: audience}, "brief": {Scope: scope, Audience: audience, Lifetime: time.Second},
			"stranger": {Scope: scope, Audience: "billing"}, "reader": {Scope: "lights:read", Audience: audience},
		}),
		asked: oidctest.Start(t, map[string]oidctest.Client{"lamp": {Scope: scope, Audience: audience, Opaque: true}, "gateway": {Audience: audience}}),
	}
	gone, other := issuerOf(t), issuerOf(t)
	f.gone, f.other = signedBy(t, gone), signedBy(t, other)
	gone.Close()
	f.world = startRoads(t,
		map[string]any{"issuer": f.signs.Issuer(), "audience": audience, "principal": "client_id", "skew": "1s", "minInterval": "1s"},
		map[string]any{"issuer": f.asked.Issuer(), "audience": audience, "principal": "client_id", "introspection": map[string]any{
			"url": f.asked.Introspection(), "clientId": "gateway", "clientSecret": "file:oidc", "cache": "1s", "recheck": "5s"}},
		map[string]any{"issuer": gone.URL(), "audience": audience})
	return f
}

func signedBy(t *testing.T, issuer *throwaway.Issuer) string {
	t.Helper()
	claims := issuer.Claims("lamp", audience, time.Hour)
	claims["scope"] = "lights:write"
	token, err := issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// badToken is what is wrong with a token, and how to come by it.
type badToken struct {
	name  string
	token func() string
}

// tokens are in an order in which none spoils the next.
func (f *faults) tokens() []badToken {
	return []badToken{
		{"expired", func() string {
			token, over := f.signs.MustToken("brief"), time.Now().Add(3*time.Second) // its one, and one of skew
			parts.Await(f.t, patience, "end of the token", func() bool { return time.Now().After(over) })
			return token
		}},
		{"for another audience", func() string { return f.signs.MustToken("stranger") }},
		{"of another issuer", func() string { return f.other }},
		{"without a scope that is needed", func() string { return f.signs.MustToken("reader") }},
		{"of a key that was withdrawn", func() string {
			token := f.signs.MustToken("lamp")
			f.signs.Rotate()
			parts.Await(f.t, patience, "login with the new key", func() bool {
				answer, _ := f.tryKafka(f.signs.MustToken("lamp"))
				return answer == in
			})
			return token
		}},
		{"of an issuer whose keys cannot be had", func() string { return f.gone }},
		{"opaque, and was revoked", func() string {
			token := f.asked.MustToken("lamp")
			f.asked.Revoke("lamp", token)
			return token
		}},
		{"opaque, and its issuer is down", func() string {
			token := f.asked.MustToken("lamp")
			f.asked.Down()
			return token
		}},
	}
}

// refused returns the code of the one record that says why a client was refused, by where it was. No record has a part of
// its token.
func (w *world) refused(t *testing.T, server, local, token string) (code string) {
	t.Helper()
	about := func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "decision": "deny", "server": server, "remote": local})
	}
	record := w.gateway.Wait(t, patience, "audit record of "+local, about)
	if n := len(w.gateway.Records(about)); n != 1 || record.Text("reason") == "" || record.Text("mechanism") == "" {
		t.Errorf("%d records, the first with the reason %q and the mechanism %q", n, record.Text("reason"), record.Text("mechanism"))
	}
	if code := record.Text("code"); code == "missing-scope" && (record.Text("claimed") != `"reader"` || strings.Contains(record.Text("reason"), "certificate")) {
		t.Errorf("the record of who lacks a scope names %q, with the reason %q", record.Text("claimed"), record.Text("reason"))
	}
	w.audited("deny", record.Text("code"), token)
	return record.Text("code")
}
