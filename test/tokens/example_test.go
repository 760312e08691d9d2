//go:build unix

package tokens_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/keycloak"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/parts"
)

// tools are the command line tools that the example's scripts run, and the classes behind those of Kafka.
var tools = map[string]string{
	"kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
	"kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}

// example runs what docker-compose.tokens.yml runs, without containers: the document, the settings, the scripts and the realm
// are the example's; what differs is where everything is.
func example(t *testing.T, idp *keycloaktest.Server, brokers *kafkatest.Cluster) {
	parts.Need(t, "sh", "curl", "mosquitto_pub", "mosquitto_sub")
	mosquitto := mosquittotest.Start(t, mosquittotest.Options{})
	dir := t.TempDir()
	if err := os.Symlink(mosquittotest.Certificates(t), filepath.Join(dir, "certificates")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", parts.Path(t, "examples", "setup.sh"), dir).CombinedOutput(); err != nil {
		t.Fatalf("setup.sh: %v\n%s", err, out)
	}
	elsewhere := strings.NewReplacer("https://keycloak:8443/realms/lights", idp.Secure(),
		"    brokers: { ports: 38093-38095, firstId: 1 }\n", "") // free ports
	document := filepath.Join(dir, "tokens", "lights.yml")
	text, err := os.ReadFile(document)
	if err == nil {
		err = os.WriteFile(document, []byte(elsewhere.Replace(string(text))), 0o600)
	}
	if err == nil {
		text, err = os.ReadFile(filepath.Join(dir, "tokens", "asyncgate.yaml"))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(mosquitto.Address(mosquittotest.TLS))
	if err != nil {
		t.Fatal(err)
	}
	g := gatewaytest.Start(t, gatewaytest.Options{Document: document, Settings: elsewhere.Replace(string(text)), Dir: filepath.Join(dir, "tokens"), Args: []string{
		"--listen", "kafka=127.0.0.1:0", "--advertise", "kafka=localhost:0", "--upstream", "kafka=" + brokers.Bootstrap(kafkatest.SASLTLS),
		"--listen", "mqtt=127.0.0.1:0", "--advertise", "mqtt=localhost:0", "--upstream", "mqtt=localhost:" + port}})
	kafka, mqtt := g.Address(t, "kafka"), g.Address(t, "mqtt")
	_, port, err = net.SplitHostPort(mqtt)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for name, class := range tools {
		script := fmt.Sprintf("#!/bin/sh\nexec java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC $KAFKA_OPTS -cp '%s/*' %s \"$@\"\n", brokers.Libraries, class)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil { // #nosec G306 -- it is to be run
			t.Fatal(err)
		}
	}
	s := scripts{t: t, environment: append(os.Environ(), "DEPLOYMENT="+dir, "ISSUER="+idp.Secure(), "GATEWAY="+kafka, "GATEWAY_PORT="+port, "KAFKA_BIN="+bin)}

	s.says("on\n", "", "client.sh", "lamp", "kafka-console-producer.sh", "--topic", "lights")
	s.says("", "on", "client.sh", "reader", "kafka-console-consumer.sh", "--topic", "lights", "--from-beginning", "--max-messages", "1", "--group", "reader")
	_, _ = s.run("off\n", "client.sh", "reader", "kafka-console-producer.sh", "--topic", "lights") // which says what it thinks of it to its log alone
	g.Wait(t, patience, "the denial of reader, who may not turn lights", func(r gatewaytest.Record) bool {
		return r.Has(map[string]string{"decision": "deny", "principal": "reader", "server": "kafka", "code": "not-allowed"})
	})

	s.onMQTT(s.says("", "", "token.sh", "lamp"), s.says("", "", "token.sh", "reader"), s.says("", "", "token.sh", "stranger"))
}

// scripts are those of the example.
type scripts struct {
	t           *testing.T
	environment []string
}

func (s scripts) run(stdin, name string, args ...string) (string, error) {
	command := exec.CommandContext(s.t.Context(), "sh", append([]string{parts.Path(s.t, "examples", "tokens", name)}, args...)...)
	command.Env, command.Stdin = s.environment, strings.NewReader(stdin)
	said, err := command.CombinedOutput()
	return string(said), err
}

// says runs one that has to work, and returns what it prints on standard output, which has to hold a text.
func (s scripts) says(stdin, want, name string, args ...string) string {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), "sh", append([]string{parts.Path(s.t, "examples", "tokens", name)}, args...)...)
	command.Env, command.Stdin = s.environment, strings.NewReader(stdin)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil || !strings.Contains(string(out), want) {
		s.t.Errorf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// onMQTT has reader hear what lamp says, with tokens as their passwords, and stranger be refused.
func (s scripts) onMQTT(lamp, reader, stranger string) {
	s.t.Helper()
	type hearing struct {
		text string
		err  error
	}
	heard := make(chan hearing, 1)
	go func() {
		text, err := s.run("", "mqtt-client.sh", reader, "mosquitto_sub", "-t", "lights", "-C", "1", "-W", "40")
		heard <- hearing{strings.TrimSpace(text), err}
	}()
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	for listening := true; listening; {
		s.says("", "", "mqtt-client.sh", lamp, "mosquitto_pub", "-t", "lights", "-m", "off")
		select {
		case got := <-heard:
			if listening = false; got.text != "off" || got.err != nil {
				s.t.Errorf("reader hears %q, %v", got.text, got.err)
			}
		case <-again.C:
		}
	}
	if text, err := s.run("", "mqtt-client.sh", stranger, "mosquitto_pub", "-t", "lights", "-m", "off"); err == nil {
		s.t.Errorf("stranger, whose token is for others, gets in: %s", text)
	}
}
