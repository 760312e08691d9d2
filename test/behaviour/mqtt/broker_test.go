package behaviour_test

import (
	"flag"
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

var update = flag.Bool("update", false, "record the broker's answers anew, and the differences of the gateway")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(parts.Main(m))
}

// limited bounds packets as the gateway does by default (limits.frame): both then say so in every CONNACK of MQTT 5.
var limited = mosquittotest.Options{Settings: []string{"max_packet_size 104857600"}}

// brokerTarget is a real broker.
func brokerTarget(t testing.TB) target {
	t.Helper()
	b := mosquittotest.Start(t, limited)
	return target{mqtttest.Target{URL: "mqtt://" + b.Address(mosquittotest.Password)}, mosquittotest.PasswordOf}
}

func TestTheRecordedAnswersAreABrokers(t *testing.T) {
	at, all := brokerTarget(t), topics(t)
	if *update {
		record(t, at, all)
		return
	}
	went := playAll(t, at, all, playing, asRecorded)
	for _, c := range all {
		for _, s := range c.scripts {
			if r := went[c.title+"/"+s.name]; r != nil && r.transcript() != s.transcript() {
				t.Errorf("%s/%s: recorded is\n%sthe broker now says\n%s", c.title, s.name, s.transcript(), r.transcript())
			}
		}
	}
	t.Logf("%d dialogues with Mosquitto", len(went))
}

func asRecorded(_ string, s *script) *script { return s }

// record writes the broker's answers into the files.
func record(t *testing.T, at target, all []*chapter) {
	went := playAll(t, at, all, recording, asRecorded)
	for _, c := range all {
		for i, s := range c.scripts {
			if r := went[c.title+"/"+s.name]; r != nil {
				c.scripts[i] = r
			}
		}
		if err := os.WriteFile("testdata/"+c.title+".txt", []byte(c.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
