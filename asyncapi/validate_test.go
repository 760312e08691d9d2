package asyncapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
)

// What is not valid AsyncAPI, and what the person who wrote it is told.
func TestValidate(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/validate.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			_, problems := validated([]byte(c.Part(cases.Input)))
			c.Expect(t, "problems", listing(problems))
		})
	}
}

// The schemas of all versions are there and compile.
func TestEveryVersionHasItsSchema(t *testing.T) {
	for _, version := range []string{"2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0", "3.0.0", "3.1.0"} {
		doc, problems := validated([]byte("asyncapi: " + version + "\ninfo: {title: t, version: '1'}\nchannels: {}\n"))
		if doc == nil || len(problems) > 0 {
			t.Errorf("%s: %v", version, problems)
		}
	}
}

// Validate may be left out and called again: it says what it says once.
func TestValidateTwice(t *testing.T) {
	doc, _ := asyncapi.Read("d.yml", []byte("asyncapi: 3.0.0\n"))
	if first, second := doc.Validate(), doc.Validate(); len(first) != 1 || len(second) != 0 {
		t.Errorf("%v, then %v", first, second)
	}
}

// However many warnings there are, an error is told.
func TestWarningsHideNoError(t *testing.T) {
	var b strings.Builder
	b.WriteString("asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\nchannels:\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "  c%d: {address: 'a.{b}'}\n", i)
	}
	b.WriteString("x: 1\n")
	_, problems := validated([]byte(b.String()))
	for _, p := range problems {
		if p.Severity == asyncapi.Error && p.Code == "document/unknown-field" {
			return
		}
	}
	t.Errorf("%d problems, and none is the unknown field", len(problems))
}
