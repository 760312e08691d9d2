package mqttclients_test

import (
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) {
	code := parts.Main(m)
	results.Print()
	os.Exit(code)
}

// TestDirect shows the drivers right: what they call accepted and refused is so with a real broker, and they exchange
// messages with it.
func TestDirect(t *testing.T) {
	g := direct(t, mosquittotest.Start(t, mosquittotest.Options{}))
	g.logins(t, func(*testing.T, scheme, mistake) {})
	g.exchanges(t, 3)
}

// direct is the broker itself, on the listeners that it has.
func direct(t *testing.T, b *mosquittotest.Broker) *target {
	t.Helper()
	alice, wrong := mosquittotest.PasswordOf("alice"), []mistake{wrongPassword}
	return &target{schemes: []scheme{
		login("password in clear", "mqtt://"+b.Address(mosquittotest.Password), "alice", alice, wrong...),
		login("password", "mqtts://"+b.Address(mosquittotest.TLS), "alice", alice, wrong...),
		login("password, ws", "ws://"+b.Address(mosquittotest.WebSocket)+"/mqtt", "alice", alice, wrong...),
		login("password, wss", "wss://"+b.Address(mosquittotest.Secure)+"/mqtt", "alice", alice, wrong...),
		certificate(t, "certificate", "mqtts://"+b.Address(mosquittotest.MTLS)),
	}}
}
