package references_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/references"
)

// tree is a folder with a document in api/, files beside it and out of it, and links.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"api/asyncapi.yml":           "document",
		"api/schemas.yaml":           "schemas",
		"api/common/servers.yaml":    "servers",
		"api/common/with space.yaml": "space",
		"api/..data/linked.yaml":     "linked",
		"secret.yaml":                "secret",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"api/linked.yaml": "..data/linked.yaml", "api/out.yaml": "../secret.yaml", "api/rooted.yaml": filepath.Join(dir, "secret.yaml"), "api/up": "..",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	return dir
}

// What a reference in a file of a folder opens, and what it does not.
func TestFolder(t *testing.T) {
	dir := tree(t)
	document := filepath.Join(dir, "api", "asyncapi.yml")
	for _, c := range []struct {
		from, reference string
		want            string // the content, or what the error says
		refused         bool
	}{
		{"asyncapi.yml", "schemas.yaml", "schemas", false},
		{"asyncapi.yml", "./common/servers.yaml", "servers", false},
		{"asyncapi.yml", "common/../schemas.yaml", "schemas", false},
		{"asyncapi.yml", "common/with%20space.yaml", "space", false},
		{"asyncapi.yml", "common/with space.yaml", "space", false},
		{"asyncapi.yml", "linked.yaml", "linked", false}, // as Kubernetes mounts a ConfigMap
		{"common/servers.yaml", "../schemas.yaml", "schemas", false},
		{"common/servers.yaml", "with%20space.yaml", "space", false},
		{"common/servers.yaml", "../asyncapi.yml", "document", false},

		{"asyncapi.yml", "absent.yaml", "there is no such file", false},
		{"asyncapi.yml", "schemas.yaml/x", "not a directory", false},
		{"asyncapi.yml", "common", "it is no file", false},
		{"asyncapi.yml", "a%zz.yaml", "its percent-encoding is wrong", false},
		{"asyncapi.yml", "a%00.yaml", "invalid argument", false},
		{"asyncapi.yml", "../secret.yaml", "it leads out of the folder", true},
		{"asyncapi.yml", "%2e%2e/secret.yaml", "it leads out of the folder", true},
		{"asyncapi.yml", "..%2fsecret.yaml", "it leads out of the folder", true},
		{"asyncapi.yml", "%2fetc/passwd", "it leads out of the folder", true},
		{"asyncapi.yml", "common/../../secret.yaml", "it leads out of the folder", true},
		{"common/servers.yaml", "../../secret.yaml", "it leads out of the folder", true},
		{"asyncapi.yml", "out.yaml", "a symbolic link leads out", true},
		{"asyncapi.yml", "rooted.yaml", "a symbolic link leads out", true},
		{"asyncapi.yml", "up/secret.yaml", "a symbolic link leads out", true},
		{"asyncapi.yml", "/etc/passwd", "it is no path relative", true},
		{"asyncapi.yml", "//host/share/x.yaml", "it is no path relative", true},
		{"asyncapi.yml", "file:///etc/passwd", "it is no path relative", true},
		{"asyncapi.yml", `..\secret.yaml`, "it is no path relative", true},
		{"asyncapi.yml", "C:/secret.yaml", "it is no path relative", true},
		{"asyncapi.yml", "https://example.org/x.yaml", "it is remote", true},
		{"asyncapi.yml", "HTTP://example.org/x.yaml", "it is remote", true},
	} {
		files := references.Beside(document, nil)
		name, err := files.Name(filepath.Join(dir, "api", filepath.FromSlash(c.from)), c.reference)
		got := ""
		if err == nil {
			var data []byte
			data, err = files.Read(name, 100)
			got = string(data)
		}
		var refused *asyncapi.Refused
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) || errors.As(err, &refused) != c.refused {
			t.Errorf("%s in %s: %q (refused: %v), want %q", c.reference, c.from, got, refused != nil, c.want)
		}
	}
}

// One file has one name, however it is spelled, and the document keeps the one it was given.
func TestOneNameForAFile(t *testing.T) {
	t.Chdir(tree(t))
	for _, document := range []string{"api/asyncapi.yml", "./api/asyncapi.yml", "api/../api/asyncapi.yml"} {
		files := references.Beside(document, nil)
		for reference, want := range map[string]string{
			"schemas.yaml": "api/schemas.yaml", "./common/../schemas.yaml": "api/schemas.yaml", "sch%65mas.yaml": "api/schemas.yaml", "asyncapi.yml": document,
		} {
			if got, err := files.Name(document, reference); err != nil || filepath.ToSlash(got) != want {
				t.Errorf("%s in %s is %q, %v", reference, document, got, err)
			}
		}
		if got, _ := files.Name(filepath.FromSlash("api/common/servers.yaml"), "../asyncapi.yml"); got != document {
			t.Errorf("back to the document: %q", got)
		}
	}
	files := references.Beside(references.Stdin, nil)
	if got, err := files.Name(references.Stdin, "api/schemas.yaml"); err != nil || filepath.ToSlash(got) != "api/schemas.yaml" {
		t.Errorf("from standard input: %q, %v", got, err)
	}
	if data, err := files.Read("api/schemas.yaml", 100); err != nil || string(data) != "schemas" {
		t.Errorf("from standard input: %q, %v", data, err)
	}
	if data, err := files.Read("api/schemas.yaml", 3); err != nil || string(data) != "sche" {
		t.Errorf("with a limit of 3: %q, %v", data, err)
	}
}
