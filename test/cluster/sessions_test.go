package cluster_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

func TestClientsThatLogInAgainKeepTheirConnections(t *testing.T) {
	c := shared.Get(t)
	limited := settings{"maxSession": "4s"}
	g := start(t, c, map[string]settings{
		"secure": secure(c, upstream(c, kafkatest.Plaintext)).with(limited),
		"clear":  plain(upstream(c, kafkatest.Plaintext)).with(limited),
	})
	topic := topicOf(t, c, "again")
	w := steadily(t, topic, func(options ...kgo.Opt) *kgo.Client { return g.client(t, "secure", alice, options...) })

	// Java's producer sends 1200 records in twelve seconds and prints what it could not send. The one partition keeps its
	// connection busy: one that is idle when it has to be renewed ends, as docs/differences.md says.
	const count, javas = 1200, "again-java"
	c.CreateTopic(t, javas, 1)
	config := g.properties(t, bob, "bootstrap.servers="+g.Address(t, "clear"))
	printed := c.Tool(t, "org.apache.kafka.tools.ProducerPerformance", "--topic", javas, "--num-records", fmt.Sprint(count),
		"--record-size", "100", "--throughput", "100", "--command-config", config)
	if lost := w.losses.Load(); lost > 0 {
		t.Errorf("franz-go lost %d connections", lost)
	}
	w.halt(t)
	if !strings.Contains(printed, fmt.Sprintf("%d records sent", count)) || strings.Contains(printed, "Exception") {
		t.Errorf("Java's producer: %s", printed)
	}
	for user, least := range map[string]int{alice: 4, bob: 1} { // Java's margin is 200 ms here, and the machine busy
		if err := g.atLeast(least, map[string]string{"principal": user, "code": "renewed"}); err != nil {
			t.Error(err)
		}
	}
}

func TestALoginThatIsNotRenewedEndsTheConnection(t *testing.T) {
	c := shared.Get(t)
	g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext)).with(settings{"maxSession": "2s"})})
	r := dialRaw(t, g.Address(t, "secure"), g.tls(t, ""))
	if lifetime := r.login(alice, secret(alice)); lifetime < time.Second || lifetime > 2*time.Second {
		t.Errorf("a login is good for %v, want 2 s", lifetime)
	}
	r.closed("after two seconds")
	g.audit(t, map[string]string{"principal": alice, "stage": "session", "code": "expired"})
}

func TestChangedCredentialsAreTakenOverWhileTheGatewayRuns(t *testing.T) {
	c := shared.Get(t)
	g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext))})
	topic, others := topicOf(t, c, "credentials"), topicOf(t, c, "others")
	w := steadily(t, topic, func(options ...kgo.Opt) *kgo.Client { return g.client(t, "secure", alice, options...) })
	refused := func(t *testing.T, user, code string) {
		t.Helper()
		client := g.client(t, "secure", user)
		if err := client.Ping(within(t)); err == nil {
			t.Errorf("%s was let in", user)
		}
		g.audit(t, map[string]string{"msg": "refused", "code": code})
	}

	t.Run("who is added can log in", func(t *testing.T) {
		refused(t, "carol", "unknown-user")
		g.reloads(t, reloaded, func() { g.credentials.User("carol", secret("carol")) })
		g.works(t, "secure", "carol", others)
	})
	t.Run("whose credential expires loses the connection and is refused", func(t *testing.T) {
		g.reloads(t, reloaded, func() { g.credentials.User("dave", secret("dave"), "--expires", "4s") })
		r := g.raw(t, "secure", "dave")
		r.closed("when the credential expires")
		g.audit(t, map[string]string{"principal": "dave", "stage": "session", "code": "expired"})
		refused(t, "dave", "expired")
	})
	t.Run("who is revoked is out within two seconds", func(t *testing.T) {
		r := g.raw(t, "secure", bob)
		metadata(t, r, topic)
		gatewaytest.Command(t, "", "credentials", "--file", g.credentials.Path, "revoke", bob)
		began := time.Now()
		r.closed("after the revocation")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		g.audit(t, map[string]string{"principal": bob, "stage": "session", "code": "revoked"})
	})
	t.Run("a broken file changes nothing", func(t *testing.T) {
		good, err := os.ReadFile(g.credentials.Path)
		if err != nil {
			t.Fatal(err)
		}
		g.reloads(t, reloadFailed, func() { write(t, g.credentials.Path, string(good)+"nonsense: true\n") })
		if ok := g.metric(t, "asyncgate_last_reload_success"); ok != 0 {
			t.Errorf("asyncgate_last_reload_success is %v", ok)
		}
		g.works(t, "secure", "carol", others)
		g.reloads(t, reloaded, func() { write(t, g.credentials.Path, string(good)) })
		if ok := g.metric(t, "asyncgate_last_reload_success"); ok != 1 {
			t.Errorf("asyncgate_last_reload_success is %v once the file is good", ok)
		}
	})
	if lost := w.losses.Load(); lost > 0 {
		t.Errorf("alice, whom all this does not concern, lost %d connections", lost)
	}
	w.halt(t)
}
