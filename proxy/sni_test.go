package proxy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
)

// FuzzServerName holds the reading of a broker's name against its writing: a name is a broker's only if it is how the
// gateway would write it.
func FuzzServerName(f *testing.F) {
	for _, seed := range []string{"", "gateway.test", "broker-0.kafka.test", "broker-01.kafka.test", "BROKER-7.KAFKA.TEST",
		"broker-2147483647.kafka.test", "broker-4294967296.kafka.test", "broker--1.kafka.test", "broker-.kafka.test", "broker-1"} {
		f.Add(seed)
	}
	n := namesOf(&plan.Server{Advertise: plan.Address{Host: "gateway.test"}, Brokers: plan.Brokers{SNI: "Broker-{id}.kafka.test"}},
		[]*plan.Server{{Advertise: plan.Address{Host: "alias.test"}}})
	f.Fuzz(func(t *testing.T, name string) {
		id, ok := n.broker(name)
		bootstrap := name == "" || strings.EqualFold(name, "gateway.test") || strings.EqualFold(name, "alias.test")
		switch {
		case bootstrap != (ok && id == Bootstrap):
			t.Fatalf("%q leads to %d, %v", name, id, ok)
		case ok && !bootstrap && (id < 0 || !strings.EqualFold(name, "broker-"+strconv.Itoa(int(id))+".kafka.test")):
			t.Fatalf("%q leads to broker %d", name, id)
		}
	})
}
