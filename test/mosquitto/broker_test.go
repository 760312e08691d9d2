package mosquittotest_test

import (
	"crypto/tls"
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// TestListeners shows that every listener wants what the package says it wants.
func TestListeners(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	alice := " user=alice password=" + mosquittotest.PasswordOf("alice")
	for _, l := range []struct {
		name, scheme string
		listener     mosquittotest.Listener
		right, wrong string // of CONNECT
		tls          *tls.Config
		wrongTLS     *tls.Config // default: tls
	}{
		{"password", "mqtt", mosquittotest.Password, alice, " user=alice password=wrong", nil, nil},
		{"TLS", "mqtts", mosquittotest.TLS, alice, "", mosquittotest.ClientTLS(t, ""), nil},
		{"mTLS", "mqtts", mosquittotest.MTLS, "", "", mosquittotest.ClientTLS(t, "alice"), mosquittotest.ClientTLS(t, "mallory")},
		{"WebSocket", "ws", mosquittotest.WebSocket, alice, " user=nobody password=wrong", nil, nil},
		{"WebSocket inside TLS", "wss", mosquittotest.Secure, alice, "", mosquittotest.ClientTLS(t, ""), nil},
	} {
		t.Run(l.name, func(t *testing.T) {
			target := mqtttest.Target{URL: l.scheme + "://" + b.Address(l.listener), TLS: l.tls}
			c := mqtttest.Dial(t, target, 5)
			if got := c.Ask(t, "CONNECT clean"+l.right); got.Text("code") != "0x00" {
				t.Errorf("the right way: %v", got)
			}
			if l.wrongTLS != nil {
				target.TLS = l.wrongTLS
			}
			if got, err := mqtttest.Try(t.Context(), target, 5, "CONNECT clean"+l.wrong); err == nil && got.Text("code") == "0x00" {
				t.Errorf("the wrong way: %v", got)
			}
		})
	}
	c := mqtttest.Dial(t, mqtttest.Target{URL: "mqtt://" + b.Address(mosquittotest.Open)}, 4)
	if got := c.Ask(t, "CONNECT clean"); got.Text("code") != "0x00" {
		t.Errorf("open: %v", got)
	}
}

// TestRestart shows what survives: with a stop the sessions and messages do, with a kill the broker comes back at all.
func TestRestart(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	target := mqtttest.Target{URL: "mqtt://" + b.Address(mosquittotest.Open)}
	c := mqtttest.Dial(t, target, 4)
	c.Ask(t, "CONNECT id=keeper")
	c.Ask(t, "SUBSCRIBE id=1 filter=kept:1")
	b.Stop(t)
	b.Restart(t)
	c = mqtttest.Dial(t, target, 4)
	if got := c.Ask(t, "CONNECT id=keeper"); !got.Has("present") {
		t.Errorf("after a stop: %v, want the session", got)
	}
	b.Kill(t)
	b.Restart(t)
	c = mqtttest.Dial(t, target, 4)
	if got := c.Ask(t, "CONNECT clean"); got.Text("code") != "0x00" {
		t.Errorf("after a kill: %v", got)
	}
}
