package mqtt_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// An id at the broker is the same for the same three on every instance, and another one for any others. It has no
// character that a broker could take for a pattern, and fits the version.
func TestDerivedIDs(t *testing.T) {
	plainID := regexp.MustCompile(`^[0-9A-Za-z-]*$`)
	seen := map[string]string{}
	for _, server := range []string{"a", "b", ""} {
		for _, principal := range []string{"alice", "alic", "#", "+/$SYS", "", strings.Repeat("ü", 200)} {
			for _, client := range []string{"e", "", "one", "#", strings.Repeat("x", 65535)} {
				for _, v := range []wire.Version{wire.V31, wire.V311} {
					id := mqtt.Derive(server, principal, client, v)
					if other, twice := seen[id]; twice {
						t.Fatalf("%s is that of %q too", id, other)
					}
					seen[id] = server + "|" + principal + "|" + client
					if !plainID.MatchString(id) || v == wire.V31 && len(id) != 23 || len(id) > 65 {
						t.Errorf("id %q", id)
					}
					if id != mqtt.Derive(server, principal, client, v) {
						t.Errorf("%s changes", id)
					}
				}
				if mqtt.Derive(server, principal, client, wire.V311) != mqtt.Derive(server, principal, client, wire.V5) {
					t.Error("the id depends on the version, where both allow the same")
				}
			}
		}
	}
	// Written down, so that no change of the code moves every session of every client.
	for v, want := range map[wire.Version]string{wire.V31: "mofnub3orp5upchc64svd2k", wire.V5: "alice-mofnub3orp5upchc64svd2kfnb825s9s"} {
		if got := mqtt.Derive("production", "alice", "lamp-1", v); got != want {
			t.Errorf("MQTT %s: %s", v, got)
		}
	}
}

// Two connections with one client id: of one principal the second takes over, of two both stay (CATALOGUE M05).
func TestTakeOver(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	alice := w.connected("mqtt", login(wire.V5, "alice", "lamp"))
	bob := w.connected("mqtt", login(wire.V5, "bob", "lamp"))
	alice.send([]byte(wire.Pingreq))
	alice.want(wire.PINGRESP)
	w.connected("mqtt", login(wire.V5, "alice", "lamp"))
	alice.disconnected(wire.SessionTakenOver)
	bob.send([]byte(wire.Pingreq))
	bob.want(wire.PINGRESP)
	if n := w.logs.FilterMessage("refused").Len(); n > 0 {
		t.Errorf("%d refusals: it was the broker who ended it", n)
	}
}

// A session is found again by the same principal, also in another version, and not by another.
func TestSessionsStay(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	resume := func(v wire.Version, user string) bool {
		c := login(v, user, "lamp")
		c.CleanStart = false
		c.Properties = c.Properties.WithUint(wire.SessionExpiryInterval, 600)
		one := w.dial("mqtt")
		ack := one.connect(c)
		one.send(wire.Disconnect{}.Append(nil, v))
		one.ended()
		return ack.SessionPresent
	}
	for i, step := range []struct {
		v       wire.Version
		user    string
		present bool
	}{{wire.V5, "alice", false}, {wire.V5, "alice", true}, {wire.V5, "bob", false}, {wire.V311, "alice", true}, {wire.V311, "bob", true}} {
		if got := resume(step.v, step.user); got != step.present {
			t.Errorf("step %d, %+v: session present is %v", i, step, got)
		}
	}
}

// Who brings no client id gets one; with MQTT 5 it is told which, and may come back with it.
func TestEmptyClientIDs(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	for _, c := range []struct {
		v     wire.Version
		clean bool
		code  wire.ReasonCode
	}{{wire.V31, true, 2}, {wire.V311, false, 2}, {wire.V311, true, 0}, {wire.V5, true, 0}, {wire.V5, false, 0}} {
		connect := login(c.v, "alice", "")
		connect.CleanStart = c.clean
		connect.Properties = connect.Properties.WithUint(wire.SessionExpiryInterval, 600)
		one := w.dial("mqtt")
		ack := one.connect(connect)
		if ack.Code != c.code {
			t.Errorf("MQTT %s, clean %v: %s", c.v, c.clean, ack.Code)
		}
		assigned, told := ack.Properties.Bytes(wire.AssignedClientIdentifier)
		if told != (c.v == wire.V5) {
			t.Errorf("MQTT %s: told of %q", c.v, assigned)
		}
		if c.code != 0 || !told {
			continue
		}
		up := b.notes.last(t).Connect.ClientIdentifier
		one.send(wire.Disconnect{}.Append(nil, c.v))
		one.ended()
		connect.ClientID, connect.CleanStart = string(assigned), false
		again := w.dial("mqtt")
		ack = again.connect(connect)
		if _, told := ack.Properties.Bytes(wire.AssignedClientIdentifier); told || b.notes.last(t).Connect.ClientIdentifier != up {
			t.Error("the assigned id is not the client's own")
		}
	}
}

// With clientIds: verbatim the broker sees the clients' own ids, and fills in empty ones.
func TestVerbatimClientIDs(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { p.Servers[0].MQTT.ClientIDs = plan.VerbatimIDs })
	w.connected("mqtt", login(wire.V5, "alice", "lamp"))
	if id := b.notes.last(t).Connect.ClientIdentifier; id != "lamp" {
		t.Errorf("the broker sees %q", id)
	}
	one := w.dial("mqtt")
	ack := one.connect(login(wire.V5, "alice", ""))
	if id, told := ack.Properties.Bytes(wire.AssignedClientIdentifier); !told || len(id) == 0 {
		t.Errorf("assigned %q", id)
	}
}
