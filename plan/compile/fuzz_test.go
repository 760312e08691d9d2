package compile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/settings"
)

// FuzzCompile holds what the gateway relies on: a plan is made of any document that can be read, and the rules of every
// server that is enforced can be decided by.
func FuzzCompile(f *testing.F) {
	documents, err := filepath.Glob("../../asyncapi/testdata/official/*.yml")
	if err != nil || len(documents) == 0 {
		f.Fatal(err)
	}
	for _, path := range documents {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte("perspective: either\n"))
	}
	for _, c := range cases.Load(f, "testdata/rules.txt").Cases {
		f.Add([]byte(c.Part(cases.Input)), []byte(c.Part("settings")))
	}
	f.Fuzz(func(t *testing.T, document, set []byte) {
		doc, _ := asyncapi.Read("f.yml", document)
		if doc == nil {
			return
		}
		s, _ := settings.Parse("s.yaml", set, "/")
		p, _ := compile.Compile(doc, s, compile.Options{})
		for i := range p.Servers {
			if server := &p.Servers[i]; server.Enforced {
				decidable(t, p, server)
			}
		}
	})
}

func decidable(t *testing.T, p *plan.Plan, server *plan.Server) {
	if _, err := policy.Compile(p, server); err != nil {
		t.Errorf("server %q: %v", server.Name, err)
	}
	for _, r := range server.Rules {
		if len(r.Segments) == 0 || r.Operation == "" || r.Line == 0 {
			t.Errorf("%+v", r)
		}
		for _, s := range r.Segments {
			if (s.Literal == "") == (s.Parameter == nil) {
				t.Errorf("%+v is neither text nor a parameter, or both", s)
			}
		}
	}
}
