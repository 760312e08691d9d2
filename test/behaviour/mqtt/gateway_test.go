package behaviour_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/hivemq"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
)

// document has a server for each way of the dialogues.
const document = `asyncapi: 3.0.0
info: { title: Behaviour, version: 1.0.0 }
servers:
  plain: { host: 'localhost:1883', protocol: mqtt, security: [{ type: userPassword }] }
  web: { host: 'localhost:8081', pathname: /mqtt, protocol: wss, bindings: { mqtt: {} }, security: [{ type: userPassword }] }
`

// passwordAt is the password of a user at the gateway, which is not the one at the broker.
func passwordAt(user string) string { return user + " at the gate" }

// startGateway starts a gateway in front of a broker, and returns how to go through it: in clear, and by WebSocket
// inside TLS.
func startGateway(t *testing.T, upstream map[string]any) (plain, web target) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "behaviour.yml")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway.password"), []byte(mosquittotest.PasswordOf("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
	credentials := gatewaytest.NewCredentials(t)
	for _, user := range []string{"alice", "bob"} {
		credentials.User(user, passwordAt(user))
	}
	certificates := mosquittotest.Certificates(t)
	server := func(more map[string]any) map[string]any {
		s := map[string]any{"listen": "127.0.0.1:0", "advertise": "localhost:0", "upstream": upstream}
		maps.Copy(s, more)
		return s
	}
	settings, err := json.Marshal(map[string]any{ // JSON is YAML
		"credentials": credentials.Path,
		"limits":      map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}}, // a hundred refusals are the point here
		"servers": map[string]any{
			"plain": server(map[string]any{"unsafePlaintextCredentials": true}),
			"web": server(map[string]any{"tls": map[string]string{
				"certificate": filepath.Join(certificates, "gateway-server.crt"), "key": filepath.Join(certificates, "gateway-server.key"),
			}}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: path, Settings: string(settings), Dir: dir})
	return target{mqtttest.Target{URL: "mqtt://" + g.Address(t, "plain")}, passwordAt},
		target{mqtttest.Target{URL: "wss://" + g.Address(t, "web") + "/mqtt", TLS: mosquittotest.ClientTLS(t, "")}, passwordAt}
}

// before is a gateway in front of Mosquitto, where it logs in as itself.
func before(t *testing.T) (plain, web target) {
	t.Helper()
	b := mosquittotest.Start(t, limited)
	return startGateway(t, map[string]any{
		"address": b.Address(mosquittotest.Password), "username": "gateway", "password": "file:gateway.password",
	})
}

// TestThroughTheGatewayItGoesAsWithTheBroker is what docs/differences.md says of MQTT.
func TestThroughTheGatewayItGoesAsWithTheBroker(t *testing.T) {
	plain, _ := before(t)
	if *update {
		recordDifferences(t, plain)
	}
	compare(t, plain)
}

// TestOverWebSocketItGoesTheSame has the same dialogues inside of TLS and WebSocket frames.
func TestOverWebSocketItGoesTheSame(t *testing.T) {
	_, web := before(t)
	compare(t, web)
}

// compare has all dialogues with the gateway and fails for every difference that is not listed, and for every listed
// one that is none any more.
func compare(t *testing.T, at target) {
	t.Helper()
	all, list := topics(t), readDifferences(t)
	went := playAll(t, at, all, playing, func(name string, s *script) *script {
		if as := list.of(name); as != nil {
			return as
		}
		return s
	})
	different := 0
	for name, broker := range recorded(all) {
		r := went[name]
		switch listed := list.of(name); {
		case r == nil: // has failed already
		case listed == nil && r.transcript() != broker.transcript():
			t.Errorf("%s: a difference that is not listed: the broker says\n%sthe gateway says\n%s", name, broker.transcript(), r.transcript())
		case listed == nil:
		case r.transcript() == broker.transcript():
			t.Errorf("%s: is listed, and goes through the gateway as with the broker", name)
		case r.transcript() != listed.transcript():
			t.Errorf("%s: listed is\n%sthe gateway now says\n%s", name, listed.transcript(), r.transcript())
		default:
			different++
		}
	}
	t.Logf("%d dialogues: %d the same, %d listed differences for %d reasons", len(went), len(went)-different, different, len(list))
}

// recordDifferences brings the list up to date.
func recordDifferences(t *testing.T, at target) {
	t.Helper()
	list, all := readDifferences(t), topics(t)
	went := playAll(t, at, all, recording, asRecorded)
	by := recorded(all)
	for _, name := range slices.Sorted(maps.Keys(went)) {
		if went[name].transcript() == by[name].transcript() {
			list.drop(name)
		} else {
			list.set(name, went[name])
		}
	}
	if err := os.WriteFile(differencesPath, []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// refusedOtherwise is a CONNECT that the gateway refuses as Mosquitto does, without a word, and HiveMQ with a code.
const refusedOtherwise = "wills/3.1.1-on-a-topic-with-a-wildcard"

// TestASecondBroker has the dialogues with HiveMQ, alone and behind the gateway: where the gateway is not known to differ
// from Mosquitto it must not differ from HiveMQ, whatever that answers. What HiveMQ finds wrong, with a reason, is left
// out: the gateway refuses that before HiveMQ sees it, as it does in the dialogues about what is wrong.
func TestASecondBroker(t *testing.T) {
	b := hivemqtest.Start(t)
	alone := target{mqtttest.Target{URL: "mqtt://" + b.Address}, passwordAt}
	through, _ := startGateway(t, map[string]any{"address": b.Address})
	list := readDifferences(t)
	var all []*chapter
	for _, c := range topics(t) {
		c.scripts = slices.DeleteFunc(c.scripts, func(s *script) bool {
			name := c.title + "/" + s.name
			return c.title == "protocol" || list.of(name) != nil || name == refusedOtherwise
		})
		all = append(all, c)
	}
	listening := patience{8 * time.Second, 2 * time.Second}
	want := playAll(t, alone, all, listening, asRecorded)
	got := playAll(t, through, all, listening, func(name string, _ *script) *script { return want[name] })
	count := 0
	for name, w := range want {
		g := got[name]
		if g == nil || strings.Contains(w.transcript(), " reason=") {
			continue
		}
		count++
		if g.transcript() != w.transcript() {
			t.Errorf("%s: HiveMQ says\n%sthrough the gateway\n%s", name, w.transcript(), g.transcript())
		}
	}
	t.Logf("%d dialogues with HiveMQ", count)
}
