package asyncapi_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
)

// Every way to write a document wrong, and what the person who wrote it is told.
func TestProblems(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/problems.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			name := "document.yml"
			if c.Has("name") {
				name = strings.TrimSpace(c.Part("name"))
			}
			_, problems := asyncapi.Read(name, []byte(c.Part(cases.Input)))
			c.Expect(t, "problems", listing(problems))
		})
	}
}

func listing(problems []asyncapi.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %d:%d %s %s\n  %s\n", p.Severity, p.Line, p.Column, p.Code, strings.Trim(strconv.Quote(p.Pointer), `"`), p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", strings.ReplaceAll(p.Hint, "\n", "\n        "))
		}
	}
	return b.String()
}
