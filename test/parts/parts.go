// Package parts is what tests against real parts have in common: where the project is, what to do when a part is
// absent, and how to leave nothing behind.
//
// A package whose tests start real parts hands its TestMain to [Main]:
//
//	func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }
package parts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Root is the directory of the project, the one with go.mod, seen from a test's working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in this directory or above: tests run inside the project")
		}
		dir = parent
	}
}

// Path is the path of a file of the project, given by its elements from the root on. It fails the test outside of the
// project.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{root}, elem...)...)
}

// Cache is the directory for what is fetched once and kept: $ASYNCGATE_CACHE, or .cache of the project.
func Cache(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("ASYNCGATE_CACHE"); dir != "" {
		return dir
	}
	return Path(t, ".cache")
}

// Need ends the test if it is short or one of the commands is not installed.
func Need(t testing.TB, commands ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real parts, and -short asks for none")
	}
	for _, command := range commands {
		if _, err := exec.LookPath(command); err != nil {
			Absent(t, "needs %s, which is not installed", command)
		}
	}
}

// Absent ends a test that lacks a part: it is skipped, saying so, but fails where CI=true says that every part has to
// be there.
func Absent(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

var atExit struct {
	sync.Mutex
	do []func()
}

// AtExit has [Main] call f after the package's last test, latest first.
func AtExit(f func()) {
	atExit.Lock()
	defer atExit.Unlock()
	atExit.do = append(atExit.do, f)
}

// Main runs the package's tests, then what was left to [AtExit], and returns the code to exit with.
func Main(m *testing.M) int {
	defer func() {
		atExit.Lock()
		defer atExit.Unlock()
		for i := len(atExit.do) - 1; i >= 0; i-- {
			atExit.do[i]()
		}
	}()
	return m.Run()
}

// Lines makes the last lines of a log fit to be shown with a failure.
func Lines(log []byte, n int) string {
	end := len(log)
	for i := end - 1; i >= 0; i-- {
		if log[i] == '\n' && i != end-1 {
			if n--; n == 0 {
				return fmt.Sprintf("…\n%s", log[i+1:])
			}
		}
	}
	return string(log)
}

// Await returns when something holds, asked again and again; the test fails if it does not in time. what names it for that.
func Await(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(within); !holds(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("no %s within %v", what, within)
		}
	}
}
