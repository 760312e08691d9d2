package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
)

// testCmd holds a document to decisions that somebody expects of it.
type testCmd struct {
	Doc      string `arg:"" help:"AsyncAPI document."`
	Cases    string `arg:"" help:"YAML file of expected decisions."`
	Settings string `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document, if there is one)."`
	Server   string `placeholder:"NAME" help:"The server (default: the one that the cases name, or the only one that is enforced)."`
	Output   string `enum:"text,json" default:"text" help:"text or json."`
	remoteFlag
}

// Help is what `test --help` says beyond the flags.
func (*testCmd) Help() string {
	return `A file of cases:
  server: production          # default: the only server that is enforced
  principals:                 # what the credentials file does not say
    alice: { mechanism: SCRAM-SHA-512, scopes: [orders:write], attributes: { tenant: acme } }
  cases:
    - alice may produce orders.eu
    - bob may not consume payroll
    - alice may consume orders.eu as alice-reports
    - alice may use group:alice-reports

A file that is a list is a list of cases.

Examples:
  asyncgate test orders.yml cases.yml
  asyncgate test orders.yml cases.yml -c prod.yaml --server prod --output json

Exit codes: 0 every case is as expected; 1 one is not, or the document has a problem of severity error; 2 wrong arguments, or
a file of cases that cannot be read.

Page: docs/operations.md.`
}

// expectation is one case.
type expectation struct {
	text     string
	line     int
	who      string
	allowed  bool
	action   plan.Action
	resource policy.Resource
}

// casesFile is a file of cases.
type casesFile struct {
	Server     string                       `yaml:"server"`
	Principals map[string]expectedPrincipal `yaml:"principals"`
	Cases      []yaml.Node                  `yaml:"cases"`
}

type expectedPrincipal struct {
	Mechanism  string            `yaml:"mechanism"`
	Scopes     []string          `yaml:"scopes"`
	Attributes map[string]string `yaml:"attributes"`
}

// tested is one case with its outcome, as --output json shows it.
type tested struct {
	Case   string     `json:"case"`
	File   string     `json:"file"`
	Line   int        `json:"line"`
	Passed bool       `json:"passed"`
	Got    *explained `json:"got"`
}

// Run decides on every case.
func (c *testCmd) Run(env *environment) error {
	file, cases, err := readCases(c.Cases)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	p, err := planToExplain(env, c.Doc, c.Settings, c.AllowRemote)
	if err != nil {
		return err
	}
	server, err := serverToExplain(p, cmp.Or(c.Server, file.Server))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	e := newExplainer(p)
	all, failed := []tested{}, 0
	for _, x := range cases {
		known := file.Principals[x.who]
		got, err := e.explain(server, claim{name: x.who, mechanism: known.Mechanism, scopes: known.Scopes, attributes: known.Attributes}, x.action, x.resource)
		if err != nil {
			return &exitError{exitProblem, err}
		}
		one := tested{Case: x.text, File: c.Cases, Line: x.line, Passed: got.Allowed == x.allowed, Got: got}
		if !one.Passed {
			failed++
		}
		all = append(all, one)
	}
	if err := c.print(env, all, failed); err != nil {
		return err
	}
	if failed > 0 {
		return &exitError{code: exitProblem}
	}
	return nil
}

func (c *testCmd) print(env *environment, all []tested, failed int) error {
	if c.Output == "json" {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"cases": all, "passed": len(all) - failed, "failed": failed})
	}
	for _, one := range all {
		if one.Passed {
			fmt.Fprintf(env.stdout, "ok    %s\n", one.Case)
			continue
		}
		fmt.Fprintf(env.stdout, "FAIL  %s\n      %s:%d: %s", one.Case, one.File, one.Line, one.Got.Reason)
		if one.Got.File != "" {
			fmt.Fprintf(env.stdout, " (%s:%d)", one.Got.File, one.Got.Line)
		}
		fmt.Fprintln(env.stdout)
	}
	fmt.Fprintf(env.stdout, "%d as expected, %d not\n", len(all)-failed, failed)
	return nil
}

// maxCases bounds a file of cases, in bytes.
const maxCases = 1 << 20

// readCases reads a file of cases. Errors name the line.
func readCases(path string) (*casesFile, []expectation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCases+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(data) > maxCases:
		return nil, nil, fmt.Errorf("%s: more than 1 MiB of cases", path)
	}
	var file casesFile
	if list := []yaml.Node(nil); yaml.Load(data, &list) == nil && list != nil { // it says no more than the cases
		file.Cases = list
	} else if err := yaml.Load(data, &file, yaml.WithKnownFields()); err != nil {
		return nil, nil, fmt.Errorf("%s: %s", path, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	var cases []expectation
	for i := range file.Cases {
		x, err := expectationOf(file.Cases[i].Value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", path, file.Cases[i].Line, err)
		}
		x.line = file.Cases[i].Line
		cases = append(cases, x)
	}
	if len(cases) == 0 {
		return nil, nil, fmt.Errorf("%s: no cases", path)
	}
	return &file, cases, nil
}

var errSentence = errors.New("a case reads: PRINCIPAL may [not] produce|consume|describe|use|create|delete [topic:|group:|transaction:]NAME [as GROUP]")

// expectationOf reads a sentence. Names with spaces in them cannot be written so.
func expectationOf(text string) (expectation, error) {
	words := strings.Fields(text)
	x := expectation{text: text, allowed: true}
	if len(words) < 4 || words[1] != "may" {
		return x, errSentence
	}
	x.who, words = words[0], words[2:]
	if words[0] == "not" {
		x.allowed, words = false, words[1:]
	}
	if len(words) != 2 && (len(words) != 4 || words[2] != "as") {
		return x, errSentence
	}
	switch x.action = plan.Action(words[0]); x.action {
	case plan.Produce, plan.Consume, plan.Describe, plan.Use, plan.Create, plan.Delete:
	default:
		return x, errSentence
	}
	name := words[1]
	if r, err := resourceOf(name); err == nil {
		x.resource = r
	} else {
		x.resource = policy.Resource{Kind: policy.Topic, Name: name}
	}
	if len(words) == 4 {
		x.resource.Group = words[3]
	}
	return x, nil
}
