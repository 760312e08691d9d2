package compile_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/settings"
)

// What generators write becomes a gateway with the settings beside it.
func TestGenerators(t *testing.T) {
	found, err := filepath.Glob("testdata/generators/*.settings.yaml")
	if err != nil || len(found) < 5 {
		t.Fatal(found, err)
	}
	for _, path := range found {
		name := strings.TrimSuffix(path, ".settings.yaml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			p, problems := generated(t, name, path)
			for _, problem := range problems {
				if problem.Severity == plan.Error {
					t.Errorf("%s:%d %s", problem.File, problem.Line, problem.Message)
				}
			}
			got := summary(p) + listing(problems)
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(name+".txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// generated compiles a document and its settings as they are run.
func generated(t *testing.T, name, path string) (*plan.Plan, []plan.Problem) {
	t.Helper()
	matches, err := filepath.Glob(name + ".[jy]*")
	if err != nil || len(matches) != 1 {
		t.Fatal(matches, err)
	}
	data, err := os.ReadFile(matches[0])
	if err != nil {
		t.Fatal(err)
	}
	set, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, read := asyncapi.Read(filepath.Base(matches[0]), data)
	if doc == nil {
		t.Fatal(read)
	}
	s, wrong := settings.Parse("asyncgate.yaml", set, "/etc/asyncgate")
	p, problems := compile.Compile(doc, s, compile.Options{Deployment: true})
	return p, append(append(compile.Found(doc, p, read), wrong...), problems...)
}
