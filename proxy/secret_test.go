package proxy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
)

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) plan.Secret {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return plan.Secret("file:" + path)
	}
	t.Setenv("ASYNCGATE_TEST_SECRET", "from the environment\n")
	for _, c := range []struct {
		name   string
		secret plan.Secret
		want   string
		err    string // a part of it
	}{
		{"a file", file("plain", "geheim"), "geheim", ""},
		{"one line break is cut", file("line", "geheim\n"), "geheim", ""},
		{"as Windows writes it too", file("crlf", "geheim\r\n"), "geheim", ""},
		{"and one only", file("lines", "geheim\n\n"), "geheim\n", ""},
		{"spaces are the secret's", file("spaces", " ge heim "), " ge heim ", ""},
		{"the environment, as it is", "env:ASYNCGATE_TEST_SECRET", "from the environment\n", ""},
		{"an empty file", file("empty", "\n"), "", "empty"},
		{"a large file", file("large", strings.Repeat("x", maxSecret+1)), "", "larger than"},
		{"no file", plan.Secret("file:" + filepath.Join(dir, "none")), "", "no such file"},
		{"no variable", "env:ASYNCGATE_TEST_NONE", "", "ASYNCGATE_TEST_NONE is not set"},
		{"the secret itself", "hunter2", "", "never itself"},
		{"the secret itself, with a colon", "hunter2:x", "", "never itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadSecret(c.secret)
			switch {
			case c.err == "" && (err != nil || string(got) != c.want):
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("error: %v", err)
			}
		})
	}
}
