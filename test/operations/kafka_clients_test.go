package operations_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/oidc"
	"github.com/asyncgate/asyncgate/test/parts"
)

// kafkaClients are the clients besides franz-go: a command that takes NAME=VALUE… and then VERB NAMES WITH for every job,
// and prints a line with the outcome of each:
//
//	produce TOPIC,… -        records for all partitions of each topic, from one producer
//	transaction TOPIC,… ID   the same in a transaction, which is committed if all is well
//	consume TOPIC GROUP      the first record, and a commit
//	pattern REGEXP GROUP     the same by a pattern: the topics from which something came
//	list TOPIC -             whether it is among all topics
//	groups GROUP,… -         those of them that are among all groups
var kafkaClients = map[string]func(testing.TB) []string{
	"java": func(t testing.TB) []string {
		parts.Need(t, "java", "javac")
		flags := kafkatest.JavaFlags(kafkatest.Jars(t, kafkatest.Newest))
		return append([]string{"java", "-Dlog4j2.level=OFF"}, append(flags, filepath.Join("testdata", "Client.java"))...)
	},
	"librdkafka":   func(t testing.TB) []string { return python(t, "client_librdkafka.py") },
	"kafka-python": func(t testing.TB) []string { return python(t, "client_kafka_python.py") },
}

func python(t testing.TB, script string) []string {
	t.Helper()
	python := filepath.Join(parts.Cache(t), "venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		parts.Absent(t, "needs test/clients/install.sh to have run: %v", err)
	}
	return []string{python, filepath.Join("testdata", script)}
}

// tokenless is the client that leaves it to the application to fetch tokens.
const tokenless = "kafka-python"

// TestKafkaClients has Apache Kafka's own client, librdkafka and kafka-python meet the same outcomes as franz-go. Tokens they
// fetch themselves, with the scopes that they are told to ask for.
func TestKafkaClients(t *testing.T) {
	for _, title := range []string{"Streetlights for Kafka, AsyncAPI 3.1", "Streetlights with operation security, AsyncAPI 3.1"} {
		w := newKafka(t, titled(t, title))
		for name, command := range kafkaClients {
			for who, p := range w.Principals {
				if title != "Streetlights for Kafka, AsyncAPI 3.1" && p.Token == "" || p.Token != "" && name == tokenless {
					continue // as in the first, or not at all
				}
				t.Run(title+"/"+name+"/"+who, func(t *testing.T) {
					t.Parallel()
					w.compare(t, command(t), who)
				})
			}
		}
	}
}

// compare has one process do what a principal does.
func (w *kafkaWorld) compare(t *testing.T, command []string, who string) {
	t.Helper()
	p := w.Principals[who]
	command = append(command, "bootstrap="+w.gateway.Address(t, p.Server), "ca="+w.cluster.Certificate("ca.crt"))
	switch issuer := w.issuer(who); {
	case issuer != nil:
		command = append(command, "endpoint="+issuer.Endpoint(), "user="+who, "password="+oidctest.Secret(who), "scope="+p.Scopes)
	case p.Certificate != "":
		command = append(command, "cert="+w.cluster.Certificate(p.Certificate+".crt"), "key="+w.cluster.Certificate(p.Certificate+".key"))
	default:
		command = append(command, "user="+who, "password="+password)
	}
	jobs := w.jobs(t, who)
	for _, j := range jobs {
		command = append(command, j.verb, strings.Join(j.names, ","), j.with)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	var said strings.Builder
	run.Stderr = &said
	out, err := run.Output()
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(got) != len(jobs) {
		t.Fatalf("%d of %d outcomes, %v\n%s\n%s", len(got), len(jobs), err, out, parts.Lines([]byte(said.String()), 20))
	}
	for i, j := range jobs {
		if got[i] != j.want {
			t.Errorf("%s %s %s: %s, want %s", j.verb, j.names, j.with, got[i], j.want)
		}
	}
}

// job is what a client is told to do.
type job struct {
	verb  string
	names []string
	with  string
	want  string
}

// jobs are what a principal does by the tables, and what takes a client's own ways: a pattern for topics, and a list of groups.
func (w *kafkaWorld) jobs(t *testing.T, who string) (all []job) {
	t.Helper()
	own := fmt.Sprintf("%s-%d", who, time.Now().UnixNano())
	for _, s := range w.steps(t) {
		verb, topics, how, with := parse(w.full(s.does))
		if s.who != who || verb == "create" || how == "without" {
			continue
		}
		j := job{verb, topics, cmp.Or(with, "-"), s.outcomes[0]}
		switch {
		case how == "in":
			j.verb = "transaction"
		case verb == "consume":
			j.with = cmp.Or(with, fmt.Sprintf("%s-%d", own, len(all)))
			w.record(t, topics[0]) // a group may have read the earlier ones
		}
		all = append(all, j)
	}
	if who == "alice" {
		const event, command = "…event.lamp-1.lighting.measured", "…action.lamp-1.turn.on"
		hers, others := own+"-by-pattern", "others-"+own
		w.commit(t, others, w.full(event))
		all = append(all,
			job{"produce", []string{"payroll", w.full(command), w.full(event)}, "-", denied + ", allowed, " + denied},
			job{"transaction", []string{"payroll"}, own, denied},
			job{"transaction", []string{w.full(command)}, own, allowed},
			job{"pattern", []string{"^(payroll|.*event[.]lamp-1[.].*)$"}, hers, w.full(event)},
			job{"groups", []string{hers, others}, "-", hers})
	}
	return all
}

// denied is the outcome where a topic may not be used.
const denied = "29 TOPIC_AUTHORIZATION_FAILED"

// commit makes a group that has read from a topic, past the gateway.
func (w *kafkaWorld) commit(t *testing.T, group, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := w.cluster.Client(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit())
	for fetches := client.PollFetches(ctx); fetches.NumRecords() == 0; fetches = client.PollFetches(ctx) {
		if err := ctx.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
}
