package mqttload_test

import (
	"os"
	"testing"
	"time"

	mqttload "github.com/asyncgate/asyncgate/bench/load/mqtt"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func target(t *testing.T) mqttload.Target {
	t.Helper()
	b := mosquittotest.Start(t, mosquittotest.Options{})
	return mqttload.Target{Address: b.Address(mosquittotest.Password), User: "alice", Password: mosquittotest.PasswordOf("alice")}
}

func TestPairs(t *testing.T) {
	at := target(t)
	for _, qos := range []byte{0, 1} {
		p, err := mqttload.Open(t.Context(), at, 3, qos)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		messages, took, err := p.Flood(t.Context(), 300*time.Millisecond)
		if err != nil || messages == 0 || took < 300*time.Millisecond {
			t.Errorf("QoS %d: %d messages in %v, %v", qos, messages, took, err)
		}
	}
	p, err := mqttload.Open(t.Context(), at, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	half, most, err := p.Latency(t.Context(), 1000, 300*time.Millisecond)
	if err != nil || half <= 0 || most < half || most > time.Minute {
		t.Errorf("%v, %v, %v", half, most, err)
	}
}

func TestConnections(t *testing.T) {
	at := target(t)
	rate, err := mqttload.Connects(t.Context(), at, 200*time.Millisecond)
	if err != nil || rate < 1 {
		t.Errorf("%.0f a second, %v", rate, err)
	}
	closeAll, err := mqttload.Idle(t.Context(), at, 20)
	if err != nil {
		t.Fatal(err)
	}
	closeAll()
	at.Password = "wrong"
	if _, err := mqttload.Connects(t.Context(), at, 200*time.Millisecond); err == nil {
		t.Error("with a wrong password it counts connections")
	}
}
