// Package corpus tries the reader and the validation on documents of other people.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/references"
)

// Verdicts of verdicts.txt.
const (
	valid       = "valid"
	invalid     = "invalid"
	unsupported = "unsupported"
	either      = "either"
)

// least is how many of a hundred documents have to get the verdict they have.
var least = map[string]float64{valid: 99.5, invalid: 99, unsupported: 100}

func TestAgreement(t *testing.T) {
	verdicts, reasons := table(t, "verdicts.txt"), disagreements(t)
	count, agreed := map[string]int{}, map[string]int{}
	var slowest time.Duration
	var slow string
	for _, entry := range verdicts {
		want, path := entry[0], entry[1]
		got, problems, took := judge(t, path)
		if took > slowest {
			slowest, slow = took, path
		}
		count[want]++
		reason, listed := reasons[path]
		switch {
		case want == either:
		case got == want || want == unsupported && got == invalid && problems[0].Code == "document/unsupported-version":
			agreed[want]++
			if listed {
				t.Errorf("%s: disagreements.txt is stale: it is found %s", path, got)
			}
		case !listed || reason == "":
			t.Errorf("%s: found %s, is %s, and disagreements.txt has no reason why\n%s", path, got, want, first(problems))
		}
		delete(reasons, path)
	}
	for path := range reasons {
		t.Errorf("disagreements.txt names %s, which verdicts.txt does not", path)
	}
	for _, want := range []string{valid, invalid, unsupported} {
		percent := 100 * float64(agreed[want]) / float64(count[want])
		fmt.Fprintf(os.Stdout, "%-11s %3d of %3d found so (%.2f %%)\n", want, agreed[want], count[want], percent)
		if percent < least[want] {
			t.Errorf("only %.2f %% of the documents that are %s are found so", percent, want)
		}
	}
	fmt.Fprintf(os.Stdout, "%-11s %3d documents, left out of the count\n", either, count[either])
	fmt.Fprintf(os.Stdout, "%-11s %v, %s\n", "slowest", slowest.Round(time.Millisecond), slow)
	if slowest > 5*time.Second {
		t.Errorf("%s took %v", slow, slowest)
	}
}

// judge says what asyncgate finds a document to be.
func judge(t *testing.T, path string) (string, []asyncapi.Problem, time.Duration) {
	t.Helper()
	name := filepath.Join("documents", filepath.FromSlash(path))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	doc, problems := asyncapi.ReadFrom(name, data, references.Beside(name, nil))
	if doc != nil {
		problems = append(problems, doc.Validate()...)
	}
	took := time.Since(start)
	for _, p := range problems {
		if p.Severity == asyncapi.Error && strings.HasPrefix(p.Code, "document/") {
			return invalid, problems, took
		}
	}
	return valid, problems, took
}

func first(problems []asyncapi.Problem) string {
	for _, p := range problems {
		if p.Severity == asyncapi.Error {
			return fmt.Sprintf("  %s:%d:%d %s %s", p.File, p.Line, p.Column, p.Code, p.Message)
		}
	}
	return "  no problem of severity error"
}

// table reads lines of a word and the rest.
func table(t *testing.T, file string) [][2]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][2]string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			word, rest, _ := strings.Cut(line, " ")
			lines = append(lines, [2]string{word, strings.TrimSpace(rest)})
		}
	}
	return lines
}

func disagreements(t *testing.T) map[string]string {
	reasons := map[string]string{}
	for _, line := range table(t, "disagreements.txt") {
		reasons[line[0]] = line[1]
	}
	return reasons
}
