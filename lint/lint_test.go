package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/settings"
)

// Documents, and what the linter says about them. A document that is not valid would test something else.
func TestRules(t *testing.T) {
	for _, path := range []string{"testdata/access.txt", "testdata/ports.txt", "testdata/schemes.txt", "testdata/flows.txt", "testdata/scopes.txt",
		"testdata/secrets.txt"} {
		for _, c := range cases.Load(t, path).Cases {
			t.Run(c.Name, func(t *testing.T) {
				input := unmask.Replace(c.Part(cases.Input))
				doc, read := asyncapi.Read("document.yml", []byte(input))
				if doc == nil || slices.ContainsFunc(read, func(p asyncapi.Problem) bool { return p.Severity == asyncapi.Error }) {
					t.Fatalf("not valid: %v", read)
				}
				var set *settings.Settings
				if c.Has("settings") {
					set, _ = settings.Parse("asyncgate.yaml", []byte(c.Part("settings")), "/etc/asyncgate")
				}
				p, _ := compile.Compile(doc, set, compile.Options{Only: strings.Fields(c.Part("only"))})
				c.Expect(t, "problems", listing(lint.Judge(doc, p)))
			})
		}
	}
}

// unmask puts keys together that stand in the data in two parts, so that nobody's search for secrets finds them there.
var unmask = strings.NewReplacer("<+>", "")

func listing(problems []plan.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %d:%d %s %s\n  %s\n  hint: %s\n", p.Severity, p.Line, p.Column, p.Code, p.Pointer, p.Message, p.Hint)
	}
	return b.String()
}

// No message repeats a secret, and no line that holds one is shown.
func TestSecretsAreKeptBack(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/secrets.txt").Cases {
		if !c.Has("secret") {
			continue
		}
		secret := unmask.Replace(strings.TrimSpace(c.Part("secret")))
		held := false
		for line := range strings.Lines(unmask.Replace(c.Part(cases.Input))) {
			if strings.Contains(line, secret) {
				held = true
				if !lint.HoldsSecret(line) {
					t.Errorf("%s: the line may be shown", c.Name)
				}
			}
		}
		if !held {
			t.Errorf("%s: the secret does not stand in the document", c.Name)
		}
		if strings.Contains(c.Part("problems"), secret) {
			t.Errorf("%s: a problem repeats it", c.Name)
		}
		doc, _ := asyncapi.Read("document.yml", []byte(unmask.Replace(c.Part(cases.Input))))
		redact := lint.Redactor(doc)
		for _, text := range []string{secret, fmt.Sprintf("%q is no address", "kafka://orders:"+secret+"@broker"), secret[:len(secret)-1] + "…"} {
			if got := redact("the value " + text); len(secret) > 12 && strings.Contains(got, secret[:12]) || strings.Contains(got, secret) {
				t.Errorf("%s: %q", c.Name, got)
			}
		}
		if text := "the value of host is no address"; redact(text) != text {
			t.Errorf("%s: %q", c.Name, redact(text))
		}
	}
}

// A document full of one mistake gets no endless list.
func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("asyncapi: 3.0.0\ninfo: { title: Many, version: 1.0.0 }\nservers:\n  a:\n    host: 'h:1'\n    protocol: kafka-secure\n    security:\n")
	for range 1000 {
		b.WriteString("    - { type: openIdConnect, openIdConnectUrl: 'http://id.example.org' }\n")
	}
	doc, read := asyncapi.Read("document.yml", []byte(b.String()))
	if doc == nil {
		t.Fatal(read)
	}
	count := map[string]int{}
	for _, p := range lint.Judge(doc, &plan.Plan{}) {
		count[p.Code]++
	}
	if count["security/insecure-url"] != 100 {
		t.Errorf("%v", count)
	}
}
