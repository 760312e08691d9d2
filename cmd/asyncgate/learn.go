package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/proposal"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/settings"
)

// learnCmd proposes a document of what was observed.
type learnCmd struct {
	Doc      string   `arg:"" help:"AsyncAPI document that was observed: one file."`
	Settings string   `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document, if there is one)."`
	From     []string `required:"" placeholder:"FILE|-|URL" sep:"none" help:"A log with audit records in JSON, an answer to GET /observed, or its URL; repeatable. - is standard input."`
	Template []string `placeholder:"ADDRESS" sep:"none" help:"Fold the topics of this shape into one channel whose parameters have the values that were seen, such as orders.{region}; repeatable."`
	Output   string   `placeholder:"FILE" help:"Write the proposal here (default: standard output). A file that is there is never overwritten."`

	templates []*proposal.Template
}

// Help is what `learn --help` says beyond the flags.
func (*learnCmd) Help() string {
	return `Adds to a document the channels and operations for what has passed only because the settings say enforce: observe. Addresses
are the topics that were seen: nothing is generalised. With --template, topics that differ in a parameter alone become one channel,
whose enum has exactly what was seen. A comment says who it was and how often; groups, transactional ids and
what else is for grants stands in a comment at the top. The result is proved before it is written: it allows what the document
does and what was observed, and nothing else. What no document can say, or an operation of the document has denied for its
security, is left out and told. An operation is for everybody that its server lets in: read the proposal before you use it.

Exit codes: 0 done; 1 a problem of severity error in the document or the settings, or nothing to read in the inputs; 2 wrong
arguments, or a file that cannot be opened; 3 the gateway does not answer.

Examples:
  asyncgate learn orders.yml --from http://127.0.0.1:9600/observed --output proposed.yml
  asyncgate learn orders.yml --from gateway-1.log --from gateway-2.log | diff orders.yml -
  asyncgate learn orders.yml --from gateway.log --template 'orders.{region}' --template 'sensors/{id}/state'
  kubectl logs deploy/asyncgate | asyncgate learn orders.yml --from -

Page: docs/operations.md.`
}

// Run writes the proposal.
func (c *learnCmd) Run(env *environment) error {
	one, err := load(c.Doc, c.Settings, nil, compile.Options{Decisions: true})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if code := worst(one.problems); code != exitOK {
		return errors.Join(report.Problems(env.stderr, one.problems), &exitError{code: code})
	}
	for _, address := range c.Template {
		t, err := proposal.ParseTemplate(address)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		c.templates = append(c.templates, t)
	}
	record := &proposal.Record{}
	for _, from := range c.From {
		data, err := observations(env, from)
		if err != nil {
			return err
		}
		record.Read(from, data)
	}
	tellRecord(env, record)
	if record.Len() == 0 && record.Broken+record.Unknown+record.Inexact > 0 {
		return &exitError{exitProblem, errors.New("nothing in the inputs can be used")}
	}
	made, err := c.propose(env, one, record)
	if err != nil {
		return err
	}
	if err := c.write(env, made.Document); err != nil {
		return err
	}
	for _, text := range made.Notes {
		fmt.Fprintf(env.stderr, "asyncgate: %s\n", text)
	}
	for i, text := range made.LeftOut {
		if i == maxLeftOut {
			fmt.Fprintf(env.stderr, "asyncgate: and %d more left out\n", len(made.LeftOut)-i)
			break
		}
		fmt.Fprintf(env.stderr, "asyncgate: left out: %s\n", text)
	}
	fmt.Fprintf(env.stderr, "asyncgate: observations %d, new operations %d, new channels %d, grants %d, left out %d\n",
		record.Len(), made.Operations, made.Channels, made.Grants, len(made.LeftOut))
	if made.Grants > 0 {
		fmt.Fprintln(env.stderr, "asyncgate: the grants are in the comment at the top; put them into the settings")
	}
	return nil
}

// maxLeftOut bounds what is told of what was left out, in lines.
const maxLeftOut = 100

// propose makes the proposal and proves it by the plan of the proposed document.
func (c *learnCmd) propose(env *environment, one *loaded, record *proposal.Record) (*proposal.Proposal, error) {
	var set *settings.Settings
	var found []plan.Problem
	perspective := ""
	if one.settings != "" {
		set, found = settings.Load(one.settings)
		perspective = set.Perspective.V
	}
	made, err := proposal.Make(one.doc, one.data, one.plan, perspective, record, c.templates)
	if err != nil {
		return nil, &exitError{exitProblem, err}
	}
	after := makePlan(one.name, made.Document, nil, set, found, compile.Options{Decisions: true, Stat: openable})
	if worst(after.problems) != exitOK {
		fmt.Fprintln(env.stderr, "asyncgate: the proposed document has problems; lines are those of the proposal, which is not written:")
		return nil, errors.Join(report.Problems(env.stderr, after.problems), &exitError{code: exitProblem})
	}
	if err := made.Holds(one.plan, after.plan); err != nil {
		return nil, &exitError{exitProblem, err}
	}
	return made, nil
}

// write puts the proposal where it was asked for.
func (c *learnCmd) write(env *environment, document []byte) error {
	if c.Output == "" {
		_, err := env.stdout.Write(document)
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	_, err = f.Write(document)
	return errors.Join(err, f.Close())
}

// tellRecord says what of the inputs is not used.
func tellRecord(env *environment, r *proposal.Record) {
	for _, fault := range r.Faults {
		fmt.Fprintf(env.stderr, "asyncgate: %s\n", fault)
	}
	if more := r.Broken - len(r.Faults); more > 0 {
		fmt.Fprintf(env.stderr, "asyncgate: and %d more lines that are no JSON records\n", more)
	}
	for _, c := range []struct {
		n    int
		what string
	}{
		{r.Other, "records about something else"},
		{r.Unknown, "observations of a form that is not known"},
		{r.Inexact, "observations whose names are not whole: GET /observed of the gateway has those that a log cuts"},
		{r.Full, fmt.Sprintf("observations that there was no place for: a gateway, and learn, keep %d", proposal.MaxSeen)},
	} {
		if c.n > 0 {
			fmt.Fprintf(env.stderr, "asyncgate: skipped %d %s\n", c.n, c.what)
		}
	}
}

// bounded reads an input whole.
func bounded(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, proposal.MaxInput+1))
	if err == nil && len(data) > proposal.MaxInput {
		return nil, &exitError{exitUsage, fmt.Errorf("%s: more than %d MiB; keep the lines with %q", name, proposal.MaxInput>>20, `"msg":"observed"`)}
	}
	return data, err
}
