package operations_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/oidc"
	"github.com/asyncgate/asyncgate/test/parts"
)

// kafkaClients are the clients besides franz-go: a command that takes NAME=VALUE… and then VERB TOPIC GROUP for every job,
// and prints a line with the outcome of each.
var kafkaClients = map[string]func(testing.TB) []string{
	"java": func(t testing.TB) []string {
		parts.Need(t, "java", "javac")
		flags := kafkatest.JavaFlags(kafkatest.Jars(t, kafkatest.Newest))
		return append([]string{"java", "-Dlog4j2.level=OFF"}, append(flags, filepath.Join("testdata", "Client.java"))...)
	},
	"librdkafka": func(t testing.TB) []string {
		python := filepath.Join(parts.Cache(t), "venv", "bin", "python")
		if _, err := os.Stat(python); err != nil {
			parts.Absent(t, "needs test/clients/install.sh to have run: %v", err)
		}
		return []string{python, filepath.Join("testdata", "client.py")}
	},
}

// TestKafkaClients has Apache Kafka's own client and librdkafka meet the same outcomes as franz-go. Tokens they fetch
// themselves, with the scopes that they are told to ask for.
func TestKafkaClients(t *testing.T) {
	for _, title := range []string{"Streetlights for Kafka, AsyncAPI 3.1", "Streetlights with operation security, AsyncAPI 3.1"} {
		w := newKafka(t, titled(t, title))
		for name, command := range kafkaClients {
			for who, p := range w.Principals {
				if title != "Streetlights for Kafka, AsyncAPI 3.1" && p.Token == "" {
					continue // as in the first
				}
				t.Run(title+"/"+name+"/"+who, func(t *testing.T) {
					t.Parallel()
					w.compare(t, command(t), who)
				})
			}
		}
	}
}

// compare has one process do what a principal does with single topics.
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
	var did []step
	for _, s := range w.steps(t) {
		verb, topics, how, group := parse(w.full(s.does))
		if s.who != who || (verb != "produce" && verb != "consume") || len(topics) > 1 || how == "in" || how == "without" {
			continue
		}
		if group == "" {
			group = fmt.Sprintf("%s-%d", who, time.Now().UnixNano())
		}
		did = append(did, s)
		w.record(t, topics[0]) // a group may have read the earlier ones
		command = append(command, verb, topics[0], group)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	var said strings.Builder
	run.Stderr = &said
	out, err := run.Output()
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(got) != len(did) {
		t.Fatalf("%d of %d outcomes, %v\n%s\n%s", len(got), len(did), err, out, parts.Lines([]byte(said.String()), 20))
	}
	for i, s := range did {
		if got[i] != s.outcomes[0] {
			t.Errorf("%s: %s, want %s", s.does, got[i], s.outcomes[0])
		}
	}
}
