package mqtt_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// law denies every topic with a level "secret" until it is lifted.
type law struct {
	mu     sync.Mutex
	lifted bool
}

func (l *law) decide(_ plan.Action, name string, _ byte, _ bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lifted && slices.Contains(strings.Split(name, "/"), "secret") {
		return "it is secret"
	}
	return ""
}

func (l *law) lift(lifted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lifted = lifted
}

// A denied message does not reach the broker, and its sender is told as far as the version has words for it.
func TestDeniedPublishes(t *testing.T) {
	b := newBroker(t, nil)
	w := startWith(t, b.url, (&law{}).decide, nil)
	heard := make(chan string, 100)
	if err := b.Subscribe("#", 1, func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) { heard <- p.TopicName }); err != nil {
		t.Fatal(err)
	}
	for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
		t.Run(v.String(), func(t *testing.T) {
			c := w.connected("mqtt", login(v, "alice", "one"))
			want := wire.NotAuthorized
			if v != wire.V5 {
				want = wire.Success
			}
			for _, topic := range []string{"a/secret", "$SYS/broker", "$share/g/a", "$CONTROL/dynamic-security/v1"} {
				c.send(message(v, topic, 0, 0, "x"), message(v, topic, 1, 1, "x"))
				if a := c.ack(wire.PUBACK); a.PacketID != 1 || a.Code != want {
					t.Errorf("%s: %+v", topic, a)
				}
				c.send(message(v, topic, 2, 2, "x"))
				if a := c.ack(wire.PUBREC); a.PacketID != 2 || a.Code != want {
					t.Errorf("%s: %+v", topic, a)
				}
				if v != wire.V5 { // where it goes on
					c.send(wire.Ack{Type: wire.PUBREL, PacketID: 2}.Append(nil, v))
					if a := c.ack(wire.PUBCOMP); a.PacketID != 2 {
						t.Errorf("%s: %+v", topic, a)
					}
				}
			}
			big := strings.Repeat("x", 300<<10)
			c.send(message(v, "a/secret", 1, 3, big), message(v, "a/open", 1, 4, big))
			c.ack(wire.PUBACK)
			if a := c.ack(wire.PUBACK); a.PacketID != 4 {
				t.Errorf("%+v", a)
			}
			if topic := <-heard; topic != "a/open" {
				t.Errorf("the broker heard of %s", topic)
			}
		})
	}
	if n := w.logs.FilterMessage("denied").Len(); n != 3*(4*3+1) {
		t.Errorf("%d records", n)
	}
}

// Each filter of a SUBSCRIBE has its answer, in its place.
func TestDeniedSubscriptions(t *testing.T) {
	b := newBroker(t, nil)
	w := startWith(t, b.url, (&law{}).decide, nil)
	for v, denied := range map[wire.Version]byte{wire.V311: wire.Failure, wire.V5: byte(wire.NotAuthorized)} {
		c := w.connected("mqtt", login(v, "alice", "one"))
		for i, filters := range [][]string{{"a", "b/secret", "c"}, {"x/secret"}, {"x/secret", "a"}, {"a"}, {"$share/g/secret/#", "y/secret", "b", "c", "z/secret"}} {
			got := c.subscribe(uint16(i+1), filters...)
			var want []byte
			for _, f := range filters {
				if strings.Contains(f, "secret") {
					want = append(want, denied)
				} else {
					want = append(want, 2)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("MQTT %s: %v is answered with %v", v, filters, got)
			}
		}
	}
	c := w.connected("mqtt", login(wire.V31, "alice", "one"))
	s := wire.Subscribe{PacketID: 1, List: wire.AppendSubscription(nil, wire.Subscription{Filter: []byte("secret")})}
	c.send(s.Append(nil, wire.V31))
	c.ended() // 3.1 has no code for it
	w.refused("not-allowed")
}

// An alias is decided on as what it stands for, whenever it is used (CATALOGUE M07).
func TestAliases(t *testing.T) {
	b := newBroker(t, nil)
	l := &law{}
	w := startWith(t, b.url, l.decide, nil)
	b.notes.say(func(p *packets.Properties) { p.TopicAliasMaximum = 100 })
	c := w.dial("mqtt")
	ack := c.connect(login(wire.V5, "alice", "one"))
	if most := ack.Properties.UintOr(wire.TopicAliasMaximum, 0); most != 16 {
		t.Errorf("%d aliases are offered", most)
	}
	c.subscribe(1, "#")
	alias := func(n uint16, topic string, id uint16) {
		t.Helper()
		p := wire.Publish{Topic: []byte(topic), QoS: 1, PacketID: id, Alias: n}
		c.send(p.AppendHead(nil, wire.V5))
	}
	outcome := func() (topic string, code wire.ReasonCode) { // of one message
		t.Helper()
		for range 2 {
			h, body, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if h.Type == wire.PUBLISH {
				p, _, err := wire.DecodePublish(h, body, wire.V5, wire.Server)
				if err != nil {
					t.Fatal(err)
				}
				topic = string(p.Topic)
				c.send(wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}.Append(nil, wire.V5))
				continue
			}
			a, err := wire.DecodeAck(h.Type, body, wire.V5)
			if err != nil {
				t.Fatal(err)
			}
			if code = a.Code; code.Failed() {
				break
			}
		}
		return topic, code
	}
	for i, step := range []struct {
		alias  uint16
		topic  string
		lifted bool
		want   string // empty: denied
	}{
		{1, "open", false, "open"},
		{1, "", false, "open"},
		{2, "secret", false, ""}, // set by a denied message
		{2, "", false, ""},
		{2, "", true, "secret"}, // the broker has never heard of the alias
		{2, "", true, "secret"},
		{2, "", false, ""},
		{1, "secret", false, ""}, // set anew by a denied message
		{1, "", false, ""},       // and not what it was before
		{1, "", true, "secret"},
		{1, "other", false, "other"},
		{16, "most", false, "most"},
	} {
		l.lift(step.lifted)
		alias(step.alias, step.topic, uint16(i+1))
		topic, code := outcome()
		if topic != step.want || code.Failed() != (step.want == "") {
			t.Fatalf("step %d, %+v: %q, %s", i, step, topic, code)
		}
	}
	for _, bad := range []struct {
		alias uint16
		code  wire.ReasonCode
	}{{17, wire.TopicAliasInvalid}, {9, wire.ProtocolError}} {
		c := w.connected("mqtt", login(wire.V5, "alice", fmt.Sprint(bad.alias)))
		p := wire.Publish{QoS: 1, PacketID: 1, Alias: bad.alias}
		c.send(p.AppendHead(nil, wire.V5))
		c.disconnected(bad.code)
	}
}

// What an old session still delivers is held against today's rules, and acknowledged in the client's place.
func TestDeniedDeliveries(t *testing.T) {
	script := newScript(t)
	w := startWith(t, script.url, (&law{}).decide, nil)
	for _, v := range []wire.Version{wire.V311, wire.V5} {
		c, up := script.connected(w, login(v, "alice", "two"))
		ack := func(t wire.Type, id uint16) []byte { return wire.Ack{Type: t, PacketID: id}.Append(nil, v) }
		want := func(kind wire.Type, id uint16) {
			t.Helper()
			if a := up.ack(kind); a.PacketID != id || a.Code != wire.Success {
				t.Errorf("MQTT %s: %s %+v", v, kind, a)
			}
		}
		up.send(message(v, "secret/0", 0, 0, "hidden"), message(v, "secret/1", 1, 1, "hidden"), message(v, "secret/2", 2, 2, "hidden"))
		want(wire.PUBACK, 1)
		want(wire.PUBREC, 2)
		up.send(ack(wire.PUBREL, 2))
		want(wire.PUBCOMP, 2)
		up.send(message(v, "open", 2, 2, "shown"))
		if p, payload := c.publish(); payload != "shown" || p.PacketID != 2 {
			t.Fatalf("MQTT %s: delivered %q", v, payload)
		}
		c.send(ack(wire.PUBREC, 2))
		want(wire.PUBREC, 2)
		up.send(ack(wire.PUBREL, 2))
		if a := c.ack(wire.PUBREL); a.PacketID != 2 {
			t.Errorf("%+v", a)
		}
	}
}

// A will is held against the rules before the client is let in.
func TestDeniedWill(t *testing.T) {
	b := newBroker(t, nil)
	w := startWith(t, b.url, (&law{}).decide, nil)
	c := login(wire.V5, "alice", "one")
	c.Will = &wire.Will{Topic: "a/secret", Payload: []byte("bye")}
	if ack := w.dial("mqtt").connect(c); ack.Code != wire.NotAuthorized {
		t.Errorf("let in with %s", ack.Code)
	}
	w.refused("will")
}
