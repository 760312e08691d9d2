package hivemqtest_test

import (
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/hivemq"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func TestStart(t *testing.T) {
	b := hivemqtest.Start(t)
	for _, version := range []byte{3, 4, 5} {
		c := mqtttest.Dial(t, mqtttest.Target{URL: "mqtt://" + b.Address}, version)
		if got := c.Ask(t, "CONNECT id=c clean keepalive=60"); got.Text("code") != "0x00" {
			t.Errorf("version %d: %v", version, got)
		}
		if got := c.Ask(t, "SUBSCRIBE id=1 filter=a/#:1"); got.Text("code") != "0x01" {
			t.Errorf("version %d: %v", version, got)
		}
	}
}
