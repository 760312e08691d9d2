package orgpolicy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/lint/orgpolicy"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/settings"
)

// Every way to write a policy wrong, and what the person who wrote it is told.
func TestFiles(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/files.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			c.Expect(t, "problems", listing(orgpolicy.Parse("policy.yaml", []byte(c.Part(cases.Input))).Problems))
		})
	}
}

// What a policy makes of documents.
func TestDemands(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/demands.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			doc, read := asyncapi.Read("document.yml", []byte(c.Part(cases.Input)))
			if doc == nil || len(read) > 0 {
				t.Fatalf("not valid: %v", read)
			}
			var set *settings.Settings
			if c.Has("settings") {
				set, _ = settings.Parse("asyncgate.yaml", []byte(c.Part("settings")), "/etc/asyncgate")
			}
			of, found := compile.Compile(doc, set, compile.Options{Only: strings.Fields(c.Part("only"))})
			policy := orgpolicy.Parse("policy.yaml", []byte(c.Part("policy")))
			found = append(append(found, lint.Judge(doc, of)...), policy.Judge(doc, of)...)
			var shown []plan.Problem
			for _, p := range policy.Apply(found, of) {
				compiled := c.Has("compiled") && strings.HasPrefix(p.Code, "security/") && p.Code != "security/operations-not-enforced"
				if compiled || strings.HasPrefix(p.Code, "policy/") {
					shown = append(shown, p)
				}
			}
			c.Expect(t, "problems", listing(append(shown, policy.Problems...)))
		})
	}
}

func listing(found []plan.Problem) string {
	var b strings.Builder
	for _, p := range found {
		fmt.Fprintf(&b, "%s %s:%d:%d %s %s\n  %s\n", p.Severity, p.File, p.Line, p.Column, p.Code, strings.Trim(strconv.Quote(p.Pointer), `"`), p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", strings.ReplaceAll(p.Hint, "\n", "\n        "))
		}
	}
	return b.String()
}

// Whatever the gateway does not start with stays an error, whatever a policy says.
func TestNothingThatStopsTheStartCanBeLowered(t *testing.T) {
	for _, page := range problems.All() {
		if !page.Stops() || !strings.HasPrefix(page.Code, "security/") && !strings.HasPrefix(page.Code, "document/") && !strings.HasPrefix(page.Code, "settings/") {
			continue
		}
		for _, word := range []string{"off", "note", "warning"} {
			policy := orgpolicy.Parse("policy.yaml", []byte("rules: { "+page.Code+": "+word+" }"))
			if len(policy.Problems) != 1 || policy.Problems[0].Code != "policy/fixed-rule" {
				t.Errorf("%s: %s is accepted: %v", page.Code, word, policy.Problems)
			}
			kept := policy.Apply([]plan.Problem{{Severity: plan.Error, Code: page.Code}}, &plan.Plan{})
			if len(kept) != 1 || kept[0].Severity != plan.Error {
				t.Errorf("%s: %s makes it %v", page.Code, word, kept)
			}
		}
	}
}

// The page on policies knows every key of the schema, and the schema every type of scheme there is.
func TestSchemaAndPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Properties map[string]schema
		Items      struct{ Enum []string }
	}
	var root schema
	if err := json.Unmarshal(orgpolicy.Schema, &root); err != nil {
		t.Fatal(err)
	}
	require := root.Properties["require"].Properties
	if diff := cmp.Diff(asyncapi.SchemeTypes(), require["schemes"].Items.Enum); diff != "" {
		t.Error(diff)
	}
	for prefix, keys := range map[string]map[string]schema{"require.": require, "operations.": require["operations"].Properties} {
		for key := range keys {
			if !strings.Contains(string(page), "`"+prefix+key+"`") {
				t.Errorf("docs/check.md does not describe %s%s", prefix, key)
			}
		}
	}
	for _, field := range require["info"].Items.Enum {
		if !strings.Contains(string(page), "`"+field+"`") {
			t.Errorf("docs/check.md does not name %s", field)
		}
	}
}

// Any file gives a policy, and a bounded number of problems that stand in it.
func FuzzParse(f *testing.F) {
	for _, c := range cases.Load(f, "testdata/files.txt").Cases {
		f.Add([]byte(c.Part(cases.Input)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range orgpolicy.Parse("policy.yaml", data).Problems {
			if p.Severity != plan.Error || !strings.HasPrefix(p.Code, "policy/") || p.Message == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}
