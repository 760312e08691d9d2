package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDemoHoldsEveryLineAndTheREADMEShowsIt(t *testing.T) {
	var stdout, stderr strings.Builder
	code := run(&environment{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}, []string{"demo", "--once"})
	if code != exitOK {
		t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if shown := strings.TrimSpace(stdout.String()); !strings.Contains(string(readme), shown) {
		t.Errorf("README.md does not show what the demo prints:\n%s", shown)
	}
}

func TestDemoShowsEverySchemeThatIsEnforced(t *testing.T) {
	document := filepath.Join(t.TempDir(), "all.yml")
	err := os.WriteFile(document, []byte(`asyncapi: 3.0.0
info: { title: All of them, version: 1.0.0 }
servers:
  users: { host: 'localhost:19193', protocol: kafka, security: [{ type: userPassword }] }
  either: { host: 'localhost:19293', protocol: kafka-secure, security: [{ type: apiKey, in: user }, { type: X509 }] }
  mixed: { host: 'localhost:19393', protocol: kafka-secure, security: [{ type: apiKey, in: password }, { type: scramSha512 }] }
  tokens: { host: 'localhost:19493', protocol: kafka-secure, security: [{ type: openIdConnect, openIdConnectUrl: 'https://id.example.org/.well-known/openid-configuration', scopes: [a, b] }] }
  http: { host: 'localhost:19593', protocol: kafka, security: [{ type: http, scheme: bearer }, { type: http, scheme: basic }] }
  other: { host: 'localhost:5672', protocol: amqp }
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	code := run(&environment{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}, []string{"demo", "--once", document})
	if code != exitOK || !strings.Contains(stdout.String(), "52 of 52 lines held.") {
		t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}

func TestDemoShowsEverySchemeOfMQTT(t *testing.T) {
	document := filepath.Join(t.TempDir(), "mqtt.yml")
	err := os.WriteFile(document, []byte(`asyncapi: 3.0.0
info: { title: All of them, version: 1.0.0 }
servers:
  users: { host: 'localhost:19193', protocol: mqtt, security: [{ type: userPassword }] }
  keys: { host: 'localhost:19293', protocol: mqtts, security: [{ type: apiKey, in: password }] }
  proofs: { host: 'localhost:19393', protocol: mqtt5, security: [{ type: scramSha256 }, { type: plain }] }
  certificates: { host: 'localhost:19493', protocol: secure-mqtt, security: [{ type: X509 }] }
  either: { host: 'localhost:19593', protocol: mqtts, security: [{ type: scramSha512 }, { type: X509 }] }
  web: { host: 'localhost:19693', pathname: /mqtt, protocol: wss, bindings: { mqtt: {} }, security: [{ type: userPassword }] }
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	code := run(&environment{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}, []string{"demo", "--once", document})
	if code != exitOK || !strings.Contains(stdout.String(), "56 of 56 lines held.") {
		t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}

func TestDemoOfADocumentWithoutABrokerSaysSo(t *testing.T) {
	document := filepath.Join(t.TempDir(), "amqp.yml")
	if err := os.WriteFile(document, []byte("asyncapi: 3.0.0\ninfo: { title: x, version: 1.0.0 }\nservers:\n  a: { host: h, protocol: amqp }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	code := run(&environment{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}, []string{"demo", document})
	if code != exitProblem || !strings.Contains(stderr.String(), "no Kafka or MQTT server") {
		t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}
