package settings

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/internal/cases"
)

// grammar is where the schema describes each kind of object that the reader knows.
var grammar = map[string]string{
	"the settings file": "/properties",
	"admin":             "/properties/admin/properties",
	"a server":          "/$defs/server/properties",
	"upstream":          "/$defs/upstream/properties",
	"upstream tls":      "/$defs/upstream/properties/tls/properties",
	"upstream sasl":     "/$defs/upstream/properties/sasl/properties",
	"brokers":           "/$defs/brokers/properties",
	"tls":               "/$defs/tls/properties",
	"a security scheme": "/$defs/scheme/oneOf/1/properties",
	"limits":            "/$defs/limits/properties",
	"tokens":            "/properties/tokens/properties",
	"an issuer":         "/$defs/issuer/properties",
	"introspection":     "/$defs/issuer/properties/introspection/properties",
	"token":             "/$defs/upstream/properties/sasl/properties/token/properties",
	"exchange":          "/$defs/upstream/properties/exchange/properties",
	"a grant":           "/$defs/grant/properties",
	"a parameter":       "/$defs/parameter/properties",
}

// The reader, the schema and the reference page know the same keys.
func TestSchemaHasTheReadersKeys(t *testing.T) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{objects: map[string][]string{}}
	root := r.decode(full)
	r.settings(empty("full.yaml"), node{root, At{root.Line, root.Column, ""}})
	if got, want := slices.Sorted(maps.Keys(r.objects)), slices.Sorted(maps.Keys(grammar)); !slices.Equal(got, want) {
		t.Errorf("testdata/full.yaml has the objects %q, the reader knows %q", got, want)
	}
	for what, keys := range r.objects {
		properties, ok := at(schema, grammar[what]).(map[string]any)
		if !ok {
			t.Fatalf("the schema has nothing at %s", grammar[what])
		}
		if diff := cmp.Diff(keys, slices.Sorted(maps.Keys(properties))); diff != "" {
			t.Errorf("%s (-reader +schema):\n%s", what, diff)
		}
		for _, key := range keys {
			if !strings.Contains(string(page), "`"+key+"`") {
				t.Errorf("docs/settings.md does not describe %s of %s", key, what)
			}
		}
	}
}

func at(v any, pointer string) any {
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			v = x[int(key[0]-'0')]
		}
	}
	return v
}

// What the reader accepts the schema accepts, and what it refuses for its form the schema refuses. What no schema can
// say is left to the reader.
func TestSchemaAgreesWithTheReader(t *testing.T) {
	beyond := map[string]bool{ // cases whose fault a schema cannot see
		"a second YAML document": true, "a key twice": true, "not YAML": true, "merge keys": true, "networks": true, "how far clocks may differ is bounded": true,
		"durations out of bounds": true, "sizes out of bounds": true, "sizes that overflow": true, "addresses": true, "ranges of ports": true, "names of brokers": true, "addresses of MQTT brokers": true, "origins": true,
	}
	schema := compiled(t)
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance(t, full)); err != nil {
		t.Errorf("full.yaml: %v", err)
	}
	for _, c := range cases.Load(t, "testdata/problems.txt").Cases {
		if beyond[c.Name] || strings.TrimSpace(c.Part(cases.Input)) == "" || strings.HasPrefix(c.Part(cases.Input), "#") {
			continue
		}
		err := schema.Validate(instance(t, []byte(c.Part(cases.Input))))
		if refused := c.Part("problems") != ""; refused != (err != nil) {
			t.Errorf("%s: the reader refuses it: %v; the schema says: %v", c.Name, refused, err)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("settings.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("settings.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is YAML as the values of JSON.
func instance(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(data, &v); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
