package faults_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

const document = `asyncapi: 3.0.0
info: { title: Faults, version: 1.0.0 }
servers:
  lights: { host: 'localhost:1883', protocol: mqtt, security: [{ type: userPassword }] }
`

// alice is in CONNECT; her password is the same at the gateway and at the broker.
var alice = " keepalive=60 user=alice password=" + mosquittotest.PasswordOf("alice")

// direct is the broker itself.
func direct(b *mosquittotest.Broker) mqtttest.Target {
	return mqtttest.Target{URL: "mqtt://" + b.Address(mosquittotest.Password)}
}

// through starts a gateway in front of the broker. It logs in there with a password, and ends who is silent soon.
func through(t *testing.T, b *mosquittotest.Broker, password string) (mqtttest.Target, *gatewaytest.Gateway) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "faults.yml")
	for file, text := range map[string]string{path: document, filepath.Join(dir, "gateway.password"): password} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	credentials := gatewaytest.NewCredentials(t)
	credentials.User("alice", mosquittotest.PasswordOf("alice"))
	settings, err := json.Marshal(map[string]any{ // JSON is YAML
		"credentials": credentials.Path,
		"limits":      map[string]any{"exempt": []string{"127.0.0.0/8"}, "handshake": "2s"},
		"servers": map[string]any{"lights": map[string]any{
			"listen": "127.0.0.1:0", "advertise": "localhost:0", "unsafePlaintextCredentials": true,
			"upstream": map[string]any{"address": b.Address(mosquittotest.Password), "username": "gateway", "password": "file:gateway.password"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: path, Settings: string(settings), Dir: dir})
	return mqtttest.Target{URL: "mqtt://" + g.Address(t, "lights")}, g
}

// denied waits for the audit record with a code.
func denied(t *testing.T, g *gatewaytest.Gateway, code string) {
	t.Helper()
	g.Wait(t, mqtttest.Patience, "audit record with code "+code, func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "decision": "deny", "code": code})
	})
}

// connect connects and logs in.
func connect(t *testing.T, at mqtttest.Target, version byte, rest string) *mqtttest.Conn {
	t.Helper()
	c := mqtttest.Dial(t, at, version)
	if got := c.Ask(t, "CONNECT "+rest+alice); got.Text("code") != "0x00" {
		t.Fatalf("CONNECT %s: %v", rest, got)
	}
	return c
}

// recovers fails unless clients get in again before long.
func recovers(t *testing.T, at mqtttest.Target) {
	t.Helper()
	for end := time.Now().Add(mqtttest.Patience); ; {
		got, err := mqtttest.Try(t.Context(), at, 5, "CONNECT clean"+alice)
		if err == nil && got.Text("code") == "0x00" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the broker is back, and clients still get %v, %v", got, err)
		}
	}
}
