package faults_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

// TestASilentClientIsEnded has clients that say nothing, or stop in the middle, at every stage of the login.
func TestASilentClientIsEnded(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at, g := through(t, b, mosquittotest.PasswordOf("gateway"))
	working := connect(t, at, 5, "clean")
	for what, said := range map[string]string{
		"nothing": "", "the first byte": "\x10", "half a CONNECT": "\x10\x20\x00\x04MQTT\x05",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(at.URL, "mqtt://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		_ = conn.SetReadDeadline(begin.Add(mqtttest.Patience))
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v after %v; want the end", what, err, time.Since(begin))
		}
		if took := time.Since(begin); took < time.Second { // the deadline is 2 s after accept
			t.Errorf("%s: the end after %v, before the deadline", what, took)
		}
	}
	if got := working.Ask(t, "PINGREQ"); got.Name != "PINGRESP" {
		t.Errorf("who works meanwhile gets %v", got)
	}
	denied := func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"logger": "audit", "decision": "deny"})
	}
	parts.Await(t, mqtttest.Patience, "audit record of each silent client", func() bool { return len(g.Records(denied)) >= 3 })
	if records := g.Records(denied); len(records) != 3 {
		t.Errorf("%d audit records of 3 silent clients: %v", len(records), records)
	}
}

// TestASlowConsumerCostsNobodyElse has a subscriber that reads nothing of 64 MiB that it is sent: the gateway must not
// keep them, and others must not wait.
func TestASlowConsumerCostsNobodyElse(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at, g := through(t, b, mosquittotest.PasswordOf("gateway"))
	slow := connect(t, at, 4, "clean")
	slow.Ask(t, "SUBSCRIBE id=1 filter=flood:0") // and nothing is read of it any more, beyond what a socket and a packet hold
	other, flood := connect(t, at, 4, "clean"), connect(t, at, 4, "clean")
	other.Ask(t, "SUBSCRIBE id=1 filter=calm:1")
	before := resident(t, g.PID())
	line := "PUBLISH topic=flood payload=" + strings.Repeat("x", 64<<10)
	for i := range 1024 {
		flood.Put(t, line)
		if i%128 == 0 {
			flood.Put(t, "PUBLISH topic=calm payload="+strconv.Itoa(i))
			if got := other.Get(t); got.Text("payload") != strconv.Itoa(i) {
				t.Fatalf("beside a slow consumer another gets %v", got)
			}
		}
	}
	if got := flood.Ask(t, "PINGREQ"); got.Name != "PINGRESP" {
		t.Errorf("the publisher gets %v", got)
	}
	if grown := resident(t, g.PID()) - before; grown > 32<<20 {
		t.Errorf("the gateway has grown by %d MiB", grown>>20)
	}
}

// resident is the memory of a process in bytes, 0 where there is no /proc.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Logf("memory is not measured: %v", err)
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte("VmRSS:")); found {
			kib, err := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
