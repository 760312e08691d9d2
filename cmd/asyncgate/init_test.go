package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/settings"
)

// What init writes for the specification's own examples is ready to run but for the brokers' addresses, and with those
// given for everything.
func TestInitLeavesOnlyTheBrokersToSay(t *testing.T) {
	for _, name := range []string{"streetlights-kafka-2.6.yml", "streetlights-kafka-3.0.yml", "streetlights-kafka-3.1.yml",
		"operation-security-2.6.yml", "operation-security-3.1.yml", "adeo-kafka-3.0.yml", "streetlights-mqtt-3.1.yml"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(official + name)
			if err != nil {
				t.Fatal(err)
			}
			doc := filepath.Join(put(t, map[string]string{"api.yml": string(data)}), "api.yml")
			if code, stdout, stderr := invoke(t, "", "init", "--dev-certificates", doc); code != 0 {
				t.Fatal(code, stdout, stderr)
			}
			p, problems, err := loadPlan(doc, "", nil, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			running := 0
			for _, s := range p.Servers {
				if s.Enforced {
					running++
				}
			}
			lacking := 0
			for _, one := range problems {
				switch {
				case one.Code == "settings/no-upstream":
					lacking++
				case one.Severity == plan.Error:
					t.Errorf("%+v", one)
				}
			}
			if running == 0 || lacking != running {
				t.Errorf("%d servers run, %d lack brokers", running, lacking)
			}
		})
	}
}

func TestInitWritesWhatRunTakes(t *testing.T) {
	dir := put(t, map[string]string{"api.yml": `asyncapi: 3.0.0
info: { title: Orders, version: "1" }
servers:
  scram:
    host: 'kafka.example.org:{port}'
    protocol: kafka-secure
    variables: { port: { enum: [ '9092', '9093' ] } }
    security: [ { type: scramSha512 }, { type: X509 } ]
  "on": { host: 'kafka.example.org:9100', protocol: kafka }
  keys: { host: 'kafka.example.org:9101', protocol: kafka, security: [ { type: apiKey, in: user } ] }
  krb: { host: 'kafka.example.org:9102', protocol: kafka-secure, security: [ { type: gssapi } ] }
  lamps: { host: 'mqtt.example.org', protocol: mqtt, security: [ { type: userPassword } ] }
  page: { host: 'mqtt.example.org', pathname: /mqtt, protocol: wss, bindings: { mqtt: {} } }
  web: { host: 'example.org', protocol: https }
`})
	doc := filepath.Join(dir, "api.yml")
	code, stdout, stderr := invoke(t, "", "init", doc, "--dev-certificates", "--upstream", "scram=k1:9092,k2:9092", "--upstream", "on=k1:9092",
		"--upstream", "keys=k1:9092", "--upstream", "lamps=m1:1883", "--upstream", "page=wss://m1/mqtt")
	if code != 0 {
		t.Fatal(code, stdout, stderr)
	}
	for _, want := range []string{"credentials add alice --generate", "credentials add billing --kind key", "--match 'CN=dev-client'", "asyncgate run " + doc} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no next step %q in\n%s", want, stdout)
		}
	}
	p, problems, err := loadPlan(doc, "", nil, compile.Options{})
	if err != nil || worst(problems) != exitOK {
		t.Fatal(err, problems)
	}
	off := map[string]bool{}
	for _, s := range p.Servers {
		off[s.Name] = !s.Enforced
		if s.Enforced && s.MQTT == nil && s.Brokers.Last-s.Brokers.First != brokerPorts-1 {
			t.Errorf("%s has the brokers %+v", s.Name, s.Brokers)
		}
	}
	if off["scram"] || off["on"] || off["keys"] || off["lamps"] || off["page"] || !off["krb"] || !off["web"] {
		t.Errorf("off: %v", off)
	}
	if _, err := credentials.Read(filepath.Join(dir, credentialsName)); err != nil {
		t.Error(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, gatewayCert), filepath.Join(dir, gatewayKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "kafka.example.org"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
}

// An existing file is somebody's work: nothing at all is written then.
func TestInitNeverOverwrites(t *testing.T) {
	for _, there := range []string{settingsName, credentialsName, devCA, gatewayCert, gatewayKey, devClientCert, devClientKey} {
		dir := put(t, map[string]string{"api.yml": soundDocument, there: "mine"})
		code, _, stderr := invoke(t, "", "init", "--dev-certificates", filepath.Join(dir, "api.yml"))
		if code != 1 || !strings.Contains(stderr, filepath.Join(dir, there)) {
			t.Errorf("%s: exit %d, %s", there, code, stderr)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 2 {
			t.Errorf("%s: wrote beside it: %v", there, entries)
		}
		if data, err := os.ReadFile(filepath.Join(dir, there)); err != nil || string(data) != "mine" {
			t.Errorf("%s is overwritten: %q, %v", there, data, err)
		}
	}
}

// A document with more servers than there are ports for is no reason to fall over.
func TestInitWithHundredsOfServers(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("asyncapi: 3.0.0\nservers:\n")
	for i := range 800 {
		fmt.Fprintf(&doc, "  s%d: { host: 'h:%d', protocol: kafka-secure, security: [ { type: X509 } ] }\n", i, 64736+i)
	}
	path := filepath.Join(put(t, map[string]string{"api.yml": doc.String()}), "api.yml")
	if code, stdout, stderr := invoke(t, "", "init", path); code != 0 {
		t.Fatal(code, stdout, stderr)
	}
	if _, problems := settings.Load(filepath.Join(filepath.Dir(path), settingsName)); len(problems) > 0 {
		t.Error(problems[0])
	}
}

func TestInitArguments(t *testing.T) {
	dir := put(t, map[string]string{"api.yml": soundDocument, "broken.yml": "asyncapi: ["})
	doc := filepath.Join(dir, "api.yml")
	for _, c := range []struct {
		code int
		args []string
	}{
		{1, []string{filepath.Join(dir, "broken.yml")}},
		{2, []string{filepath.Join(dir, "none.yml")}},
		{2, []string{doc, "--upstream", "k:1"}},
		{2, []string{doc, "--upstream", "b=k:1"}},
		{2, []string{doc, "--upstream", "a=k"}},
		{2, []string{doc, "--upstream", "a=k:1", "--upstream", "a=k:2"}},
		{0, []string{doc, "--upstream", "a=k:1"}},
	} {
		if code, stdout, stderr := invoke(t, "", append([]string{"init"}, c.args...)...); code != c.code {
			t.Errorf("init %q: exit %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
	}
}
