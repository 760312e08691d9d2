package sasl

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Every code of a refusal is explained in docs/credentials.md, or in docs/tokens.md.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := os.ReadFile("../docs/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "reject.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if codes++; !strings.Contains(string(page)+string(tokens), "`"+code+"`") {
			t.Errorf("%s is not explained", code)
		}
		return true
	})
	if codes == 0 {
		t.Error("no codes found")
	}
}

func TestQuoteCutsAndEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"":                      `""`,
		"alice":                 `"alice"`,
		"a\r\nb\x1b[31m":        `"a\r\nb\x1b[31m"`,
		"\xff":                  `"\xff"`,
		strings.Repeat("é", 64): `"` + strings.Repeat("é", 64) + `"`,
		strings.Repeat("é", 65): `"` + strings.Repeat("é", 64) + `"…`,
	} {
		if got := quote(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	if got := quoteUser(goodKey); got != "agk_abcdefghijkl_…" {
		t.Error(got)
	}
	if got := quoteUser(goodKey + "x"); got != "agk_…" {
		t.Error(got)
	}
}
