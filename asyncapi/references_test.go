package asyncapi_test

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
)

// memory are files that a test made up. A name that begins with ../ or https: is refused.
type memory map[string]string

func (m memory) Name(from, reference string) (string, error) {
	name := path.Join(path.Dir(from), reference)
	if strings.HasPrefix(reference, "https:") || strings.HasPrefix(name, "../") {
		return "", &asyncapi.Refused{Reason: "it is elsewhere", Hint: "bring it here"}
	}
	return name, nil
}

func (m memory) Read(name string, _ int) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, errors.New("there is no such file")
	}
	return []byte(text), nil
}

// Documents of several files: what the servers become, and what is said of each file at its own place.
func TestFilesOfADocument(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/references.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			files := memory{}
			for _, name := range []string{"a.yaml", "b.yaml", "c.json", "sub/a.yaml", "sub/sub/b.yaml", "order.avsc"} {
				if c.Has("file " + name) {
					files[name] = c.Part("file " + name)
				}
			}
			doc, problems := asyncapi.ReadFrom("document.yml", []byte(c.Part(cases.Input)), files)
			var b strings.Builder
			if doc != nil {
				for _, s := range doc.Servers {
					fmt.Fprintf(&b, "server %s at %s: %s at %s\n", s.Name, placed(s.Definition), s.Address().Value, placed(s.Address().Place))
				}
				for _, name := range doc.Files {
					fmt.Fprintf(&b, "file %s\n", name)
				}
			}
			c.Expect(t, "document", b.String())
			c.Expect(t, "problems", withFiles(problems))
		})
	}
}

func placed(p asyncapi.Place) string {
	return fmt.Sprintf("%s:%d:%d#%s", p.File, p.Line, p.Column, p.Pointer)
}

func withFiles(problems []asyncapi.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %s:%s", p.Severity, p.File, strings.TrimPrefix(listing([]asyncapi.Problem{p}), string(p.Severity)+" "))
	}
	return b.String()
}

// All references of a document share one budget.
func TestReferencesShareOneBudget(t *testing.T) {
	var many, long strings.Builder
	files := memory{}
	for i := range 300 {
		files["f"+strconv.Itoa(i)] = "{type: plain}"
		fmt.Fprintf(&many, "    s%d: {$ref: f%d}\n", i, i)
	}
	for i := range 10 {
		files["long"+strconv.Itoa(i)] = "type: plain\nx-filler: " + strings.Repeat("x", 1<<20)
		fmt.Fprintf(&long, "    s%d: {$ref: long%d}\n", i, i)
	}
	for name, schemes := range map[string]string{"more than 200 files": many.String(), "more than 8 MiB together": long.String()} {
		doc, problems := asyncapi.ReadFrom("d.yml", []byte("asyncapi: 3.0.0\ncomponents:\n  securitySchemes:\n"+schemes), files)
		if doc == nil || len(problems) == 0 || problems[0].Code != "security/reference-refused" || !strings.Contains(problems[0].Message, name) {
			t.Errorf("%s: %.2v", name, problems)
		}
	}
}

// FuzzReferences holds what resolution promises: it ends, stays within its files, and says of what it could not follow.
func FuzzReferences(f *testing.F) {
	for _, c := range cases.Load(f, "testdata/references.txt").Cases {
		f.Add([]byte(c.Part(cases.Input)), []byte(c.Part("file a.yaml")), []byte(c.Part("file sub/a.yaml")))
	}
	f.Fuzz(func(t *testing.T, document, a, b []byte) {
		doc, problems := asyncapi.ReadFrom("document.yml", document, memory{"a.yaml": string(a), "sub/a.yaml": string(b)})
		if doc == nil && len(problems) == 0 {
			t.Error("neither a document nor a problem")
		}
		for _, p := range problems {
			if p.File != "document.yml" && p.File != "a.yaml" && p.File != "sub/a.yaml" {
				t.Errorf("a problem in %q", p.File)
			}
		}
	})
}
