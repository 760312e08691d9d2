package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/references"
	"github.com/asyncgate/asyncgate/settings"
)

// checkCmd judges documents and shows the plan of each.
type checkCmd struct {
	Docs     []string `arg:"" name:"doc" help:"AsyncAPI document; - is standard input."`
	Settings string   `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document, if there is one)."`
	Server   []string `placeholder:"NAME" sep:"none" help:"Judge this server alone; repeatable."`
	Output   string   `enum:"table,json" default:"table" help:"table or json."`
	remoteFlag
}

// stdinName is how standard input is called in plans and problems.
const stdinName = references.Stdin

// judged is a document and what there is to say about it.
type judged struct {
	plan     *plan.Plan
	problems []plan.Problem
}

// Run judges every document; the exit code is the worst of all.
func (c *checkCmd) Run(env *environment) error {
	code := exitOK
	var all []judged
	for _, path := range c.Docs {
		p, problems, err := c.load(env, path)
		if err != nil {
			fmt.Fprintf(env.stderr, "asyncgate: %v\n", err)
			code = exitUsage
			continue
		}
		all = append(all, judged{p, problems})
		code = max(code, worst(problems))
	}
	if err := c.print(env, all); err != nil {
		return err
	}
	if code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

func (c *checkCmd) load(env *environment, path string) (*plan.Plan, []plan.Problem, error) {
	opt := compile.Options{Only: c.Server, Stat: openable}
	if path != "-" {
		return loadPlan(path, c.Settings, c.AllowRemote, opt)
	}
	data, err := io.ReadAll(io.LimitReader(env.stdin, maxDocument))
	if err != nil {
		return nil, nil, err
	}
	var set *settings.Settings
	var found []plan.Problem
	if c.Settings != "" {
		if err := openable(c.Settings); err != nil {
			return nil, nil, fmt.Errorf("open %s: %w", c.Settings, err)
		}
		set, found = settings.Load(c.Settings)
	}
	files, err := filesOf(stdinName, c.AllowRemote)
	if err != nil {
		return nil, nil, err
	}
	p, problems := makePlan(stdinName, data, files, set, found, opt)
	return p, problems, checkOptions(p, opt)
}

func (c *checkCmd) print(env *environment, all []judged) error {
	switch {
	case len(all) == 0:
		return nil
	case c.Output == "json":
		return printJSON(env.stdout, all, len(c.Docs) > 1)
	}
	colours := paint{on: terminal(env.stdout)}
	var failed error
	for i, one := range all {
		if i > 0 {
			fmt.Fprintln(env.stdout)
		}
		failed = errors.Join(failed, colours.table(env.stdout, one))
	}
	return failed
}

// terminal reports whether colours may be used: on a terminal that has them, unless NO_COLOR says no (no-color.org).
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
