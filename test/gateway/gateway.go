// Package gatewaytest runs the built asyncgate command in front of something, as an operator would, and reads what it
// logs.
package gatewaytest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// readyTimeout bounds how long the gateway may take until every listener accepts.
const readyTimeout = 60 * time.Second

// stopTimeout bounds an orderly end: the default drain of 30 s and a little.
const stopTimeout = 35 * time.Second

var binary struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the command, once for the package under test, and returns its path. The package's TestMain must call
// [parts.Main].
func Binary(t testing.TB) string {
	t.Helper()
	root := parts.Path(t)
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "asyncgate-build-")
		if err != nil {
			binary.err = err
			return
		}
		parts.AtExit(func() { _ = os.RemoveAll(dir) })
		binary.path = filepath.Join(dir, "asyncgate")
		build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary.path, "./cmd/asyncgate") // as the image has it
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("go build ./cmd/asyncgate: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// Command runs one command line of asyncgate to its end and returns what it printed. The test fails with it.
func Command(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), Binary(t), args...)
	command.Stdin = strings.NewReader(stdin)
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("asyncgate %s: %v\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}

// Options say what to run.
type Options struct {
	Document string   // path of the AsyncAPI document
	Settings string   // content of asyncgate.yaml; relative paths in it are relative to Dir
	Dir      string   // where asyncgate.yaml goes; default: a temporary directory
	Args     []string // more arguments of run
}

// Server is one listener of the ready record.
type Server struct {
	Name      string `json:"name"`
	Listen    string `json:"listen"`
	Advertise string `json:"advertise"`
}

// Gateway is a running asyncgate.
type Gateway struct {
	Servers []Server
	Dir     string // with asyncgate.yaml

	process *os.Process
	ended   chan struct{} // closed when the process has ended
	code    int           // its exit code, once ended

	mu      sync.Mutex
	records []Record
	plain   []string      // lines that are not JSON: a panic, for one
	changed chan struct{} // closed and replaced with every line
}

// Start starts the gateway and waits for its ready record. It is stopped with the test.
func Start(t testing.TB, o Options) *Gateway {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	settings := filepath.Join(o.Dir, "asyncgate.yaml")
	if err := os.WriteFile(settings, []byte(o.Settings), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &Gateway{Dir: o.Dir, ended: make(chan struct{}), changed: make(chan struct{})}
	command := exec.Command(Binary(t), append([]string{"run", o.Document, "-c", settings}, o.Args...)...)
	logs, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.start(command, logs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Stop(t)
		g.sound(t)
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.Log(200))
		}
	})
	ready := g.Wait(t, readyTimeout, "the ready record", func(r Record) bool { return r.Text("msg") == "ready" })
	if err := json.Unmarshal(ready["servers"], &g.Servers); err != nil {
		t.Fatalf("the ready record's servers: %v", err)
	}
	return g
}

// start runs the process from a goroutine that stays on its thread: Linux ends the process with the thread that made it
// (see parts.EndWithParent), so that a killed test leaves no gateway behind.
func (g *Gateway) start(command *exec.Cmd, logs io.Reader) error {
	started := make(chan error)
	go func() {
		parts.EndWithParent(command)
		err := command.Start()
		g.process = command.Process
		started <- err
		if err != nil {
			return
		}
		g.read(logs)
		_ = command.Wait()
		g.code = command.ProcessState.ExitCode()
		close(g.ended)
	}()
	return <-started
}

// read keeps the log, line by line, until it ends.
func (g *Gateway) read(logs io.Reader) {
	lines := bufio.NewScanner(logs)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var record Record
		err := json.Unmarshal(lines.Bytes(), &record)
		g.mu.Lock()
		if err != nil {
			g.plain = append(g.plain, lines.Text())
		} else {
			g.records = append(g.records, record)
		}
		close(g.changed)
		g.changed = make(chan struct{})
		g.mu.Unlock()
	}
}

// Address is what clients dial for a server of the document.
func (g *Gateway) Address(t testing.TB, server string) string {
	t.Helper()
	i := slices.IndexFunc(g.Servers, func(s Server) bool { return s.Name == server })
	if i < 0 {
		t.Fatalf("the gateway does not serve %s: %+v", server, g.Servers)
	}
	return g.Servers[i].Advertise
}

// PID is the process id of the gateway, for measuring it.
func (g *Gateway) PID() int { return g.process.Pid }

// Signal sends a signal, e.g. SIGHUP to reload.
func (g *Gateway) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := g.process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the gateway in an orderly way, at the latest after stopTimeout, and returns its exit code. Later calls
// return the same.
func (g *Gateway) Stop(t testing.TB) int {
	t.Helper()
	_ = g.process.Signal(syscall.SIGTERM)
	select {
	case <-g.ended:
	case <-time.After(stopTimeout):
		_ = g.process.Kill()
		<-g.ended
		t.Errorf("the gateway had to be killed %v after SIGTERM", stopTimeout)
	}
	return g.code
}
