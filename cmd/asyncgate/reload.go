package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
)

const (
	// settleTime is how long a change is left alone before it is read: editors and kubelets write in several steps.
	settleTime = 250 * time.Millisecond
	// pollTime is how often the files are looked at besides: network file systems do not tell of changes.
	pollTime = 10 * time.Second
)

// reloader takes changed files over. Of a gateway it needs two methods.
type reloader struct {
	gateway interface {
		Reload(*plan.Plan) error
		ReloadFailed(error)
		Force()
	}
	load func() (*plan.Plan, []plan.Problem, error)
	log  *zap.Logger
	done chan struct{} // closed when run has returned

	files   []string
	seen    prints
	watcher *fsnotify.Watcher // nil: the files are only polled
}

// run reloads on SIGHUP and when a file has changed, and on the second signal to stop it ends the drain. It returns when
// ctx ends, which is to be after the drain.
func (r *reloader) run(ctx context.Context, files []string, signals <-chan os.Signal) {
	defer close(r.done)
	r.files, r.seen = files, printsOf(files)
	var events chan fsnotify.Event
	var failures chan error
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		r.log.Warn("file changes are found by polling only", zap.Error(err))
	} else {
		defer watcher.Close()
		r.watcher, events, failures = watcher, watcher.Events, watcher.Errors
	}
	r.watch()
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	var settled <-chan time.Time
	stops := 0
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				r.reload()
			} else if stops++; stops > 1 {
				r.gateway.Force()
			}
		case <-events:
			if settled == nil {
				settled = time.After(settleTime)
			}
		case err := <-failures: // most often an overflow, which is a change too
			r.log.Debug("file changes were missed", zap.Error(err))
			if settled == nil {
				settled = time.After(settleTime)
			}
		case <-settled:
			settled = nil
			r.check()
		case <-poll.C:
			r.check()
		}
	}
}

// check reloads if a file has changed.
func (r *reloader) check() {
	r.watch() // a directory that was replaced is another one
	if !r.seen.equal(printsOf(r.files)) {
		r.reload()
	}
}

// reload makes a plan and hands it over. What the files held is noted before they are read: a change that comes while
// they are read is then one more.
func (r *reloader) reload() {
	seen := printsOf(r.files)
	p, problems, err := r.load()
	if err == nil {
		err = firstError(problems)
	}
	if err != nil {
		r.gateway.ReloadFailed(err)
		r.seen = seen
		r.also(p)
		return
	}
	if r.gateway.Reload(p) == nil {
		r.files = p.Files
		for _, path := range p.Files { // files that are new to the plan have just been read
			if _, known := seen[path]; !known {
				seen[path] = printOf(path)
			}
		}
	}
	r.seen = seen
	r.watch()
}

// also looks at the files of a plan that was not taken over: one that is not there yet may be all that it lacks.
func (r *reloader) also(p *plan.Plan) {
	if p == nil {
		return
	}
	for _, path := range p.Files {
		if !slices.Contains(r.files, path) {
			r.files = append(slices.Clone(r.files), path)
			r.seen[path] = printOf(path)
		}
	}
	r.watch()
}

// firstError is the first problem that stops a reload, as an error.
func firstError(problems []plan.Problem) error {
	var first error
	more := 0
	for _, p := range problems {
		switch {
		case p.Severity != plan.Error:
		case first == nil:
			first = fmt.Errorf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Code, p.Message)
		default:
			more++
		}
	}
	if more > 0 {
		return fmt.Errorf("%w (and %d more; run asyncgate check)", first, more)
	}
	return first
}

// watch watches the directories of the files and of what they link to: files are replaced by renaming, and Kubernetes
// replaces a link in the directory.
func (r *reloader) watch() {
	if r.watcher == nil {
		return
	}
	for _, path := range r.files {
		r.watchDir(filepath.Dir(path))
		if target, err := filepath.EvalSymlinks(path); err == nil {
			r.watchDir(filepath.Dir(target))
		}
	}
}

func (r *reloader) watchDir(dir string) {
	if err := r.watcher.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		r.log.Debug("directory is not watched, only polled", zap.String("dir", dir), zap.Error(err))
	}
}
