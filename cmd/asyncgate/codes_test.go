package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// code is where a front gives a refusal its code.
var code = regexp.MustCompile(`(?m)(?:refuse\(ctx, |silent\(|Code: +|failUpstream\(ctx, |fail\(ctx, code, |out\.status, |http\.Status\w+, |reject\(|^\s+wire\.\w+: +|code, why := )"([a-z-]+)"`)

func TestEveryAuditCodeOfAFrontIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../proxy/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range code.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(string(docs), "`"+string(match[1])+"`") {
				t.Errorf("%s: docs/running.md does not explain the code %s", filepath.Base(file), match[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d codes found: has the pattern gone stale?", found)
	}
}
