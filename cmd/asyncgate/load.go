package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/references"
	"github.com/asyncgate/asyncgate/settings"
)

// settingsName is the settings file that is found next to a document.
const settingsName = "asyncgate.yaml"

// loaded is a document and what has been made of it.
type loaded struct {
	name     string             // of the document
	data     []byte             // its text
	settings string             // their path; empty: there are none
	doc      *asyncapi.Document // nil: it cannot be read, and the problems say why
	plan     *plan.Plan         // never nil; not to be run if there is a problem of severity error
	problems []plan.Problem

	redact func(string) string // see redacted
}

// loadPlan makes the plan of a document and its settings.
func loadPlan(docPath, settingsPath string, remote []string, opt compile.Options) (*plan.Plan, []plan.Problem, error) {
	one, err := load(docPath, settingsPath, remote, opt)
	if err != nil {
		return nil, nil, err
	}
	return one.plan, one.problems, nil
}

// load reads a document and its settings and makes their plan. With an empty settingsPath the settings are those next to
// the document, if there are any. Remote is what references may fetch. The error is the command line's: a file that cannot
// be opened, a server that the document does not have; everything else is a problem.
func load(docPath, settingsPath string, remote []string, opt compile.Options) (*loaded, error) {
	data, err := readDocument(docPath)
	if err != nil {
		return nil, err
	}
	files, err := filesOf(docPath, remote)
	if err != nil {
		return nil, err
	}
	if settingsPath == "" {
		settingsPath = besides(docPath)
	} else if _, err := os.Stat(settingsPath); err != nil {
		return nil, err
	}
	var set *settings.Settings
	var found []plan.Problem
	if settingsPath != "" {
		set, found = settings.Load(settingsPath)
	}
	if opt.Stat == nil {
		opt.Stat = openable
	}
	one := makePlan(docPath, data, files, set, found, opt)
	return one, checkOptions(one.plan, opt)
}

// makePlan compiles a document that is in memory. With nil files it has to be the only one. The settings, and the problems
// found in them, may be nil.
func makePlan(name string, data []byte, files asyncapi.Files, set *settings.Settings, found []plan.Problem, opt compile.Options) *loaded {
	one := &loaded{name: name, data: data, plan: &plan.Plan{Document: name}}
	if set != nil {
		one.settings = set.File
	}
	var read []asyncapi.Problem
	one.doc, read = asyncapi.ReadFrom(name, data, files)
	if one.doc == nil {
		one.problems = append(compile.Found(nil, nil, read), found...)
		return one
	}
	read = append(read, one.doc.Validate()...)
	var compiled []plan.Problem
	one.plan, compiled = compile.Compile(one.doc, set, opt)
	one.problems = order(name, one.redacted(one.called(append(append(compile.Found(one.doc, one.plan, read), found...), compiled...))))
	return one
}

// called has hints name the settings by the name they have.
func (one *loaded) called(problems []plan.Problem) []plan.Problem {
	if name := filepath.Base(one.settings); one.settings != "" && name != settingsName {
		for i := range problems {
			problems[i].Hint = strings.ReplaceAll(problems[i].Hint, "into "+settingsName, "into "+name)
		}
	}
	return problems
}

// redacted takes the secrets that stand in the document out of what quotes it.
func (one *loaded) redacted(problems []plan.Problem) []plan.Problem {
	if one.redact == nil {
		one.redact = lint.Redactor(one.doc)
	}
	for i := range problems {
		p := &problems[i]
		p.Message, p.Hint, p.Pointer = one.redact(p.Message), one.redact(p.Hint), one.redact(p.Pointer)
	}
	return problems
}

// filesOf opens what the references of a document name. Remote is what --allow-remote says.
func filesOf(document string, remote []string) (asyncapi.Files, error) {
	allowed, err := references.Allow(remote)
	if err != nil {
		return nil, fmt.Errorf("--allow-remote: %w", err)
	}
	return references.Beside(document, allowed), nil
}

// order sorts problems by file and line, as a person reads. Those of the document come first; what has no line comes
// last in its file.
func order(document string, problems []plan.Problem) []plan.Problem {
	files := map[string]int{document: 0}
	for _, p := range problems {
		if _, seen := files[p.File]; !seen {
			files[p.File] = len(files)
		}
	}
	line := func(p plan.Problem) int {
		if p.Line == 0 {
			return 1 << 30
		}
		return p.Line
	}
	slices.SortStableFunc(problems, func(a, b plan.Problem) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(line(a), line(b)), cmp.Compare(a.Column, b.Column))
	})
	return problems
}

// checkOptions says what is wrong with the command line for a document that could be read.
func checkOptions(p *plan.Plan, opt compile.Options) error {
	if p.AsyncAPI == "" {
		return nil
	}
	names := make([]string, len(p.Servers))
	for i := range p.Servers {
		names[i] = p.Servers[i].Name
	}
	return opt.Validate(names)
}

// maxDocument is more than asyncapi.Read takes: enough to let it say so.
const maxDocument = 8 << 20

func readDocument(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxDocument))
}

// besides is the settings file next to a document, or empty.
func besides(docPath string) string {
	path := filepath.Join(filepath.Dir(docPath), settingsName)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return ""
	}
	return path
}

// openable says why a file cannot be opened, without its name.
func openable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			return p.Err
		}
		return err
	}
	return f.Close()
}

// worst is the exit code that problems ask for.
func worst(problems []plan.Problem) int {
	for _, p := range problems {
		if p.Severity == plan.Error {
			return exitProblem
		}
	}
	return exitOK
}

// remoteFlag is the flag of the commands that follow references.
type remoteFlag struct {
	AllowRemote []string `placeholder:"HOST|URL" sep:"none" help:"Follow references to this host (https) or to URLs that begin so; repeatable. Default: none."`
}
