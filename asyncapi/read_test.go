package asyncapi_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
)

func official(t *testing.T, name string) *asyncapi.Document {
	t.Helper()
	data, err := os.ReadFile("testdata/official/" + name)
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := asyncapi.Read(name, data)
	if doc == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	return doc
}

// The same API in the notations of 2.x and 3.x means the same, and everything knows where it stands.
func TestBothNotations(t *testing.T) {
	for _, c := range []struct {
		file, version    string
		address, require asyncapi.Place
	}{
		{
			"streetlights-kafka-2.6.yml", "2.6.0",
			asyncapi.Place{Line: 19, Column: 10, Pointer: "/servers/scram-connections/url"},
			asyncapi.Place{Line: 23, Column: 9, Pointer: "/servers/scram-connections/security/0"},
		},
		{
			"streetlights-kafka-3.1.yml", "3.1.0",
			asyncapi.Place{Line: 12, Column: 11, Pointer: "/servers/scram-connections/host"},
			asyncapi.Place{Line: 16, Column: 9, Pointer: "/servers/scram-connections/security/0"},
		},
	} {
		doc := official(t, c.file)
		if doc.Version != c.version || doc.Title != "Streetlights Kafka API" || len(doc.Servers) != 2 || len(doc.Schemes) < 2 {
			t.Fatalf("%+v", doc)
		}
		s := doc.Servers[0]
		c.address.File, c.require.File = c.file, c.file
		if s.Name != "scram-connections" || s.Protocol.Value != "kafka-secure" || s.Address().Value != "test.mykafkacluster.org:18092" {
			t.Errorf("%+v", s)
		}
		if diff := cmp.Diff(c.address, s.Address().Place); diff != "" {
			t.Error(diff)
		}
		if len(s.Security.Requirements) != 1 || len(s.Security.Requirements[0].Schemes) != 1 {
			t.Fatalf("%+v", s.Security)
		}
		if diff := cmp.Diff(c.require, s.Security.Requirements[0].Place); diff != "" {
			t.Error(diff)
		}
		scheme := s.Security.Requirements[0].Schemes[0].Scheme
		if scheme.Key != "saslScram" || scheme.Type.Value != "scramSha256" || scheme.Pointer != "/components/securitySchemes/saslScram" {
			t.Errorf("%+v", scheme)
		}
	}
}

// JSON and YAML of one document read alike, positions aside.
func TestJSONReadsAsYAML(t *testing.T) {
	const yaml = "asyncapi: 3.0.0\ninfo: {title: \"caf\u00e9 \U0001F303\"}\nservers: {a: {host: 'h:1', protocol: kafka, security: []}}\n"
	const json = `{ "asyncapi": "3.0.0",
  "info": {"title": "café \ud83c\udf03"},
  "servers": {"a": {"host": "h:1", "protocol": "kafka", "security": []}}
}`
	a, problems := asyncapi.Read("a.yml", []byte(yaml))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b, problems := asyncapi.Read("b.json", []byte("\xef\xbb\xbf"+json))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if a.Title != b.Title || a.Servers[0].Host.Value != b.Servers[0].Host.Value {
		t.Errorf("%+v and %+v", a, b)
	}
	if got := b.Servers[0].Host.Place; got != (asyncapi.Place{File: "b.json", Line: 3, Column: 29, Pointer: "/servers/a/host"}) {
		t.Errorf("%+v", got)
	}
	if b.Servers[0].Security == nil {
		t.Error("an empty list is not stated")
	}
}

// References are followed wherever these objects may have them.
func TestReferences(t *testing.T) {
	const document = `asyncapi: 3.0.0
servers: { $ref: '#/components/servers' }
components:
  servers:
    a: { $ref: '#/x-shared/0' }
  serverVariables:
    port: { default: '9092' }
  securitySchemes:
    a~b/c: { $ref: '#/components/securitySchemes/real' }
    real: { $ref: '#/components/securitySchemes/inner%20' }
    'inner ': { type: plain }
x-shared:
  - host: 'h:{port}'
    protocol: kafka
    variables: { port: { $ref: '#/components/serverVariables/port' } }
    bindings: { $ref: '#/x-bindings' }
    security:
      - $ref: '#/components/securitySchemes/a~0b~1c'
x-bindings: { kafka: { schemaRegistryUrl: 'https://example.org' } }
`
	doc, problems := asyncapi.Read("d.yml", []byte(document))
	for _, p := range problems {
		if p.Code != "document/invalid-value" { // the names of the components
			t.Error(p)
		}
	}
	s := doc.Servers[0]
	if s.Pointer != "/servers/a" || s.Definition.Pointer != "/x-shared/0" || s.Host.Pointer != "/x-shared/0/host" {
		t.Errorf("%+v", s)
	}
	if len(s.Variables) != 1 || s.Variables[0].Default.Value != "9092" || len(s.Bindings) != 1 || s.Bindings[0].Protocol != "kafka" {
		t.Errorf("%+v %+v", s.Variables, s.Bindings)
	}
	if scheme := s.Security.Requirements[0].Schemes[0].Scheme; scheme.Type.Value != "plain" || scheme.Key != "inner " {
		t.Errorf("%+v", scheme)
	}
}

func TestMergeKeysAndAliases(t *testing.T) {
	const document = `asyncapi: 2.6.0
x-common: &common { protocol: kafka-secure, url: 'common:1' }
x-security: &security [ { sasl: [] } ]
servers:
  a: { <<: *common, url: 'own:1', security: *security }
  b: { <<: [ *common, { url: 'second:1' } ] }
components: { securitySchemes: { sasl: { type: scramSha512 } } }
`
	doc, problems := asyncapi.Read("d.yml", []byte(document))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	a, b := doc.Servers[0], doc.Servers[1]
	if a.URL.Value != "own:1" || a.Protocol.Value != "kafka-secure" || len(a.Security.Requirements) != 1 || b.URL.Value != "common:1" {
		t.Errorf("%+v %+v", a, b)
	}
}

// What cannot be read stays in the model as broken: it must never look like less than was asked for.
func TestBrokenRequirementsStay(t *testing.T) {
	for _, security := range []string{
		"{sasl: []}", "sasl", "[sasl]", "[[]]", "[null]", "[{sasl: []}]", "[{$ref: '#/nowhere'}]", "[{type: nonsense}]", "[{type: apiKey}]",
		"[{}]", "[{type: plain, mechanism: PLAIN}]", "5", "null",
	} {
		doc, problems := asyncapi.Read("d.yml", []byte("asyncapi: 3.0.0\nservers: {a: {host: 'h:1', protocol: kafka, security: "+security+"}}\n"))
		s := doc.Servers[0].Security
		if len(problems) == 0 || s == nil || len(s.Requirements) != 1 || !s.Requirements[0].Broken {
			t.Errorf("security: %s became %+v with %v", security, s, problems)
		}
		if len(doc.Servers[0].Problems) == 0 {
			t.Errorf("security: %s: the problem is nobody's", security)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/official/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, file := range []string{"testdata/problems.txt", "testdata/validate.txt"} {
		for _, c := range cases.Load(f, file).Cases {
			f.Add([]byte(c.Part(cases.Input)))
		}
	}
	var kept []*asyncapi.Document // keep the schemas
	for _, version := range []string{"2.0.0", "2.6.0", "3.0.0", "3.1.0"} {
		doc, _ := validated([]byte("asyncapi: " + version))
		kept = append(kept, doc)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, problems := asyncapi.Read("f.yml", data)
		read := len(problems)
		if doc != nil {
			problems = append(problems, doc.Validate()...)
		}
		if doc == nil && len(problems) == 0 {
			t.Error("neither a document nor a problem")
		}
		for _, p := range problems {
			if p.Code == "" || p.Message == "" || strings.ContainsAny(p.Message, "\n\r\x1b") {
				t.Errorf("%+v", p)
			}
		}
		if doc == nil {
			return
		}
		for _, s := range doc.Servers {
			checkSecurity(t, s, read)
		}
	})
	runtime.KeepAlive(kept)
}

// checkSecurity is what a plan relies on: a requirement that is not broken has schemes, all of them readable.
func checkSecurity(t *testing.T, s asyncapi.Server, problems int) {
	if s.Security == nil {
		return
	}
	for _, q := range s.Security.Requirements {
		if q.Broken && problems == 0 {
			t.Errorf("broken without a problem: %+v", q)
		}
		for _, use := range q.Schemes {
			if use.Scheme == nil || !use.Scheme.Type.Stated() {
				t.Errorf("%+v", use)
			}
		}
	}
}
