package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/plan"
)

const bareDocument = `asyncapi: 3.0.0
info: {title: Bare, version: '1'}
servers:
  lake: {host: 'localhost:19092', protocol: kafka}
  home: {host: 'localhost:11883', protocol: mqtt}
`

func bareSettings(enforce string, brokers []string, mqtt string) string {
	return fmt.Sprintf(`enforce: %s
servers:
  lake: {listen: '127.0.0.1:0', allowAnonymous: true, upstream: {bootstrap: ['%s']}}
  home: {listen: '127.0.0.1:0', allowAnonymous: true, upstream: {address: '%s'}}
admin: {listen: '127.0.0.1:0'}
`, enforce, strings.Join(brokers, "', '"), mqtt)
}

// useLimit bounds what a client does, on a busy machine too.
const useLimit = time.Minute

// useKafka does the work of a client: it writes a record and reads it back as a member of a group.
func useKafka(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), useLimit)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics("orders.eu"), kgo.ConsumerGroup("jobs"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "orders.eu", Value: []byte("1")}).FirstErr(); err != nil {
		t.Fatalf("produce: %v", err)
	}
	if fetches := client.PollFetches(ctx); fetches.NumRecords() == 0 {
		t.Fatalf("nothing is consumed: %v", fetches.Errors())
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// useMQTT publishes a message to somebody who has subscribed to more than that.
func useMQTT(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), useLimit)
	defer cancel()
	c, err := (&demo{}).mqttConnect(ctx, &plan.Server{Listen: address, MQTT: &plan.MQTT{}}, mqttLogin{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "home/+/light", QoS: 1}}}); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	if _, err := c.Publish(ctx, &paho.Publish{Topic: "home/1/light", QoS: 1, Payload: []byte("on")}); err != nil {
		t.Fatalf("publish: %v", err)
	}
	select {
	case <-c.got:
	case <-ctx.Done():
		t.Fatal("the message did not come back")
	}
}

// serving starts the gateway, and answers where it is.
func serving(t *testing.T, doc string) (s *started, lake, home, admin string) {
	t.Helper()
	s = start(t, doc)
	ready := s.record("ready")
	at := map[string]string{}
	for _, one := range ready["servers"].([]any) {
		server := one.(map[string]any)
		at[server["name"].(string)] = server["listen"].(string)
	}
	return s, at["lake"], at["home"], ready["admin"].(string)
}

// The whole way: clients of a document that allows nothing are observed, what was observed is proposed, and with the proposal
// enforced the same clients work, and do nothing else.
func TestObserveLearnEnforce(t *testing.T) {
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders.eu", "payroll"))
	if err != nil {
		t.Fatal(err)
	}
	defer brokers.Close()
	mqtt, err := startMQTTBroker()
	if err != nil {
		t.Fatal(err)
	}
	defer mqtt.Close()

	doc := documents(t, bareDocument, bareSettings("observe", brokers.ListenAddrs(), mqtt.address))
	s, lake, home, admin := serving(t, doc)
	useKafka(t, lake)
	useMQTT(t, home)
	code, proposed, said := invoke(t, "", "learn", doc, "--from", "http://"+admin)
	if code != exitOK || !strings.Contains(said, "new operations 4, new channels 3, grants 1, left out 0") {
		t.Fatalf("exit %d: %s\n%s", code, said, proposed)
	}
	s.stop()
	s.exit(exitOK)
	log := filepath.Join(t.TempDir(), "gateway.log")
	overwrite(t, log, s.stderr.String())
	code, logged, said := invoke(t, "", "learn", doc, "--from", log)
	if got, want := withoutComments(logged), withoutComments(proposed); code != exitOK || got != want {
		t.Errorf("the log makes another proposal: exit %d: %s\n%s\n%s", code, said, got, want)
	}

	doc = documents(t, proposed, bareSettings("operations", brokers.ListenAddrs(), mqtt.address)+grantsOf(proposed))
	if code, out, errs := invoke(t, "", "check", doc); code != exitOK {
		t.Fatalf("check: exit %d: %s%s", code, out, errs)
	}
	s, lake, home, _ = serving(t, doc)
	useKafka(t, lake)
	useMQTT(t, home)
	client, err := kgo.NewClient(kgo.SeedBrokers(lake), kgo.DisableIdempotentWrite())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), useLimit)
	defer cancel()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "payroll"}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("what was not observed: %v", err)
	}
	client.Close()
	s.stop()
	s.exit(exitOK)
}

// withoutComments is a document without its comments: a log knows only powers of ten.
func withoutComments(document string) string {
	var b strings.Builder
	for text := range strings.Lines(document) {
		if !strings.HasPrefix(strings.TrimSpace(text), "#") {
			b.WriteString(text)
		}
	}
	return b.String()
}
