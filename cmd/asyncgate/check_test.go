package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const official = "../../asyncapi/testdata/official/"

// invoke runs a command line in this process.
func invoke(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(&environment{ctx: t.Context(), stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}, args)
	return code, out.String(), errs.String()
}

// put writes files into a new directory.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	soundDocument = "asyncapi: 3.0.0\ninfo: {title: Sound, version: '1'}\nservers: {a: {host: 'h:1000', protocol: kafka-secure, security: [{type: scramSha512}]}}\n"
	openDocument  = "asyncapi: 3.0.0\ninfo: {title: Open, version: '1'}\nservers: {a: {host: 'h:1000', protocol: kafka-secure}}\n"
)

// The exit code is what pipelines see: the worst of all documents.
func TestCheckExitCodes(t *testing.T) {
	dir := put(t, map[string]string{
		"sound.yml": soundDocument, "open.yml": openDocument, "broken.yml": "asyncapi: [", "empty.yml": "", "2.6.yml": "asyncapi: 2.6\n",
		"bad.yaml": "servers: {a: {listne: x}}\n",
	})
	in := func(names ...string) []string {
		var paths []string
		for _, name := range names {
			if strings.HasPrefix(name, "-") || name == "json" || name == "a" || name == "b" {
				paths = append(paths, name)
			} else {
				paths = append(paths, filepath.Join(dir, name))
			}
		}
		return paths
	}
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, in("sound.yml")},
		{1, in("open.yml")},
		{1, in("broken.yml")},
		{1, in("empty.yml")},
		{1, in("2.6.yml")},
		{2, in("none.yml")},
		{2, in("--server", "b", "sound.yml")},
		{0, in("--server", "a", "sound.yml")},
		{2, in("-c", "none.yaml", "sound.yml")},
		{1, in("-c", "bad.yaml", "sound.yml")},
		{1, in("sound.yml", "open.yml")},
		{2, in("sound.yml", "open.yml", "none.yml")},
		{2, nil},
		{2, []string{"--output", "toml", filepath.Join(dir, "sound.yml")}},
		{2, []string{"--nonsense", filepath.Join(dir, "sound.yml")}},
	} {
		code, stdout, stderr := invoke(t, "", append([]string{"check"}, c.args...)...)
		if code != c.code {
			t.Errorf("check %q: exit %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
		if c.code == 2 && stderr == "" {
			t.Errorf("check %q: nothing on stderr", c.args)
		}
	}
}

// The table is for people: what would be enforced, and what to do about what cannot be.
func TestCheckTable(t *testing.T) {
	dir := put(t, map[string]string{"d.yml": `asyncapi: 3.0.0
info: { title: "Orders \e[31m", version: "1" }
servers:
  prod: { host: 'k:9092', protocol: kafka-secure, security: [ { $ref: '#/components/securitySchemes/sasl' }, { type: X509 }, { type: gssapi } ] }
  dev: { host: 'k:9092', protocol: kafka }
  web: { host: 'h:80', protocol: http }
components: { securitySchemes: { sasl: { type: userPassword } } }
`})
	t.Chdir(dir)
	code, stdout, stderr := invoke(t, "", "check", "d.yml")
	const want = `d.yml   AsyncAPI 3.0.0   Orders \x1b[31m

SERVER  PROTOCOL      LISTEN  CLIENTS DIAL  BROKERS    TLS  WAYS IN
prod    kafka-secure  :9092   k:9092        9093-9192  yes  sasl: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN
                                                            or X509: client certificate
                                                            or disabled: gssapi
dev     kafka         :9092   k:9092        9093-9192  no   none
web     http          not enforced: not a protocol of the gateway

d.yml:4:63 warning security/weakest-alternative server prod is as secure as its weakest way in: sasl (userPassword) rests on a secret that is sent, X509 on a private key
    4 | …fka-secure, security: [ { $ref: '#/components/securitySchemes/sasl' }, {…
      |                          ^
    remove it, or move it to a server of its own, which fewer people can reach
d.yml:4:126 warning security/alternative-disabled gssapi is no way in: Kerberos comes with a later version
    4 | …asl' }, { type: X509 }, { type: gssapi } ] }
      |                          ^
d.yml:5:3 error security/none the document states no security for server dev, so anyone could connect
    5 |   dev: { host: 'k:9092', protocol: kafka }
      |   ^
    state it in the document, or write into asyncgate.yaml:
    servers:
      dev:
        security: [scramSha512]   # or scramSha256, plain, userPassword, X509
    if everyone may connect, write allowAnonymous: true there instead of security
d.yml warning security/operations-not-enforced only connections are enforced, operations are not: whoever gets in may use every topic and group that the gateway may

1 error, 3 warnings
`
	if diff := cmp.Diff(want, stdout); code != 1 || stderr != "" || diff != "" {
		t.Errorf("exit %d, %s\n%s", code, stderr, diff)
	}
}

// The JSON form is a contract: fields may be added, and none renamed or removed.
func TestCheckJSON(t *testing.T) {
	code, stdout, _ := invoke(t, "", "check", "--output", "json", official+"streetlights-kafka-3.1.yml")
	if code != 0 {
		t.Fatal(code)
	}
	var got struct {
		Document, AsyncAPI, Title string
		Servers                   []map[string]any
		Problems                  []map[string]any
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if got.Document != official+"streetlights-kafka-3.1.yml" || got.AsyncAPI != "3.1.0" || got.Title != "Streetlights Kafka API" {
		t.Errorf("%+v", got)
	}
	want := map[string]any{
		"name": "scram-connections", "protocol": "kafka-secure", "pointer": "/servers/scram-connections", "enforced": true, "note": "",
		"listen": ":18092", "advertise": "test.mykafkacluster.org:18092", "brokers": "18093-18192", "sharesListener": "", "tls": true,
		"upstream": []any{}, "requireAll": false, "allowAnonymous": false,
		"alternatives": []any{map[string]any{"enabled": true, "all": []any{map[string]any{
			"scheme": "saslScram", "pointer": "/components/securitySchemes/saslScram", "type": "scramSha256",
			"mechanisms": []any{"SCRAM-SHA-256"}, "scopes": []any{},
		}}}},
	}
	rules, _ := got.Servers[0]["rules"].([]any)
	delete(got.Servers[0], "rules")
	if diff := cmp.Diff(want, got.Servers[0]); diff != "" {
		t.Error(diff)
	}
	rule := map[string]any{
		"action": "consume", "address": "smartylighting.streetlights.1.0.event.{streetlightId}.lighting.measured",
		"operation": "receiveLightMeasurement", "file": official + "streetlights-kafka-3.1.yml", "line": 74.0,
		"pointer": "/operations/receiveLightMeasurement", "alternatives": []any{},
	}
	if len(rules) != 4 || !cmp.Equal(rule, rules[0]) {
		t.Errorf("rules: %+v", rules)
	}
	for _, field := range []string{"severity", "code", "file", "line", "column", "pointer", "message", "hint"} {
		if _, ok := got.Problems[0][field]; !ok {
			t.Errorf("a problem has no %s", field)
		}
	}
}

// Nothing in the JSON form is null where a list belongs, and an inline scheme has no name.
func TestCheckJSONConventions(t *testing.T) {
	code, stdout, _ := invoke(t, soundDocument, "check", "--output", "json", "-")
	if code != 0 || !strings.Contains(stdout, `"document": "<stdin>"`) || !strings.Contains(stdout, `"scheme": null`) {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	for _, input := range []string{"", "asyncapi: 3.0.0\n", "asyncapi: 3.0.0\nservers: {a: {host: h, protocol: http}}\n", openDocument} {
		_, stdout, _ := invoke(t, input, "check", "--output", "json", "-")
		if without := strings.ReplaceAll(stdout, `"scheme": null`, ""); strings.Contains(without, "null") {
			t.Errorf("%q gives\n%s", input, stdout)
		}
	}
}

func TestCheckSeveralDocuments(t *testing.T) {
	dir := put(t, map[string]string{"a.yml": soundDocument, "b.yml": openDocument})
	code, stdout, _ := invoke(t, "", "check", "--output", "json", filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml"), filepath.Join(dir, "c.yml"))
	var got struct{ Documents []struct{ Title string } }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if code != 2 || len(got.Documents) != 2 || got.Documents[1].Title != "Open" {
		t.Errorf("exit %d, %+v", code, got)
	}
}

// The settings beside a document count by themselves; those of standard input have to be named.
func TestCheckFindsSettings(t *testing.T) {
	dir := put(t, map[string]string{"d.yml": openDocument, settingsName: `
servers:
  a:
    security: [scramSha512]
    upstream: { bootstrap: [b:1] }
    tls: { certificate: cert.pem, key: cert.pem }
credentials: credentials.yaml
`, "cert.pem": "", "credentials.yaml": ""})
	if code, stdout, stderr := invoke(t, "", "check", filepath.Join(dir, "d.yml")); code != 0 {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, _ := invoke(t, openDocument, "check", "-"); code != 1 {
		t.Errorf("standard input: exit %d", code)
	}
	if code, stdout, stderr := invoke(t, openDocument, "check", "-", "-c", filepath.Join(dir, settingsName)); code != 0 {
		t.Errorf("standard input with settings: exit %d\n%s%s", code, stdout, stderr)
	}
	if err := os.Remove(filepath.Join(dir, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := invoke(t, "", "check", filepath.Join(dir, "d.yml")); code != 1 || !strings.Contains(stdout, "settings/file") {
		t.Errorf("without the certificate: exit %d\n%s", code, stdout)
	}
}
