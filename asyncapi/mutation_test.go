package asyncapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/asyncapi"
)

// kinds says what the objects of a document are, so that a test knows which keys are AsyncAPI's words and which are names
// that an author chooses: {kind} is an object of names, [kind] a list, "any" what is not gone into, and a field that is not
// listed has words only.
var kinds = map[string]map[string]string{
	"document": {
		"servers": "{server}", "channels": "{channel}", "operations": "{operation}", "components": "components", "tags": "[plain]",
	},
	"server": {"variables": "{plain}", "security": "[requirement]", "tags": "[plain]", "bindings": "any"},
	"channel": {
		"messages": "{message}", "parameters": "{parameter}", "servers": "[plain]", "publish": "operation", "subscribe": "operation",
		"bindings": "any", "tags": "[plain]",
	},
	"operation": {
		"channel": "plain", "message": "message", "messages": "[plain]", "security": "[requirement]", "traits": "[operation]",
		"bindings": "any", "tags": "[plain]", "reply": "reply",
	},
	"reply":     {"messages": "[plain]"},
	"message":   {"headers": "any", "payload": "any", "traits": "[message]", "examples": "any", "bindings": "any", "tags": "[plain]", "oneOf": "[message]"},
	"parameter": {"schema": "any", "examples": "any"},
	"scheme":    {"flows": "flows"},
	"flows":     {"implicit": "flow", "password": "flow", "clientCredentials": "flow", "authorizationCode": "flow"},
	"flow":      {"scopes": "any", "availableScopes": "any"},
	"components": {
		"servers": "{server}", "channels": "{channel}", "operations": "{operation}", "messages": "{message}", "schemas": "any",
		"securitySchemes": "{scheme}", "parameters": "{parameter}", "messageTraits": "{message}", "operationTraits": "{operation}",
		"correlationIds": "{plain}", "serverVariables": "{plain}",
		"serverBindings": "any", "channelBindings": "any", "operationBindings": "any", "messageBindings": "any",
	},
}

// needed are fields whose absence is a fault, by their pointers. In 2.x channels is another.
var needed = regexp.MustCompile(`^/(asyncapi|info|info/title|info/version|servers/[^/]+/(host|url|protocol)|operations/[^/]+/(action|channel)|` +
	`components/(securitySchemes/[^/]+/(type|flows|in|openIdConnectUrl)|correlationIds/[^/]+/location))$`)

// site is a word of a document, and what can be done to it.
type site struct {
	pointer string
	parent  *yaml.Node
	at      int // of the key
}

func (s site) key() *yaml.Node   { return s.parent.Content[s.at] }
func (s site) value() *yaml.Node { return s.parent.Content[s.at+1] }

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func sites(n *yaml.Node, pointer, kind string) []site {
	var found []site
	inner, isNames := strings.CutPrefix(kind, "{")
	inner = strings.Trim(inner, "{}[]")
	switch {
	case kind == "any" || n.Kind == yaml.ScalarNode:
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			found = append(found, sites(item, pointer+"/"+strconv.Itoa(i), inner)...)
		}
	case kind == "requirement":
		if key := n.Content[0].Value; key == "type" || key == "$ref" {
			found = sites(n, pointer, "scheme")
		}
	default:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			below := pointer + "/" + escape.Replace(key)
			next := inner
			if !isNames {
				if next = kinds[kind][key]; next == "" {
					next = "plain"
				}
				found = append(found, site{below, n, i})
			}
			if !strings.HasPrefix(key, "x-") {
				found = append(found, sites(n.Content[i+1], below, next)...)
			}
		}
	}
	return found
}

// mutation changes a word. The answer is the pointer at which a problem has to be; without a problem the mutation has to
// be harmless.
type mutation struct {
	name     string
	applies  func(s site) bool
	apply    func(s site)
	pointer  func(s site) string
	harmless func(s site) bool
}

var mutations = []mutation{
	{
		name:    "a key is misspelt",
		applies: func(s site) bool { return !strings.HasPrefix(s.key().Value, "x-") },
		apply:   func(s site) { s.key().Value += "z" },
		pointer: func(s site) string { return s.pointer + "z" },
	},
	{
		name:    "a value has another type",
		applies: func(s site) bool { return !strings.HasPrefix(s.key().Value, "x-") },
		apply: func(s site) {
			other := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "something else"}
			if s.value().Kind == yaml.ScalarNode {
				other = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, Content: []*yaml.Node{
					{Kind: yaml.ScalarNode, Value: "a"}, {Kind: yaml.ScalarNode, Value: "b"},
				}}
			}
			s.parent.Content[s.at+1] = other
		},
		pointer: func(s site) string { return s.pointer },
	},
	{
		name:     "a key is missing",
		applies:  func(site) bool { return true },
		apply:    func(s site) { s.parent.Content = slices.Delete(slices.Clone(s.parent.Content), s.at, s.at+2) },
		pointer:  func(s site) string { return s.pointer[:strings.LastIndexByte(s.pointer, '/')] },
		harmless: func(s site) bool { return !needed.MatchString(s.pointer) },
	},
	{
		name:    "a reference is broken",
		applies: func(s site) bool { return s.key().Value == "$ref" },
		apply:   func(s site) { s.value().Value += "/nowhere" },
		pointer: func(s site) string { return s.pointer },
	},
}

// A valid document in which one thing is changed gets a problem at the changed line, or at the object that lacks something.
func TestMutations(t *testing.T) {
	const examples = "../test/corpus/documents/spec/"
	files := []string{
		"testdata/official/operation-security-3.1.yml", "testdata/official/streetlights-kafka-3.0.yml",
		"testdata/official/operation-security-2.6.yml", examples + "v2.0.0/2.0.0/streetlights.yml",
	}
	total := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { total += mutate(t, file) })
	}
	t.Logf("%d documents with one change each", total)
}

func mutate(t *testing.T, file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, problems := validated(text)
	for _, p := range problems {
		if p.Severity == asyncapi.Error {
			t.Fatal(p)
		}
	}
	defer runtime.KeepAlive(first) // the schema is compiled once
	root, count := parse(t, text), 0
	for _, s := range sites(root, "", "document") {
		for _, m := range mutations {
			if !m.applies(s) {
				continue
			}
			count++
			want, harmless := m.pointer(s), m.harmless != nil && m.harmless(s)
			content, key, value := slices.Clone(s.parent.Content), *s.key(), *s.value()
			m.apply(s)
			changed, err := yaml.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			s.parent.Content, *content[s.at], *content[s.at+1] = content, key, value
			expectProblem(t, m.name+" at "+s.pointer, changed, want, harmless)
		}
	}
	return count
}

func parse(t *testing.T, text []byte) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

func validated(text []byte) (*asyncapi.Document, []asyncapi.Problem) {
	doc, problems := asyncapi.Read("d.yml", text)
	if doc != nil {
		problems = append(problems, doc.Validate()...)
	}
	return doc, problems
}

// elsewhere are the codes of problems that stand where something is used, when it is gone.
var elsewhere = []string{
	"document/unresolved-reference", "document/undefined-scheme", "document/undefined-server", "document/channel-reference",
	"document/message-reference", "document/undeclared-parameter",
}

func expectProblem(t *testing.T, what string, text []byte, want string, harmless bool) {
	t.Helper()
	_, problems := validated(text)
	errors := 0
	for _, p := range problems {
		if p.Severity != asyncapi.Error {
			continue
		}
		errors++
		if p.Pointer == want {
			if line := lineOf(t, text, want); p.Line != line {
				t.Errorf("%s: %s is told on line %d, and stands on line %d", what, p.Code, p.Line, line)
			}
			if errors == 1 {
				return
			}
		}
		if slices.Contains(elsewhere, p.Code) {
			return
		}
	}
	if errors == 0 && harmless {
		return
	}
	t.Errorf("%s: want a problem at %s, got %v", what, want, problems)
}

// lineOf is the line of what a pointer leads to: of its key, or of the item of a list.
func lineOf(t *testing.T, text []byte, pointer string) int {
	n := parse(t, text)
	line := n.Line
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		if i, err := strconv.Atoi(token); err == nil && n.Kind == yaml.SequenceNode {
			n = n.Content[i]
			line = n.Line
			continue
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if escape.Replace(n.Content[i].Value) == token {
				line = n.Content[i].Line
				n = n.Content[i+1]
				break
			}
		}
	}
	return line
}
