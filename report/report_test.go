package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/plan"
)

// What each format makes of the same problems, hostile ones among them.
func TestFormats(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/formats.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			d, opt := input(t, c.Part(cases.Input))
			for _, format := range []string{"table", "github", "junit", "sarif"} {
				var b bytes.Buffer
				if err := Write(&b, format, []Document{d}, opt); err != nil {
					t.Fatal(err)
				}
				c.Expect(t, format, withoutPages(b.String()))
				if valid := valid[format]; valid != nil {
					if err := valid(b.Bytes()); err != nil {
						t.Errorf("%s: %v", format, err)
					}
				}
			}
		})
	}
}

// valid are the formats that there is a grammar for.
var valid = map[string]func([]byte) error{"junit": validJUnit, "sarif": validSARIF}

// withoutPages leaves out what changes with every new code and page: the cases of JUnit that pass, their number, and the
// text of pages.
func withoutPages(out string) string {
	out = regexp.MustCompile(`(?m)^ *<testcase [^>]*></testcase>\n`).ReplaceAllString(out, "")
	out = regexp.MustCompile(` tests="\d+"`).ReplaceAllString(out, ` tests="N"`)
	return regexp.MustCompile(`"markdown": ".*"`).ReplaceAllString(out, `"markdown": "…"`)
}

func input(t *testing.T, text string) (Document, Options) {
	t.Helper()
	var in struct {
		Plan     plan.Plan
		Problems []plan.Problem
		Lines    map[string]string
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, `\xff`, `\\xff`)), &in); err != nil {
		t.Fatal(err)
	}
	raw := strings.NewReplacer(`\xff`, "\xff")
	for i := range in.Problems {
		in.Problems[i].Message = raw.Replace(in.Problems[i].Message)
	}
	return Document{&in.Plan, in.Problems}, Options{Version: "1.2.3", Line: func(file string, line int) (string, bool) {
		text, ok := in.Lines[file+":"+strconv.Itoa(line)]
		return raw.Replace(text), ok
	}}
}

func TestExcerpts(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/excerpts.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			column, quoted, _ := strings.Cut(strings.TrimSpace(c.Part(cases.Input)), "\n")
			line, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			at, err := strconv.Atoi(column)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			p := paint{line: func(string, int) (string, bool) { return line, true }}
			p.excerpt(&b, plan.Problem{Line: 1, Column: at})
			c.Expect(t, "excerpt", b.String())
		})
	}
}

// No format lets a document say more than its message: not to a terminal, not to a runner, not to a parser.
func FuzzFormats(f *testing.F) {
	f.Add("orders.yml", "the document states none", "state it\nor not", "/servers/a", "  a: b")
	f.Add("a\n::error::b%0A", "100%\r\n::stop-commands::x", "]]> &lt; \x00", "/\x1b]0;", "\t\x1b[2J\u202e")
	f.Add("C:\\x\xff", "[a](https://b)", "<failure>", "~1", "\ufffe\uffff")
	f.Fuzz(func(t *testing.T, file, message, hint, pointer, line string) {
		d := Document{&plan.Plan{Document: file, AsyncAPI: "3.0.0", Title: message}, []plan.Problem{{
			Severity: plan.Error, Code: "security/none", File: file, Line: 1, Column: 2, Pointer: pointer, Message: message, Hint: hint,
		}}}
		opt := Options{Line: func(string, int) (string, bool) { return line, true }}
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := Write(&b, format, []Document{d}, opt); err != nil {
				t.Fatal(err)
			}
			if err := wellFormed(format, b.Bytes()); err != nil {
				t.Errorf("%s: %v\n%s", format, err, b.String())
			}
		}
	})
}

var command = regexp.MustCompile(`^::(error|warning|notice) [^:]+::[^\r\n]*$`)

// wellFormed holds one problem in a format against what whoever reads it demands.
func wellFormed(format string, out []byte) error {
	for _, r := range string(out) {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) && format != "json" && format != "sarif" {
			return fmt.Errorf("the character %U", r)
		}
	}
	switch format {
	case "github":
		for line := range strings.Lines(string(out)) {
			if !command.MatchString(strings.TrimSuffix(line, "\n")) {
				return fmt.Errorf("no command: %q", line)
			}
		}
		if bytes.Count(out, []byte("\n")) != 1 {
			return fmt.Errorf("more than one command")
		}
	case "junit", "sarif":
		return valid[format](out)
	case "json":
		if !json.Valid(out) {
			return fmt.Errorf("not JSON")
		}
	}
	return nil
}

// validSARIF holds output against the standard's own schema.
func validSARIF(out []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	if err != nil {
		return err
	}
	return sarifSchema().Validate(v)
}

// sarifSchema is the schema that OASIS publishes. The module go-sarif carries it, but only to validate its own types.
var sarifSchema = sync.OnceValue(func() *jsonschema.Schema {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", reflect.TypeFor[sarif.Report]().PkgPath()).Output()
	if err != nil {
		panic(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		panic(err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
			if s, err := strconv.Unquote(s.Value); err == nil && len(s) > len(text) {
				text = s
			}
		}
		return true
	})
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat() // URIs have to be URIs
	if err := c.AddResource("sarif.json", schema); err != nil {
		panic(err)
	}
	return c.MustCompile("sarif.json")
})

// validJUnit checks what readers of JUnit files demand: the names of a case, counts that are right, one failure a case.
func validJUnit(out []byte) error {
	type testcase struct {
		Name     string   `xml:"name,attr"`
		Class    string   `xml:"classname,attr"`
		Failures []string `xml:"failure"`
	}
	var got struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Name     string     `xml:"name,attr"`
			Tests    int        `xml:"tests,attr"`
			Failures int        `xml:"failures,attr"`
			Cases    []testcase `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out, &got); err != nil {
		return err
	}
	tests, failures := 0, 0
	for _, s := range got.Suites {
		failed := 0
		for _, c := range s.Cases {
			if c.Name == "" || len(c.Failures) > 1 {
				return fmt.Errorf("case %+v", c)
			}
			failed += len(c.Failures)
		}
		if s.Tests != len(s.Cases) || s.Failures != failed {
			return fmt.Errorf("suite %q has %d cases and says %d, %d failures and says %d", s.Name, len(s.Cases), s.Tests, failed, s.Failures)
		}
		tests, failures = tests+s.Tests, failures+s.Failures
	}
	if tests != got.Tests || failures != got.Failures || tests == 0 {
		return fmt.Errorf("%d tests, %d failures, and it says %d and %d", tests, failures, got.Tests, got.Failures)
	}
	return nil
}

// Paths are relative to where check runs, as code-scanning services want them.
func TestArtifactURI(t *testing.T) {
	for _, c := range []struct{ path, base, want string }{
		{"orders.yml", "/repo", "orders.yml"},
		{"./apis/../orders.yml", "/repo", "orders.yml"},
		{"/repo/apis/orders.yml", "/repo", "apis/orders.yml"},
		{"../other/orders.yml", "/repo", "file:///other/orders.yml"},
		{"/tmp/orders.yml", "/repo", "file:///tmp/orders.yml"},
		{"a b/ö#?.yml", "/repo", "a%20b/%C3%B6%23%3F.yml"},
		{"c:d.yml", "/repo", "./c:d.yml"},
		{"<stdin>", "/repo", "%3Cstdin%3E"},
		{"orders.yml", "", "orders.yml"},
		{"", "/repo", ""},
	} {
		if got := artifactURI(c.path, c.base); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.path, c.base, got, c.want)
		}
	}
}

// A problem stays the same one when lines are added above it, and two are never taken for one.
func TestFingerprints(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"abc", ""}, {"", "abc"}} {
		sum := fingerprint(parts...)
		if before, twice := seen[sum]; twice {
			t.Errorf("%q and %q have one fingerprint", before, parts)
		}
		seen[sum] = parts
	}
	of := func(line int) string {
		var b bytes.Buffer
		p := plan.Problem{Severity: plan.Error, Code: "security/none", File: "a.yml", Line: line, Column: 3, Pointer: "/servers/a", Message: "m"}
		if err := Write(&b, "sarif", []Document{{&plan.Plan{}, []plan.Problem{p}}}, Options{}); err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`"asyncgate/v1": "\w+"`).FindString(b.String())
	}
	if of(4) == "" || of(4) != of(5) {
		t.Errorf("%s, and a line below %s", of(4), of(5))
	}
}

// Colours add nothing but colours.
func TestColours(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/formats.txt").Cases {
		d, opt := input(t, c.Part(cases.Input))
		opt.Colour = true
		var b bytes.Buffer
		if err := Write(&b, "table", []Document{d}, opt); err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile(`\x1b\[[0-9]+m`).ReplaceAllString(b.String(), "")
		if plain == b.String() || plain != c.Part("table") {
			t.Errorf("%s: %q", c.Name, b.String())
		}
	}
}

// What the reader says of every bad document there is can be written in every format.
func TestProblemsOfTheReader(t *testing.T) {
	for _, c := range cases.Load(t, "../asyncapi/testdata/problems.txt").Cases {
		text := []byte(c.Part(cases.Input))
		_, read := asyncapi.Read("document.yml", text)
		d := Document{Plan: &plan.Plan{Document: "document.yml"}}
		for _, p := range read {
			d.Problems = append(d.Problems, plan.Problem{
				Severity: plan.Severity(p.Severity), Code: p.Code, File: p.File, Line: p.Line, Column: p.Column, Pointer: p.Pointer,
				Message: p.Message, Hint: p.Hint,
			})
		}
		lines := strings.Split(string(text), "\n")
		opt := Options{Line: func(_ string, line int) (string, bool) {
			if line > len(lines) {
				return "", false
			}
			return lines[line-1], true
		}}
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := Write(&b, format, []Document{d}, opt); err != nil {
				t.Fatal(err)
			}
			if format == "github" && len(read) != 1 {
				continue // wellFormed counts one command
			}
			if err := wellFormed(format, b.Bytes()); err != nil {
				t.Errorf("%s: %s: %v\n%s", c.Name, format, err, b.String())
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(&bytes.Buffer{}, "xml", nil, Options{}); err == nil {
		t.Error("written")
	}
}
