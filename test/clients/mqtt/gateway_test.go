package mqttclients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/parts"
)

// alicesPassword is hers at the gateway, and not the one she has at the broker.
const alicesPassword = "alice at the gate"

// TestSchemes has every client prove itself in every way that it can, and fail to, in front of one broker, and exchange
// messages. Between them the servers use every way of being somebody to the broker.
func TestSchemes(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	g := startGateway(t, filepath.Join("testdata", "schemes.yml"), everyScheme(t, b))
	g.logins(t, g.audited)
	g.exchanges(t, 4)
}

// TestStreetlights runs the specification's example, in two of its forms and unedited, with all three of its schemes. The
// settings give its server TLS and an issuer for each of the schemes that take tokens.
func TestStreetlights(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	oauth, oidc := newIssuer(t), newIssuer(t)
	const scopes = "streetlights:on streetlights:off streetlights:dim"
	for _, form := range []struct{ name, document string }{
		{"3.1", parts.Path(t, "examples", "streetlights-mqtt", "streetlights-mqtt.yml")},
		{"2.6", filepath.Join("testdata", "streetlights-mqtt-2.6.yml")},
	} {
		t.Run(form.name, func(t *testing.T) {
			g := startGateway(t, form.document, func(c *gatewaytest.Credentials) []front {
				key, wrong := keys(c)
				s := login("key in user", "mqtts", key, "", mistake{map[string]string{"user": wrong}, []string{"unknown-key"}})
				return []front{
					{s, "production", password(b)},
					{tokenAsPassword(t, "oauth2", oauth, scopes, "expired", "missing-scope"), "production", password(b)},
					{tokenAsPassword(t, "openIdConnect", oidc, "", "expired", "token-audience"), "production", password(b)},
					{tokenByAuth(t, "openIdConnect, AUTH", oidc, "", "expired", "token-audience"), "production", password(b)},
				}
			}, believed(oauth, nil), believed(oidc, map[string]any{"schemes": []string{"openIdConnectWellKnown"}}))
			if form.name == "3.1" {
				g.logins(t, g.audited)
			}
			g.exchanges(t, 3)
		})
	}
}

// front is a scheme, the server of a document that is to be dialled for it, and who the gateway is to the broker. Of the
// scheme's url only the beginning is there: mqtt, mqtts, ws or wss.
type front struct {
	scheme
	server   string
	upstream map[string]any
}

// gateway is a target: a gateway in front of the broker.
type gateway struct {
	target
	*gatewaytest.Gateway
}

// password, secured, certified, web and webSecured are the ways of being somebody to the broker.
func password(b *mosquittotest.Broker) map[string]any {
	return map[string]any{"address": b.Address(mosquittotest.Password), "username": "gateway", "password": "file:gateway.password"}
}

func secured(t *testing.T, b *mosquittotest.Broker) map[string]any {
	t.Helper()
	return map[string]any{"address": "mqtts://" + b.Address(mosquittotest.TLS), "username": "gateway", "password": "file:gateway.password",
		"tls": map[string]string{"ca": b.Certificate(t, "ca.crt")}}
}

func certified(t *testing.T, b *mosquittotest.Broker) map[string]any {
	t.Helper()
	return map[string]any{"address": "mqtts://" + b.Address(mosquittotest.MTLS), "tls": map[string]string{
		"ca": b.Certificate(t, "ca.crt"), "certificate": b.Certificate(t, "gateway.crt"), "key": b.Certificate(t, "gateway.key"),
	}}
}

func web(b *mosquittotest.Broker) map[string]any {
	return map[string]any{"address": "ws://" + b.Address(mosquittotest.WebSocket) + "/", "username": "gateway", "password": "file:gateway.password"}
}

func webSecured(t *testing.T, b *mosquittotest.Broker) map[string]any {
	t.Helper()
	return map[string]any{"address": "wss://" + b.Address(mosquittotest.Secure) + "/", "username": "gateway", "password": "file:gateway.password",
		"tls": map[string]string{"ca": b.Certificate(t, "ca.crt")}}
}

// keys are alice's key and one that is none.
func keys(c *gatewaytest.Credentials) (key, wrong string) {
	key = c.Key("alice-key")
	return key, key[:len(key)-4] + "0000"
}

// everyScheme are the servers of testdata/schemes.yml.
func everyScheme(t *testing.T, b *mosquittotest.Broker) func(*gatewaytest.Credentials) []front {
	t.Helper()
	return func(c *gatewaytest.Credentials) []front {
		key, wrongKey := keys(c)
		alice := func(name, url string) scheme {
			return login(name, url, "alice", alicesPassword, wrongPassword, unknownUser)
		}
		auth := func(name, url, method string) scheme {
			s := alice(name, url)
			s.right["auth"] = method
			return s
		}
		basic := scheme{name: "Basic, wss", right: map[string]string{"url": "wss", "basic": "alice:" + alicesPassword}, wrong: []mistake{
			{map[string]string{"basic": "alice:not-her-password"}, []string{"wrong-password"}},
			{map[string]string{"basic": "nobody:" + alicesPassword}, []string{"unknown-user"}},
		}}
		plain, inTLS, own, overWS, overWSS := password(b), secured(t, b), certified(t, b), web(b), webSecured(t, b)
		return []front{
			{alice("password in clear", "mqtt"), "clear", plain},
			{alice("password", "mqtts"), "password", inTLS},
			{login("key in user", "mqtts", key, "", mistake{map[string]string{"user": wrongKey}, []string{"unknown-key"}}), "keyInUser", own},
			{login("key in password", "mqtts", "ignored", key, mistake{map[string]string{"password": wrongKey}, []string{"unknown-key"}}), "keyInPassword", overWS},
			{certificate(t, "certificate", "mqtts"), "certificate", inTLS},
			{auth("SCRAM-256", "mqtts", "SCRAM-SHA-256"), "scram256", overWSS},
			{auth("SCRAM-512", "mqtts", "SCRAM-SHA-512"), "scram512", own},
			{auth("PLAIN", "mqtts", "PLAIN"), "plain", plain},
			{alice("password, ws", "ws"), "ws", plain},
			{alice("password, wss", "wss"), "wss", overWS},
			{basic, "wss", overWS},
			{certificate(t, "certificate, wss", "wss"), "wssCertificate", inTLS},
			{auth("SCRAM-512, wss", "wss", "SCRAM-SHA-512"), "wssScram", plain},
		}
	}
}

// startGateway runs a document, unedited, in front of a broker. Alice may log in with every scheme.
func startGateway(t *testing.T, document string, fronts func(*gatewaytest.Credentials) []front, issuers ...map[string]any) *gateway {
	t.Helper()
	credentials := gatewaytest.NewCredentials(t)
	credentials.User("alice", alicesPassword)
	credentials.Certificate("alice-certificate", "CN=alice")
	all := fronts(credentials)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gateway.password"), []byte(mosquittotest.PasswordOf("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
	servers := map[string]any{}
	for _, f := range all {
		servers[f.server] = serverSettings(t, f)
	}
	chosen := map[string]any{ // JSON is YAML
		"servers":     servers,
		"credentials": credentials.Path,
		"limits":      map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}}, // a hundred refusals are the point here
	}
	if len(issuers) > 0 {
		chosen["tokens"] = map[string]any{"issuers": issuers}
	}
	settings, err := json.Marshal(chosen)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Gateway: gatewaytest.Start(t, gatewaytest.Options{Document: document, Settings: string(settings), Dir: dir})}
	for _, f := range all {
		f.scheme.server = f.server
		f.right["url"] += "://" + g.Address(t, f.server)
		if f.right["url"][0] == 'w' {
			f.right["url"] += "/mqtt"
		}
		g.schemes = append(g.schemes, f.scheme)
	}
	return g
}

// serverSettings are the settings of one server, on a free port of loopback.
func serverSettings(t *testing.T, f front) map[string]any {
	t.Helper()
	s := map[string]any{"listen": "127.0.0.1:0", "advertise": "localhost:0", "upstream": f.upstream}
	if url := f.right["url"]; url == "mqtt" || url == "ws" {
		s["unsafePlaintextCredentials"] = true
		return s
	}
	tls := map[string]string{
		"certificate": filepath.Join(mosquittotest.Certificates(t), "gateway-server.crt"),
		"key":         filepath.Join(mosquittotest.Certificates(t), "gateway-server.key"),
	}
	if f.right["cert"] != "" {
		tls["clientCA"] = filepath.Join(mosquittotest.Certificates(t), "ca.crt")
	}
	s["tls"] = tls
	return s
}

// auditTimeout bounds the time between a client's end and the gateway's record of it.
const auditTimeout = 30 * time.Second

// audited fails the test unless the gateway's audit log says that somebody made this mistake.
func (g *gateway) audited(t *testing.T, s scheme, wrong mistake) {
	t.Helper()
	want := map[string]string{"logger": "audit", "decision": "deny", "server": s.server}
	g.Wait(t, auditTimeout, fmt.Sprintf("audit record %v with one of %v", want, wrong.codes), func(r gatewaytest.Record) bool {
		return r.Has(want) && slices.Contains(wrong.codes, r.Text("code"))
	})
}
