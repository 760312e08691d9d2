//go:build unix

package references_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/asyncgate/asyncgate/references"
)

// Opening a named pipe that nobody writes to would wait for ever.
func TestNamedPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := references.Beside(filepath.Join(dir, "d.yml"), nil).Read(pipe, 100); err == nil || err.Error() != "it is no file" {
		t.Error(err)
	}
}
