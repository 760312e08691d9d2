package operations_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/matrix"
	"github.com/asyncgate/asyncgate/test/oidc"
	"github.com/asyncgate/asyncgate/test/parts"
)

// example is one document of testdata/examples.yml.
type example struct {
	Title      string                    `yaml:"title"`
	Document   string                    `yaml:"document"` // below test/corpus/documents, or of this package
	Protocol   string                    `yaml:"protocol"` // kafka or mqtt
	Says       string                    `yaml:"says"`     // for people
	Refused    string                    `yaml:"refused"`  // the problem for which it is no document for the gateway
	Prefix     string                    `yaml:"prefix"`   // what … stands for
	Settings   map[string]any            `yaml:"settings"` // more for asyncgate.yaml
	Tokens     map[string]map[string]any `yaml:"tokens"`   // issuers, by a name, and more settings of each
	Servers    map[string]map[string]any `yaml:"servers"`
	Principals map[string]principal      `yaml:"principals"`
	Lines      string                    `yaml:"cases"`

	issuers map[string]*oidctest.Provider // that run, by name
}

// principal is who logs in, where and how.
type principal struct {
	Server      string `yaml:"server"`
	Certificate string `yaml:"certificate"` // whose it shows
	Token       string `yaml:"token"`       // the issuer of its tokens
	Scopes      string `yaml:"scopes"`      // of its tokens, or in the credentials file
	// Without certificate and token it has a password on Kafka, and an API key on MQTT.
}

// step is one case: who does what, with what outcome. On MQTT the first is that of version 5, the second that of 3.1.1.
type step struct {
	who, does string
	outcomes  []string
}

func load(t *testing.T) (all []example) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "examples.yml"))
	if err == nil {
		err = yaml.Load(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// document is the path of the unedited document.
func (e *example) document(t *testing.T) string {
	t.Helper()
	if strings.HasPrefix(e.Document, "testdata/") {
		return filepath.FromSlash(e.Document)
	}
	return parts.Path(t, "test", "corpus", "documents", filepath.FromSlash(e.Document))
}

// steps are the cases, as they are written.
func (e *example) steps(t *testing.T) (all []step) {
	t.Helper()
	for line := range strings.Lines(e.Lines) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != e.columns()+2 {
			t.Fatalf("%s: %q has %d cells", e.Title, line, len(cells))
		}
		all = append(all, step{cells[0], cells[1], cells[2:]})
	}
	return all
}

func (e *example) columns() int {
	if e.Protocol == "mqtt" {
		return 2
	}
	return 1
}

// full is what a client does with names in full.
func (e *example) full(does string) string {
	if e.Protocol == "kafka" {
		return strings.ReplaceAll(does, "…", e.Prefix+".")
	}
	return strings.ReplaceAll(does, "…", e.Prefix)
}

// gateway runs the document in front of a broker. wire are the settings of a server that say where things are.
func (e *example) gateway(t *testing.T, c *gatewaytest.Credentials, wire map[string]any) *gatewaytest.Gateway {
	t.Helper()
	return gatewaytest.Start(t, gatewaytest.Options{Document: e.document(t), Settings: e.settings(t, c, wire)})
}

func (e *example) settings(t *testing.T, c *gatewaytest.Credentials, wire map[string]any) string {
	t.Helper()
	servers := map[string]any{}
	for name, more := range e.Servers {
		s := map[string]any{}
		for key, value := range wire {
			s[key] = value
		}
		if more["enabled"] == false {
			s = map[string]any{}
		}
		for key, value := range more {
			s[key] = value
		}
		servers[name] = s
	}
	settings := map[string]any{
		"enforce": "operations", "servers": servers, "credentials": c.Path,
		"limits": map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}},
	}
	if len(e.issuers) > 0 {
		settings["tokens"] = e.believed(func(name string) string { return e.issuers[name].Issuer() })
	}
	for key, value := range e.Settings {
		settings[key] = value
	}
	text, err := json.Marshal(settings) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExamples has clients do every line of the tables.
func TestExamples(t *testing.T) {
	documents, outcomes := 0, 0
	for _, e := range load(t) {
		t.Run(e.Title, func(t *testing.T) {
			t.Cleanup(func() { // after the cases, which run at once
				if !t.Failed() && !t.Skipped() {
					documents++
					outcomes += len(e.steps(t)) * e.columns()
				}
			})
			switch {
			case e.Refused != "":
				refused(t, &e)
			case e.Protocol == "kafka":
				onKafka(t, &e)
			default:
				onMQTT(t, &e)
			}
		})
	}
	matrix.Show(fmt.Sprintf("examples of the specification: %d documents as their tables say, %d outcomes with real brokers\n", documents, outcomes))
}

// refused has check say why a document is none for the gateway.
func refused(t *testing.T, e *example) {
	t.Helper()
	parts.Need(t)
	command := exec.CommandContext(t.Context(), gatewaytest.Binary(t), "check", "--output", "json", e.document(t))
	out, _ := command.Output() // it ends with 1
	var said struct {
		Servers  []struct{ Enforced bool }
		Problems []struct{ Severity, Code string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, s := range said.Servers {
		if s.Enforced {
			t.Error("a server is enforced")
		}
	}
	for _, p := range said.Problems {
		if p.Severity == "error" && p.Code == e.Refused {
			return
		}
	}
	t.Errorf("no error %s among %+v", e.Refused, said.Problems)
}

// docs/examples.md has the tables.
func TestPageShowsExamples(t *testing.T) {
	page := []string{"docs", "examples.md"}
	var want strings.Builder
	for _, e := range load(t) {
		if e.Refused == "" {
			e.table(t, &want)
		}
	}
	want.WriteString("\n## Documents without a broker\n\n`asyncgate check` says that they are not enforced, and `run` does not start.\n\n" +
		"| document | | problem |\n|---|---|---|\n")
	for _, e := range load(t) {
		if e.Refused != "" {
			fmt.Fprintf(&want, "| `%s` | %s | `%s` |\n", e.Document, e.Says, e.Refused)
		}
	}
	if parts.Section(t, "examples", page...) == want.String() {
		return
	}
	if update() {
		parts.WriteSection(t, want.String(), "examples", page...)
		return
	}
	t.Error("docs/examples.md is not what testdata/examples.yml says: go test ./test/operations -run Page -update")
}

// table writes what the page says of a document.
func (e *example) table(t *testing.T, out *strings.Builder) {
	t.Helper()
	document := e.Document
	if strings.HasPrefix(document, "testdata/") {
		document = "test/operations/" + document
	}
	fmt.Fprintf(out, "\n## %s\n\n`%s`. %s\n", e.Title, document, wrap(e.Says, 128-len(document)-4))
	if extra := e.shown(t); extra != "" {
		fmt.Fprintf(out, "\n```yaml\n%s```\n", extra)
	}
	out.WriteByte('\n')
	if e.Prefix != "" {
		fmt.Fprintf(out, "In the table … stands for `%s`.\n\n", e.full("…"))
	}
	if e.Protocol == "mqtt" {
		out.WriteString("| principal | does | with | MQTT 5 | MQTT 3.1.1 |\n|---|---|---|---|---|\n")
	} else {
		out.WriteString("| principal | does | with | outcome |\n|---|---|---|---|\n")
	}
	for _, s := range e.steps(t) {
		verb, object, _ := strings.Cut(s.does, " ")
		fmt.Fprintf(out, "| %s | %s | `%s` | %s |\n", s.who, verb, object, strings.Join(s.outcomes, " | "))
	}
}

// shown is what asyncgate.yaml has beyond the addresses, certificates and brokers.
func (e *example) shown(t *testing.T) string {
	t.Helper()
	servers := map[string]any{}
	for name, more := range e.Servers {
		if len(more) > 0 {
			servers[name] = more
		}
	}
	settings := map[string]any{"enforce": "operations"}
	if len(servers) > 0 {
		settings["servers"] = servers
	}
	if len(e.Tokens) > 0 {
		settings["tokens"] = e.believed(func(name string) string { return "https://" + name + ".example.org" })
	}
	for key, value := range e.Settings {
		settings[key] = value
	}
	text, err := yaml.Dump(settings, yaml.WithIndent(2))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wrap breaks a text into lines, the first of so many letters at most.
func wrap(text string, first int) string {
	const width = 128
	var out strings.Builder
	left := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case len(word)+1 > left:
			out.WriteByte('\n')
			left = width
		default:
			out.WriteByte(' ')
			left--
		}
		out.WriteString(word)
		left -= len(word)
	}
	return out.String()
}
