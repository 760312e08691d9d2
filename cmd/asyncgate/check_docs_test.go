package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	_ "github.com/asyncgate/asyncgate/internal/cases" // its flag -update
)

// session is a command of a page and what it prints.
var session = regexp.MustCompile("(?ms)^```console\n\\$ asyncgate ([^\n]*)\n(.*?)^```$")

// docs/check.md shows what the program prints. A line … stands for any number of lines; a session without one is
// written anew with -update.
func TestCheckPageShowsWhatIsPrinted(t *testing.T) {
	const path = "../../docs/check.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range fence.FindAllStringSubmatch(string(page), -1) {
		if m[1] != "" {
			files[m[1]] = m[2]
		}
		if err := yaml.Load([]byte(m[2]), new(any)); err != nil {
			t.Errorf("not YAML: %v\n%s", err, m[2])
		}
	}
	t.Chdir(put(t, files))
	sessions := 0
	updated := session.ReplaceAllStringFunc(string(page), func(block string) string {
		sessions++
		m := session.FindStringSubmatch(block)
		code, stdout, stderr := invoke(t, "", strings.Fields(m[1])...)
		if code > exitProblem || stderr != "" {
			t.Errorf("%s: exit %d, %s", m[1], code, stderr)
		}
		if !shows(m[2], stdout) {
			t.Errorf("%s prints\n%s", m[1], stdout)
		}
		if wildcard.MatchString(m[2]) {
			return block
		}
		return "```console\n$ asyncgate " + m[1] + "\n" + stdout + "```"
	})
	if sessions < 7 {
		t.Errorf("only %d sessions found: has the pattern gone stale?", sessions)
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(full, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var wildcard = regexp.MustCompile(`(?m)^…$`)

// columns are what a longer name in a line left out would move.
var columns = regexp.MustCompile(` {2,}`)

// shows reports whether a page shows an output, with … for lines that it leaves out.
func shows(page, out string) bool {
	var form strings.Builder
	for line := range strings.Lines(page) {
		if line == "…\n" {
			form.WriteString(`(?:.*\n)*?`)
		} else {
			form.WriteString(columns.ReplaceAllString(regexp.QuoteMeta(line), ` {2,}`))
		}
	}
	return regexp.MustCompile(`\A` + form.String() + `\z`).MatchString(out)
}
