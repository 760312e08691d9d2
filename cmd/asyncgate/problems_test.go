package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/lint/orgpolicy"
	"github.com/asyncgate/asyncgate/plan"
)

// problemCode is how a code stands in the source.
var problemCode = regexp.MustCompile(`"((?:document|security|settings|policy)/[a-z0-9-]+)"`)

// Every code has a page, and every page a code.
func TestEveryProblemHasItsPage(t *testing.T) {
	found := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(name, ".") && name != "..":
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range problemCode.FindAllSubmatch(source, -1) {
			found[string(m[1])] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for code, file := range found {
		if _, ok := problems.Find(code); !ok {
			t.Errorf("docs/problems explains no %s, which stands in %s", code, file)
		}
	}
	for _, page := range problems.All() {
		if found[page.Code] == "" {
			t.Errorf("docs/problems explains %s, which stands nowhere", page.Code)
		}
	}
}

// A page begins with its severities and a sentence, and ends with the fix.
func TestPagesHaveTheirForm(t *testing.T) {
	for _, page := range problems.All() {
		for _, s := range page.Severities {
			if s != "error" && s != "warning" && s != "note" {
				t.Errorf("%s: severity %q", page.Code, s)
			}
		}
		if !strings.HasSuffix(page.Summary, ".") || strings.Contains(page.Summary, "*") {
			t.Errorf("%s: its first paragraph is no sentence: %q", page.Code, page.Summary)
		}
		if !strings.Contains(page.Text, "\n**Fix**: ") {
			t.Errorf("%s: no fix", page.Code)
		}
	}
	for _, rule := range lint.Rules() {
		page, _ := problems.Find(rule.Code)
		if page.Summary != rule.Summary || !slices.Equal(page.Severities, []string{string(rule.Severity)}) {
			t.Errorf("%s: the rule says %s, %q, its page %s, %q", rule.Code, rule.Severity, rule.Summary, page.Severities, page.Summary)
		}
		if orgpolicy.Fixed(page) {
			t.Errorf("%s: a policy cannot lower it", rule.Code)
		}
	}
}

// fence is a block of a page: its file, and its text.
var fence = regexp.MustCompile("(?ms)^```yaml ?([a-z.]*)\n(.*?)^```$")

// withoutExample are codes whose examples would be too large for a page, or are no document.
var withoutExample = []string{"document/empty", "document/too-deep", "document/too-large", "document/external-reference", "security/observed", "settings/options", "settings/too-large",
	"settings/unreadable"}

// What a page shows as the problem is the problem, and what it shows as the fix is none.
func TestPagesShowTheirProblem(t *testing.T) {
	for _, family := range []string{"document", "security", "settings", "policy"} {
		text, err := os.ReadFile("../../docs/problems/" + family + ".md")
		if err != nil {
			t.Fatal(err)
		}
		preamble, _, _ := strings.Cut(string(text), "\n## ")
		standing := ""
		if m := fence.FindStringSubmatch(preamble); m != nil {
			standing = m[2]
		}
		for _, page := range problems.All() {
			if strings.HasPrefix(page.Code, family+"/") {
				t.Run(page.Code, func(t *testing.T) { showsProblem(t, page, standing) })
			}
		}
	}
}

func showsProblem(t *testing.T, page problems.Page, standing string) {
	files := map[string]string{"document.yml": standing}
	repaired := ""
	for _, m := range fence.FindAllStringSubmatch(page.Text, -1) {
		switch {
		case m[1] == "asyncgate.yaml" || m[1] == "policy":
			files[m[1]] = m[2]
		case m[1] == "document":
			files["document.yml"] = m[2]
		case m[1] != "":
			files[m[1]] = m[2]
		case files["document.yml"] == "":
			files["document.yml"] = m[2]
		default:
			repaired = m[2]
		}
	}
	if files["document.yml"] == "" || files["document.yml"] == standing && len(files) == 1 {
		if !slices.Contains(withoutExample, page.Code) {
			t.Error("no example")
		}
		return
	}
	dir := put(t, files)
	args := []string{"check", "--output", "json", filepath.Join(dir, "document.yml")}
	if files["policy"] != "" {
		args = append(args, "--policy", filepath.Join(dir, "policy"))
	}
	found := codesOf(t, args)
	if severity, ok := found[page.Code]; !ok || !slices.Contains(page.Severities, severity) {
		t.Errorf("the example has %v", found)
	}
	if isRule := slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.Code == page.Code }); isRule && repaired == "" {
		t.Error("no repaired example")
	}
	if repaired == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "document.yml"), []byte(repaired), 0o600); err != nil {
		t.Fatal(err)
	}
	for code, severity := range codesOf(t, args) {
		if code == page.Code || severity == string(plan.Error) {
			t.Errorf("the repaired example has %s", code)
		}
	}
}

// codesOf runs check and gives the codes that it finds, each with its severity.
func codesOf(t *testing.T, args []string) map[string]string {
	t.Helper()
	_, stdout, stderr := invoke(t, "", args...)
	var got struct{ Problems []plan.Problem }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	codes := map[string]string{}
	for _, p := range got.Problems {
		codes[p.Code] = string(p.Severity)
	}
	return codes
}
