// Package faults_test breaks the parts around the gateway, and looks at what becomes of its clients.
package faults_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
)

// unavailable is what a version calls a broker that cannot be reached.
var unavailable = map[byte]string{3: "0x03", 4: "0x03", 5: "0x88"}

// TestWithoutItsBrokerClientsAreToldSoAndLetInWhenItIsBack stops the broker, then kills it.
func TestWithoutItsBrokerClientsAreToldSoAndLetInWhenItIsBack(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at, g := through(t, b, mosquittotest.PasswordOf("gateway"))
	for _, end := range []func(testing.TB){b.Stop, b.Kill} {
		end(t)
		for version, want := range unavailable {
			got, err := mqtttest.Try(t.Context(), at, version, "CONNECT clean id=c"+alice)
			if err != nil || got.Text("code") != want {
				t.Errorf("MQTT %d: %v, %v; want code %s", version, got, err, want)
			}
		}
		denied(t, g, "upstream-unavailable")
		b.Restart(t)
		recovers(t, at)
	}
}

// TestWhenItsBrokerDiesAConnectionEnds also shows that the gateway goes on.
func TestWhenItsBrokerDiesAConnectionEnds(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at, g := through(t, b, mosquittotest.PasswordOf("gateway"))
	old, recent := connect(t, at, 4, "clean"), connect(t, at, 5, "clean")
	b.Kill(t)
	if got, err := old.Receive(mqtttest.Patience); err == nil || errors.Is(err, mqtttest.ErrNothing) {
		t.Errorf("MQTT 3.1.1: %v, %v; want the end", got, err)
	}
	if got := recent.Get(t); got.String() != "DISCONNECT code=0x8b" {
		t.Errorf("MQTT 5: %v; want that the server shuts down", got)
	}
	denied(t, g, "upstream-lost")
	b.Restart(t)
	recovers(t, at)
}

// TestAGatewayThatItsBrokerRefusesLetsNobodyIn says the same to clients as if the broker were down, and why to the
// operator alone.
func TestAGatewayThatItsBrokerRefusesLetsNobodyIn(t *testing.T) {
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at, g := through(t, b, "not the gateway's password")
	for version, want := range unavailable {
		got, err := mqtttest.Try(t.Context(), at, version, "CONNECT clean id=c"+alice)
		if err != nil || got.Text("code") != want {
			t.Errorf("MQTT %d: %v, %v; want code %s", version, got, err, want)
		}
	}
	denied(t, g, "upstream-login")
}

// TestNothingIsLostOrDoubledWhenTheBrokerRestarts counts what comes of messages before, during and after: it has to be the
// same through the gateway as directly.
func TestNothingIsLostOrDoubledWhenTheBrokerRestarts(t *testing.T) {
	for version, name := range map[byte]string{4: "3.1.1", 5: "5"} {
		t.Run(name, func(t *testing.T) {
			want := restarted(t, version, func(b *mosquittotest.Broker) mqtttest.Target { return direct(b) })
			got := restarted(t, version, func(b *mosquittotest.Broker) mqtttest.Target {
				at, _ := through(t, b, mosquittotest.PasswordOf("gateway"))
				return at
			})
			if got != want || want != "0 of QoS 0, 21 of QoS 1, 21 of QoS 2, 0 twice" {
				t.Errorf("through the gateway %s; directly %s", got, want)
			}
		})
	}
}

// restarted has a subscriber that is away, and a publisher whom the broker's restart meets in the middle of QoS 1 and 2,
// and says what the subscriber gets when it comes back.
func restarted(t *testing.T, version byte, to func(*mosquittotest.Broker) mqtttest.Target) string {
	t.Helper()
	b := mosquittotest.Start(t, mosquittotest.Options{})
	at := to(b)
	keep := func(id string) string {
		if version == 5 {
			return "id=" + id + " session-expiry=600"
		}
		return "id=" + id
	}
	s := connect(t, at, version, keep("subscriber"))
	s.Ask(t, "SUBSCRIBE id=1 filter=counted:2")
	s.Put(t, "DISCONNECT")
	p := connect(t, at, version, keep("publisher"))
	publish(t, p, 0, 10)
	p.Put(t, "PUBLISH topic=counted qos=2 id=900 payload=2-middle")
	p.Get(t) // PUBREC; the PUBREL is still to come
	b.Stop(t)
	b.Restart(t)
	recovers(t, at)
	p = connect(t, at, version, keep("publisher"))
	if got := p.Ask(t, "PUBREL id=900"); got.Name != "PUBCOMP" {
		t.Errorf("the PUBREL after the restart: %v", got)
	}
	p.Ask(t, "PUBLISH topic=counted qos=1 id=901 payload=1-middle")
	publish(t, p, 10, 20)

	s = connect(t, at, version, keep("subscriber"))
	seen, counts, twice := map[string]bool{}, [3]int{}, 0
	for len(seen) < 42 {
		m := s.Get(t)
		switch m.Name {
		case "PUBLISH":
			payload := m.Text("payload")
			if seen[payload] {
				twice++
			}
			seen[payload] = true
			counts[payload[0]-'0']++
			s.Put(t, map[string]string{"1": "PUBACK", "2": "PUBREC"}[m.Text("qos")]+" id="+m.Text("id"))
		case "PUBREL":
			s.Put(t, "PUBCOMP id="+m.Text("id"))
		}
	}
	return fmt.Sprintf("%d of QoS 0, %d of QoS 1, %d of QoS 2, %d twice", counts[0], counts[1], counts[2], twice)
}

// publish publishes messages of QoS 1 and 2 whose numbers lie between from and to.
func publish(t *testing.T, p *mqtttest.Conn, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if got := p.Ask(t, fmt.Sprintf("PUBLISH topic=counted qos=1 id=%d payload=1-%d", 1+2*i, i)); got.Name != "PUBACK" {
			t.Fatalf("message %d: %v", i, got)
		}
		p.Ask(t, fmt.Sprintf("PUBLISH topic=counted qos=2 id=%d payload=2-%d", 2+2*i, i))
		if got := p.Ask(t, fmt.Sprintf("PUBREL id=%d", 2+2*i)); got.Name != "PUBCOMP" {
			t.Fatalf("message %d: %v", i, got)
		}
	}
}
