package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
)

// reloads counts what a reloader asks of a gateway.
type reloads struct {
	mu       sync.Mutex
	took     []string // titles of the plans taken over
	failures []string
	forced   int
	refuse   error
}

func (r *reloads) Reload(p *plan.Plan) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, p.Title)
	return r.refuse
}

func (r *reloads) ReloadFailed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, err.Error())
}

func (r *reloads) Force() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forced++
}

func (r *reloads) counts() (took, failed, forced int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.took), len(r.failures), r.forced
}

// watched is a reloader at work on the files of a directory. The plan's title is what the first file holds; "bad" is a
// problem.
type watched struct {
	t       *testing.T
	gateway *reloads
	signals chan os.Signal
	files   []string
}

func watch(t *testing.T, files ...string) *watched {
	t.Helper()
	w := &watched{t: t, gateway: &reloads{}, signals: make(chan os.Signal), files: files}
	load := func() (*plan.Plan, []plan.Problem, error) {
		b, err := os.ReadFile(files[0])
		if err != nil {
			return nil, nil, err
		}
		p := &plan.Plan{Title: string(b), Files: files}
		if p.Title != "bad" {
			return p, []plan.Problem{{Severity: plan.Warning}}, nil
		}
		return p, []plan.Problem{{Severity: plan.Warning}, {Severity: plan.Error, File: "f", Line: 1, Column: 2, Code: "settings/x", Message: "bad"}, {Severity: plan.Error}}, nil
	}
	r := &reloader{gateway: w.gateway, load: load, log: zap.NewNop(), done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	go r.run(ctx, files, w.signals)
	t.Cleanup(func() {
		stop()
		<-r.done
	})
	w.signals <- os.Signal(nil) // heard as a first signal to stop: by then the files are watched
	return w
}

func (w *watched) await(what string, condition func(took, failed, forced int) bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); !condition(w.gateway.counts()); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("in vain: %s; took over %v, failed %v", what, w.gateway.took, w.gateway.failures)
		}
	}
}

func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAChangedFileIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	doc, settings := filepath.Join(dir, "doc.yaml"), filepath.Join(dir, "asyncgate.yaml")
	overwrite(t, doc, "one")
	overwrite(t, settings, "")
	w := watch(t, doc, settings)

	overwrite(t, doc, "two")
	w.await("written in place", func(took, _, _ int) bool { return took == 1 })

	overwrite(t, filepath.Join(dir, "new"), "three")
	if err := os.Rename(filepath.Join(dir, "new"), doc); err != nil {
		t.Fatal(err)
	}
	w.await("renamed over", func(took, _, _ int) bool { return took == 2 })

	overwrite(t, settings, "also watched")
	w.await("the second file", func(took, _, _ int) bool { return took == 3 })

	overwrite(t, doc, "bad")
	w.await("a bad file", func(_, failed, _ int) bool { return failed == 1 })
	if got, want := w.gateway.failures[0], "f:1:2: settings/x: bad (and 1 more; run asyncgate check)"; got != want {
		t.Errorf("failure %q, want %q", got, want)
	}
	if err := os.Remove(doc); err != nil {
		t.Fatal(err)
	}
	w.await("a file that is gone", func(_, failed, _ int) bool { return failed == 2 })
	overwrite(t, doc, "four")
	w.await("the next good one", func(took, _, _ int) bool { return took == 4 })
	if got := strings.Join(w.gateway.took, " "); got != "two three three four" {
		t.Errorf("took over %s", got)
	}
}

func TestAFailureIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	doc := filepath.Join(dir, "doc.yaml")
	overwrite(t, doc, "one")
	w := watch(t, doc)
	w.gateway.refuse = errors.New("a certificate does not load")
	overwrite(t, doc, "two")
	w.await("a refused plan", func(took, _, _ int) bool { return took == 1 })
	overwrite(t, filepath.Join(dir, "unrelated"), "x")
	<-time.After(2 * settleTime) // in which nothing must happen
	overwrite(t, doc, "two")
	<-time.After(2 * settleTime)
	if took, failed, _ := w.gateway.counts(); took != 1 || failed != 0 {
		t.Errorf("took over %d times, failed %d times", took, failed)
	}
}

func TestTheLinkThatKubernetesSwapsIsFollowed(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		overwrite(t, filepath.Join(dir, v, "doc.yaml"), v)
	}
	link(t, "v1", filepath.Join(dir, "..data"))
	doc := filepath.Join(dir, "doc.yaml")
	link(t, filepath.Join("..data", "doc.yaml"), doc)
	w := watch(t, doc)
	link(t, "v2", filepath.Join(dir, "..data_tmp"))
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	w.await("the swap", func(took, _, _ int) bool { return took == 1 && w.gateway.took[0] == "v2" })
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestSignals(t *testing.T) {
	doc := filepath.Join(t.TempDir(), "doc.yaml")
	overwrite(t, doc, "one")
	w := watch(t, doc)
	w.signals <- syscall.SIGHUP
	w.await("SIGHUP reloads what has not changed", func(took, _, forced int) bool { return took == 1 && forced == 0 })
	w.signals <- syscall.SIGTERM // the second signal to stop
	w.await("the second signal forces", func(_, _, forced int) bool { return forced == 1 })
}
