package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

var triple = kafkatest.Share(kafkatest.Options{Nodes: 3})

// TestSchemes has every client prove itself in every way, and fail to, in front of one broker; then each works under
// two of the schemes.
func TestSchemes(t *testing.T) {
	c := single.Get(t)
	g := startGateway(t, c, filepath.Join("testdata", "schemes.yml"), everyScheme(c))
	logins(t, &g.target, g.audited)
	t.Run("work", func(t *testing.T) {
		for i, d := range clients {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				g.work(t, d, g.schemes[i%len(g.schemes)], "produce-consume")
				g.work(t, d, g.schemes[(i+3)%len(g.schemes)], "transaction")
			})
		}
	})
}

// TestStreetlights runs the specification's example, in two of its forms and unedited, in front of three brokers. Every
// client does its job through it.
func TestStreetlights(t *testing.T) {
	c := triple.Get(t)
	for _, form := range []struct {
		name, document string
		jobs           []string // under SCRAM
		logins         bool     // right and wrong ones; what the two forms say is the same, so one of them need not have everything
	}{
		{"3.1", parts.Path(t, "examples", "streetlights", "streetlights-kafka.yml"), []string{"produce-consume", "transaction"}, true},
		{"2.6", filepath.Join("testdata", "streetlights-kafka-2.6.yml"), []string{"produce-consume"}, false},
	} {
		t.Run(form.name, func(t *testing.T) {
			g := startGateway(t, c, form.document, streetlights(c))
			if form.logins {
				logins(t, &g.target, g.audited)
			}
			t.Run("work", func(t *testing.T) {
				for _, d := range clients {
					t.Run(d.name, func(t *testing.T) {
						t.Parallel()
						g.work(t, d, g.schemes[0], form.jobs...)
						g.work(t, d, g.schemes[1], "produce-consume")
					})
				}
			})
		})
	}
}

// TestOldBroker puts the gateway in front of the oldest Kafka that is supported.
func TestOldBroker(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Version: kafkatest.Oldest})
	g := startGateway(t, c, filepath.Join("testdata", "schemes.yml"), everyScheme(c))
	for _, d := range []driver{named("java"), named("librdkafka"), named("franz-go")} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			g.work(t, d, g.schemes[1], "produce-consume", "transaction")
			g.work(t, d, g.schemes[len(g.schemes)-1], "produce-consume")
		})
	}
}

// TestGroupProtocols has the Java client work in a group of KIP-848 and in a share group, over three brokers.
func TestGroupProtocols(t *testing.T) {
	c := triple.Get(t)
	g := startGateway(t, c, parts.Path(t, "examples", "streetlights", "streetlights-kafka.yml"), streetlights(c))
	d, s := named("java"), g.schemes[0]

	t.Run("consumer group", func(t *testing.T) {
		t.Parallel()
		topic := topicName(t, d, s, "kip-848")
		c.CreateTopic(t, topic, 3)
		a := d.run(t, "produce-consume", g.arguments(s, map[string]string{
			"topic": topic, "group": "alice-" + topic, "group.protocol": "consumer",
		}))
		results.note(t, d, s, "KIP-848 group", a.Outcome)
		if a.Outcome != drivers.Accepted || a.Records != 10 {
			t.Errorf("%+v, want 10 records", a)
		}
	})

	t.Run("share group", func(t *testing.T) {
		t.Parallel()
		topic := topicName(t, d, s, "share")
		c.CreateTopic(t, topic, 3)
		c.ShareFromEarliest(t, "alice-"+topic)
		a := d.run(t, "share", g.arguments(s, map[string]string{"topic": topic, "group": "alice-" + topic}))
		results.note(t, d, s, "share group", a.Outcome)
		if a.Outcome != drivers.Accepted || a.Records != 10 {
			t.Errorf("%+v, want 10 records", a)
		}
	})
}

// TestConsoleTools goes the way of the README: topics are listed, a record is produced and consumed with the tools that
// come with Kafka.
func TestConsoleTools(t *testing.T) {
	c := triple.Get(t)
	g := startGateway(t, c, parts.Path(t, "examples", "streetlights", "streetlights-kafka.yml"), streetlights(c))
	config := filepath.Join(t.TempDir(), "client.properties")
	properties := strings.Join([]string{
		"security.protocol=SASL_SSL",
		"sasl.mechanism=SCRAM-SHA-256",
		`sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="` + alicesPassword + `";`,
		"ssl.truststore.type=PEM",
		"ssl.truststore.location=" + c.Certificate("ca.crt"),
	}, "\n")
	if err := os.WriteFile(config, []byte(properties), 0o600); err != nil {
		t.Fatal(err)
	}
	const topic = "console"
	c.CreateTopic(t, topic, 1)
	c.ShareFromEarliest(t, "alice-share")
	bootstrap := g.addresses["SCRAM-256"]
	tool := func(stdin, class string, args ...string) string {
		t.Helper()
		args = append([]string{"--bootstrap-server", bootstrap, "--command-config", config}, args...)
		return c.ToolWithInput(t, stdin, "org.apache.kafka.tools."+class, args...)
	}

	if got := tool("", "TopicCommand", "--list"); !strings.Contains(got, topic) {
		t.Errorf("kafka-topics lists %q, want %s among them", got, topic)
	}
	tool("turn the light on\n", "ConsoleProducer", "--topic", topic)
	got := tool("", "consumer.ConsoleConsumer", "--topic", topic, "--group", "alice-console",
		"--from-beginning", "--max-messages", "1", "--timeout-ms", "60000")
	if got != "turn the light on\n" {
		t.Errorf("kafka-console-consumer prints %q", got)
	}
	got = tool("", "consumer.ConsoleShareConsumer", "--topic", topic, "--group", "alice-share",
		"--max-messages", "1", "--timeout-ms", "60000")
	if got != "turn the light on\n" {
		t.Errorf("kafka-console-share-consumer prints %q", got)
	}
	if got := tool("", "GroupsCommand", "--list"); !strings.Contains(got, "alice-console") {
		t.Errorf("kafka-groups lists %q, want alice-console among them", got)
	}
}
