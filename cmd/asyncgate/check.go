package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/lint/orgpolicy"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/references"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/settings"
)

// checkCmd judges documents and shows the plan of each.
type checkCmd struct {
	Docs     []string `arg:"" optional:"" name:"doc" help:"AsyncAPI documents, or patterns such as 'specs/**/*.yml'; - is standard input."`
	Settings string   `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document, if there is one)."`
	Server   []string `placeholder:"NAME" sep:"none" help:"Judge this server alone; repeatable."`
	Policy   string   `placeholder:"FILE" help:"Rules of an organisation: what counts how much, and what has to be there."`
	Output   string   `enum:"${formats}" default:"table" help:"${enum}."`
	Rules    bool     `help:"List the problems there are (--output table or json), or show the pages of the codes that are named."`
	remoteFlag
}

// Help is what `check --help` says beyond the flags.
func (*checkCmd) Help() string {
	return `Says what is wrong with a document, with the line and the fix, and what the gateway would enforce. Exit codes: 0 no
problem of severity error; 1 one at least; 2 wrong arguments, or a document that cannot be opened. The worst document counts.

Examples:
  asyncgate check orders.yml                             the document alone, or with the asyncgate.yaml beside it
  asyncgate check -c prod.yaml --server prod orders.yml  one server, as it is deployed
  asyncgate check 'specs/**/*.yml' --output sarif        many documents, for a code-scanning service
  generate | asyncgate check - --output json             from standard input
  asyncgate check orders.yml --policy organisation.yaml  what your organisation asks for besides
  asyncgate check --rules                                every problem there is
  asyncgate check --rules security/none                  what one means, with an example and the fix

Pages: docs/check.md, docs/problems/.`
}

// stdinName is how standard input is called in plans and problems.
const stdinName = references.Stdin

// Run judges every document; the exit code is the worst of all.
func (c *checkCmd) Run(env *environment) error {
	policy, err := c.policy()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if c.Rules {
		return c.listRules(env, policy)
	}
	docs, several, missing := expand(c.Docs)
	code := exitOK
	for _, err := range missing {
		fmt.Fprintf(env.stderr, "asyncgate: %v\n", err)
		code = exitUsage
	}
	if len(c.Docs) == 0 {
		return &exitError{exitUsage, fmt.Errorf("name a document: asyncgate check DOC (see asyncgate check --help)")}
	}
	show := newProgress(env, len(docs))
	var all []report.Document
	lines := source{}
	if data, err := readDocument(c.Policy); err == nil {
		lines.keep(c.Policy, data)
	}
	for _, path := range docs {
		show.next(path)
		one, err := c.load(env, path)
		if err != nil {
			show.clear()
			fmt.Fprintf(env.stderr, "asyncgate: %v\n", err)
			code = exitUsage
			continue
		}
		problems := c.judge(one, policy)
		lines.keep(one.name, one.data)
		lines.keepFiles(one)
		all = append(all, report.Document{Plan: one.plan, Problems: problems})
		code = max(code, worst(problems))
	}
	show.clear()
	if len(all) > 0 {
		if err := report.Write(env.stdout, c.Output, all, c.options(env, several, lines)); err != nil {
			return err
		}
	}
	if code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// load reads a document and makes its plan.
func (c *checkCmd) load(env *environment, path string) (*loaded, error) {
	opt := compile.Options{Only: c.Server, Stat: openable}
	if path != "-" {
		return load(path, c.Settings, c.AllowRemote, opt)
	}
	if f, ok := env.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(env.stderr, "asyncgate: reading a document from standard input")
	}
	data, err := io.ReadAll(io.LimitReader(env.stdin, maxDocument))
	if err != nil {
		return nil, err
	}
	var set *settings.Settings
	var found []plan.Problem
	if c.Settings != "" {
		if err := openable(c.Settings); err != nil {
			return nil, fmt.Errorf("open %s: %w", c.Settings, err)
		}
		set, found = settings.Load(c.Settings)
	}
	files, err := filesOf(stdinName, c.AllowRemote)
	if err != nil {
		return nil, err
	}
	one := makePlan(stdinName, data, files, set, found, opt)
	return one, checkOptions(one.plan, opt)
}

// judge adds what the linter and the organisation have to say.
func (*checkCmd) judge(one *loaded, policy *orgpolicy.Policy) []plan.Problem {
	problems := one.problems
	if one.doc != nil {
		more := append(lint.Judge(one.doc, one.plan), policy.Judge(one.doc, one.plan)...)
		problems = append(problems, one.redacted(more)...)
	}
	return order(one.name, append(policy.Apply(problems, one.plan), policy.Problems...))
}

func (c *checkCmd) options(env *environment, several bool, lines source) report.Options {
	opt := report.Options{Several: several, Colour: terminal(env.stdout), Version: versionText(), Line: lines.line}
	opt.Base, _ = os.Getwd() // without one paths stay as they are
	return opt
}

// terminal reports whether colours may be used: on a terminal that has them, unless NO_COLOR says no (no-color.org).
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// formats are the values that --output takes.
func formats() string { return strings.Join(report.Formats(), ",") }
