package operations_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/parts"
)

// change writes other settings over those of a running gateway, and has it take them.
func change(t *testing.T, g *gatewaytest.Gateway, settings string) {
	t.Helper()
	reloads := func() int {
		return len(g.Records(func(r gatewaytest.Record) bool { return r.Text("msg") == "reloaded" }))
	}
	before := reloads()
	if err := os.WriteFile(filepath.Join(g.Dir, "asyncgate.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Signal(t, syscall.SIGHUP)
	parts.Await(t, patience, "reload", func() bool { return reloads() > before })
}

// with is an example with other settings.
func (e *example) with(more map[string]any) *example {
	other := *e
	other.Settings = maps.Clone(e.Settings)
	if other.Settings == nil {
		other.Settings = map[string]any{}
	}
	maps.Copy(other.Settings, more)
	return &other
}

// titled is one of the examples.
func titled(t *testing.T, title string) *example {
	t.Helper()
	all := load(t)
	i := slices.IndexFunc(all, func(e example) bool { return e.Title == title })
	if i < 0 {
		t.Fatalf("no example %s", title)
	}
	return &all[i]
}

// turned are settings under which whoever could produce may consume, and the other way round.
var turned = map[string]any{"perspective": "counterparty", "grants": []any{}}

// delivery reports whether a record tells of a message of the broker that was kept from a client.
func delivery(r gatewaytest.Record) bool {
	return r.Text("logger") == "audit" && r.Text("decision") == "deny" && r.Text("api") == "delivery"
}

// versions are the clients of both versions of MQTT.
var versions = map[string]func(*testing.T, *mqttWorld, string, *message) (mqttClient, string){"MQTT 5": paho5, "MQTT 3.1.1": paho3}

// A subscription that other rules do not allow any more brings nothing from then on, to a client that stays; and what the
// rules allow now is there at once.
func TestDeliveriesStopWithTheRules(t *testing.T) {
	for name, connect := range versions {
		t.Run(name, func(t *testing.T) {
			w := newMQTT(t, titled(t, "Streetlights for MQTT, AsyncAPI 3.1"))
			c, refused := connect(t, w, "alice", nil)
			if refused != "" {
				t.Fatal(refused)
			}
			event, command := w.full("…/event/lamp-1/lighting/measured"), w.full("…/action/lamp-1/dim")
			if got := c.subscribe([]string{w.full("…/event/+/lighting/measured")}); got[0] != granted {
				t.Fatal(got)
			}
			w.publish(t, event, "before")
			parts.Await(t, patience, "message before", func() bool { return slices.Contains(c.messages(), "before") })

			change(t, w.gateway, w.with(turned).settings(t, w.credentials, w.wire(t)))
			w.publish(t, event, "after")
			w.gateway.Wait(t, patience, "denied delivery", delivery)
			if got := c.subscribe([]string{w.full("…/action/+/dim")}); got[0] != granted {
				t.Fatal(got)
			}
			w.publish(t, command, "command")
			parts.Await(t, patience, "command", func() bool { return slices.Contains(c.messages(), "command") })
			if got := c.messages(); slices.Contains(got, "after") {
				t.Errorf("%v came", got)
			}
			if got := c.publish(&message{topic: event, qos: 1, payload: "hers"}); got != acknowledged || !w.came(t, "hers") {
				t.Errorf("what is allowed now: %s", got)
			}
			if got := c.publish(&message{topic: command, qos: 1, payload: "not hers"}); w.came(t, "not hers") {
				t.Errorf("what was allowed before: %s, and delivered", got)
			}
		})
	}
}

// A filter's + matches an empty level, and no parameter stands for one: such a message is kept from a client whose
// subscription is allowed, and so is the client's own.
func TestAnEmptyLevelIsNotDelivered(t *testing.T) {
	for name, connect := range versions {
		t.Run(name, func(t *testing.T) {
			w := newMQTT(t, titled(t, "Streetlights for MQTT, AsyncAPI 3.1"))
			c, refused := connect(t, w, "alice", nil)
			if refused != "" {
				t.Fatal(refused)
			}
			if got := c.subscribe([]string{w.full("…/event/+/lighting/measured")}); got[0] != granted {
				t.Fatal(got)
			}
			w.publish(t, w.full("…/event//lighting/measured"), "of-nobody")
			w.publish(t, w.full("…/event/lamp-1/lighting/measured"), "of-a-lamp")
			parts.Await(t, patience, "message", func() bool { return slices.Contains(c.messages(), "of-a-lamp") })
			w.gateway.Wait(t, patience, "denied delivery", delivery)
			if got := c.messages(); !slices.Equal(got, []string{"of-a-lamp"}) {
				t.Errorf("%v came", got)
			}
			if got := c.publish(&message{topic: w.full("…/action//dim"), qos: 1, payload: "to-nobody"}); w.came(t, "to-nobody") {
				t.Errorf("a command on an empty level: %s, and delivered", got)
			}
		})
	}
}

// kept is more than the broker has under way to a client at a time: unless each denied message is acknowledged, the last
// never come.
const kept = 50

// What the broker has kept for a session, from a subscription that was allowed then, is not delivered when the rules have
// changed meanwhile; and it does not keep back what they allow.
func TestKeptSessionsBringNothingDenied(t *testing.T) {
	for name, login := range map[string]func(*mqttWorld, *testing.T) mqttClient{
		"MQTT 5": func(w *mqttWorld, t *testing.T) mqttClient {
			c, refused := w.login5(t, "alice", "kept", true, nil)
			if refused != "" {
				t.Fatal(refused)
			}
			return c
		},
		"MQTT 3.1.1": func(w *mqttWorld, t *testing.T) mqttClient {
			c, refused := w.login3(t, "alice", "kept", true, nil)
			if refused != "" {
				t.Fatal(refused)
			}
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMQTT(t, titled(t, "Streetlights for MQTT, AsyncAPI 3.1"))
			event, command := w.full("…/event/lamp-1/lighting/measured"), w.full("…/action/lamp-1/dim")
			first := login(w, t)
			if got := first.subscribe([]string{w.full("…/event/+/lighting/measured")}); got[0] != granted {
				t.Fatal(got)
			}
			w.publish(t, event, "live")
			parts.Await(t, patience, "message", func() bool { return slices.Contains(first.messages(), "live") })
			first.settle()
			first.drop()

			for i := range kept {
				if i == kept/2 {
					change(t, w.gateway, w.with(turned).settings(t, w.credentials, w.wire(t)))
				}
				w.publish(t, event, fmt.Sprint("kept-", i))
			}
			second := login(w, t)
			if got := second.subscribe([]string{w.full("…/action/+/dim"), w.full("…/event/+/lighting/measured")}); got[0] != granted || got[1] == granted {
				t.Fatal(got)
			}
			w.publish(t, command, "command")
			parts.Await(t, patience, "command", func() bool { return slices.Contains(second.messages(), "command") })
			w.gateway.Wait(t, patience, "denied delivery", delivery)
			second.settle()
			if got := second.messages(); !slices.Equal(got, []string{"command"}) {
				t.Errorf("%v came", got)
			}
		})
	}
}

// Open connections of Kafka clients feel other rules with their next request.
func TestRequestsFollowTheRules(t *testing.T) {
	w := newKafka(t, titled(t, "Streetlights for Kafka, AsyncAPI 3.1"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	event, command := w.full("…event.lamp-1.lighting.measured"), w.full("…action.lamp-1.turn.on")
	producer := w.client(t, "alice")
	consumer := w.client(t, "alice", kgo.ConsumeTopics(event), kgo.FetchMaxWait(time.Second),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if got := outcome(producer.ProduceSync(ctx, &kgo.Record{Topic: command}).FirstErr()); got != allowed {
		t.Fatal(got)
	}
	if err := consumer.PollFetches(ctx).Err(); err != nil {
		t.Fatal(err)
	}

	change(t, w.gateway, w.with(turned).settings(t, w.credentials, w.wire()))
	const denied = "29 TOPIC_AUTHORIZATION_FAILED"
	if got := outcome(producer.ProduceSync(ctx, &kgo.Record{Topic: command}).FirstErr()); got != denied {
		t.Errorf("produce: %s", got)
	}
	if got := outcome(producer.ProduceSync(ctx, &kgo.Record{Topic: event}).FirstErr()); got != allowed {
		t.Errorf("produce what is allowed now: %s", got)
	}
	for err := error(nil); err == nil; { // a Fetch that the broker had already is answered, as with a broker's own lists
		if err = consumer.PollFetches(ctx).Err(); err != nil && outcome(err) != denied {
			t.Errorf("consume: %s", outcome(err))
		}
	}
	if got := w.do(t, "alice", "consume "+event+" without group"); got != denied {
		t.Errorf("consume anew: %s", got)
	}
}

// With enforce: observe what would be denied passes, and is written down.
func TestObserve(t *testing.T) {
	observed := func(resource string) func(gatewaytest.Record) bool {
		return func(r gatewaytest.Record) bool {
			return r.Text("decision") == "would-deny" && r.Text("resource") == resource
		}
	}
	t.Run("kafka", func(t *testing.T) {
		w := newKafka(t, titled(t, "Streetlights for Kafka, AsyncAPI 3.1").with(map[string]any{"enforce": "observe"}))
		event := w.full("…event.lamp-1.lighting.measured")
		for _, does := range []string{"produce " + event, "consume payroll", "produce payroll in bob-1"} {
			if got := w.do(t, "alice", does); got != allowed {
				t.Errorf("%s: %s", does, got)
			}
		}
		for _, resource := range []string{"produce topic:" + event, "consume topic:payroll"} {
			w.gateway.Wait(t, patience, resource, observed(resource))
		}
	})
	t.Run("mqtt", func(t *testing.T) {
		w := newMQTT(t, titled(t, "Streetlights for MQTT, AsyncAPI 3.1").with(map[string]any{"enforce": "observe"}))
		for _, does := range []string{"publish payroll", "subscribe #", "will payroll"} {
			if got := w.do(t, paho5, "alice", does); got != "delivered" {
				t.Errorf("%s: %s", does, got)
			}
		}
		for _, resource := range []string{"produce topic:payroll", "consume topic:#"} {
			w.gateway.Wait(t, patience, resource, observed(resource))
		}
	})
}
