package settings

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/internal/yamlnode"
	"github.com/asyncgate/asyncgate/plan"
)

// Bounds of a settings file: a thousand servers fit several times.
const (
	maxBytes    = 1 << 20
	maxDepth    = 32
	maxVisits   = 100_000
	maxProblems = 100
)

// Load reads a settings file. Relative paths in it start at its own directory. The settings are never nil: with
// problems of severity error they hold what could be read.
func Load(path string) (*Settings, []plan.Problem) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		dir = filepath.Dir(path)
	}
	data, err := readFile(path)
	if err != nil {
		return empty(path), []plan.Problem{{
			Severity: plan.Error, Code: "settings/unreadable", File: path, Message: "cannot be read: " + reason(err),
		}}
	}
	return Parse(path, data, dir)
}

// readFile reads no more than it takes to see that a file is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

// reason is what went wrong with a file, without its path.
func reason(err error) string {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func empty(name string) *Settings { return &Settings{File: name, Limits: plan.DefaultLimits()} }

// Parse reads settings from memory. The name is for messages; relative paths in them start at dir.
func Parse(name string, data []byte, dir string) (set *Settings, problems []plan.Problem) {
	r := &reader{file: name, dir: dir}
	set = empty(name)
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case tooMany:
			r.fault(stop.at, "settings/too-large", "use fewer aliases", "the settings stand for more than %d values", maxVisits)
		default:
			panic(stop)
		}
		problems = r.problems
	}()
	if root := r.decode(data); root != nil {
		r.settings(set, node{root, At{root.Line, root.Column, ""}})
	}
	return set, nil
}

// decode turns bytes into a tree; nil if there is none. An empty file is no settings at all, and allowed.
func (r *reader) decode(data []byte) *yaml.Node {
	if len(data) > maxBytes {
		r.fault(At{}, "settings/too-large", "", "the settings have more than 1 MiB")
		return nil
	}
	root, bad := yamlnode.One(data, maxDepth)
	if bad != nil {
		r.fault(At{bad.Line, bad.Column, ""}, "settings/syntax", bad.Hint, "%s", bad.Message)
	}
	return root
}
