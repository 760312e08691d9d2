package behaviour_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/dialogue"
)

// topic is one file of dialogues, with the answers that a broker gave.
type topic struct {
	name string
	path string
	file *dialogue.File
}

// topics reads all files.
func topics(t testing.TB) []topic {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dialogues in testdata: %v", err)
	}
	var all []topic
	for _, path := range paths {
		file, err := dialogue.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, topic{strings.TrimSuffix(filepath.Base(path), ".txt"), path, file})
	}
	return all
}

// write puts other answers into the file.
func (f topic) write(t testing.TB, answered *dialogue.File) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(answered.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A dialogue that says that an answer comes waits long for it, which costs nothing when it does come; where none is
// expected a surprise has a moment to show itself.
var (
	patience  = dialogue.Patience{Expected: 30 * time.Second, Unexpected: 150 * time.Millisecond}
	recording = dialogue.Patience{Expected: time.Second, Unexpected: time.Second}
)

// sessionTime is how long a login on the sasl-expiring listener lasts. More than a second, because a broker does not
// take two renewals within one.
const sessionTime = 2 * time.Second

// together is how many dialogues are had at the same time. Most of them only wait.
const together = 24

// playAll has all dialogues with a target and hands each over as it went. The expectation may be another one than the
// file's.
func playAll(t testing.TB, target *dialogue.Target, all []topic, p dialogue.Patience,
	expected func(topic, *dialogue.Dialogue) *dialogue.Dialogue) map[string]*dialogue.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var (
		mu      sync.Mutex
		players sync.WaitGroup
		results = map[string]*dialogue.Result{}
		slots   = make(chan struct{}, together)
	)
	for _, f := range all {
		for _, d := range f.file.Dialogues {
			slots <- struct{}{}
			players.Go(func() {
				defer func() { <-slots }()
				r, err := expected(f, d).Play(ctx, target, p)
				if err != nil {
					t.Errorf("%s/%s: %v", f.name, d.Name, err)
					return
				}
				mu.Lock()
				results[f.name+"/"+d.Name] = r
				mu.Unlock()
			})
		}
	}
	players.Wait()
	return results
}

func asRecorded(_ topic, d *dialogue.Dialogue) *dialogue.Dialogue { return d }

func asUnknown(_ topic, d *dialogue.Dialogue) *dialogue.Dialogue {
	unknown := *d
	unknown.Steps, unknown.End = nil, ""
	for _, s := range d.Steps {
		unknown.Steps = append(unknown.Steps, dialogue.Step{Verb: s.Verb, Message: s.Message})
	}
	return &unknown
}
