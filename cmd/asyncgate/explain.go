package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/report"
)

// explainCmd says what a principal may do, and which line of the document or the settings decides.
type explainCmd struct {
	Doc       string   `arg:"" help:"AsyncAPI document."`
	Settings  string   `short:"c" placeholder:"FILE" help:"Settings (default: asyncgate.yaml beside the document, if there is one)."`
	Principal string   `required:"" xor:"who" placeholder:"NAME" help:"Who asks. Scopes and attributes are those of the credentials file, if the settings name one."`
	TokenFile string   `required:"" xor:"who" placeholder:"FILE" help:"Who asks, by a bearer token, which is verified with the issuers of the settings; - is standard input."`
	Mechanism string   `placeholder:"NAME" help:"How the principal has logged in (default: the first way in that the server offers it)."`
	Scope     []string `placeholder:"S" sep:"none" help:"A scope of the principal, besides those of the credentials file; repeatable."`
	Server    string   `placeholder:"NAME" help:"The server (default: the only one that is enforced)."`
	Action    string   `required:"" enum:"produce,consume,describe,use,create,delete" placeholder:"ACTION" help:"${enum}."`
	Resource  string   `required:"" placeholder:"KIND:NAME" help:"topic:X, group:X or transaction:X. On MQTT a topic to consume may be a filter."`
	Group     string   `placeholder:"NAME" help:"The group that a Kafka topic is consumed with."`
	QoS       int      `name:"qos" default:"0" help:"MQTT: the QoS of the message or subscription."`
	Retain    bool     `help:"MQTT: the message is to be retained."`
	Output    string   `enum:"text,json" default:"text" help:"text or json."`
	remoteFlag
}

// Help is what `explain --help` says beyond the flags.
func (*explainCmd) Help() string {
	return `Exit codes: 0 allowed; 4 denied, or a token that is refused; 1 a problem of severity error in the document or the settings;
2 wrong arguments; 3 an issuer of tokens that cannot be asked.

Examples:
  asyncgate explain orders.yml --principal alice --action produce --resource topic:orders.eu
  asyncgate explain orders.yml --principal alice --action consume --resource topic:orders.eu --group analytics
  asyncgate explain home.yml --principal lamp-7 --action consume --resource 'topic:home/+/light' --output json
  fetch-token | asyncgate explain home.yml --token-file - --action produce --resource topic:home/hall/light

Page: docs/operations.md.`
}

// exitDenied is the exit code of `explain` for a denial.
const exitDenied = 4

// explained is the answer; its JSON form is a contract.
type explained struct {
	Allowed   bool   `json:"allowed"`
	Reason    string `json:"reason"`
	Pointer   string `json:"pointer"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Operation string `json:"operation"`
	Server    string `json:"server"`
	Principal string `json:"principal"`
	Mechanism string `json:"mechanism"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Enforce   string `json:"enforce"` // operations, observe, or connections: then nobody is held to the answer

	// Of a token that was asked about.
	Issuer  string   `json:"issuer,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
	Expires string   `json:"expires,omitempty"` // RFC 3339
	Code    string   `json:"code,omitempty"`    // why it is refused, as in an audit record
}

// Run prints the answer.
func (c *explainCmd) Run(env *environment) error {
	resource, err := resourceOf(c.Resource)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	resource.Group, resource.QoS, resource.Retain = c.Group, byte(min(max(c.QoS, 0), 2)), c.Retain
	if c.TokenFile != "" && len(c.Scope) > 0 {
		return usage("--scope is for --principal: a token has scopes of its own")
	}
	p, err := planToExplain(env, c.Doc, c.Settings, c.AllowRemote)
	if err != nil {
		return err
	}
	server, err := serverToExplain(p, c.Server)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	who, err := c.who(env, p, server)
	if err != nil {
		return err
	}
	e := newExplainer(p)
	answer, err := e.explain(server, who, plan.Action(c.Action), resource)
	if err != nil {
		return &exitError{exitProblem, err}
	}
	if err := answer.print(env, c.Output); err != nil {
		return err
	}
	if !answer.Allowed {
		return &exitError{code: exitDenied}
	}
	return nil
}

// who is who asks: by name, or by a token.
func (c *explainCmd) who(env *environment, p *plan.Plan, server *plan.Server) (claim, error) {
	who := claim{name: c.Principal, mechanism: c.Mechanism, scopes: c.Scope}
	if c.TokenFile == "" {
		return who, nil
	}
	token, err := readToken(env, c.TokenFile)
	if err != nil {
		return who, err
	}
	if who.token, err = judgeToken(env, p, server, token); err != nil {
		return who, err
	}
	if who.token.principal != nil {
		who.name = who.token.principal.Name
	}
	return who, nil
}

func (a *explained) print(env *environment, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(a)
	}
	verdict := "may"
	if !a.Allowed {
		verdict = "may not"
	}
	fmt.Fprintf(env.stdout, "%s %s %s %s on server %s\n  because %s\n", cmp.Or(a.Principal, "the token"), verdict, a.Action, a.Resource, a.Server, a.Reason)
	a.printToken(env.stdout)
	if a.File != "" {
		fmt.Fprintf(env.stdout, "  %s:%d", a.File, a.Line)
		if a.Operation != "" {
			fmt.Fprintf(env.stdout, " operation %s", a.Operation)
		}
		fmt.Fprintln(env.stdout)
	}
	if a.Enforce == string(plan.Connections) {
		fmt.Fprintln(env.stdout, "  but only connections are enforced: set enforce: operations")
	}
	return nil
}

// resourceOf reads KIND:NAME.
func resourceOf(text string) (policy.Resource, error) {
	kind, name, found := strings.Cut(text, ":")
	if found && name != "" {
		for _, k := range []policy.Kind{policy.Topic, policy.Group, policy.Transaction} {
			if k.String() == kind {
				return policy.Resource{Kind: k, Name: name}, nil
			}
		}
	}
	return policy.Resource{}, fmt.Errorf("resource %q is not topic:NAME, group:NAME or transaction:NAME", text)
}

// planToExplain makes the plan of a document, and prints its problems if some of them are errors.
func planToExplain(env *environment, doc, settings string, remote []string) (*plan.Plan, error) {
	p, problems, err := loadPlan(doc, settings, remote, compile.Options{Decisions: true})
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if code := worst(problems); code != exitOK {
		return nil, errors.Join(report.Problems(env.stderr, problems), &exitError{code: code})
	}
	return p, nil
}

// serverToExplain finds the server that is meant.
func serverToExplain(p *plan.Plan, name string) (*plan.Server, error) {
	var enforced []string
	var found *plan.Server
	for i := range p.Servers {
		s := &p.Servers[i]
		if !s.Enforced {
			continue
		}
		enforced = append(enforced, s.Name)
		if name == "" || s.Name == name {
			found = s
		}
	}
	switch {
	case name != "" && !slices.Contains(enforced, name):
		return nil, fmt.Errorf("there is no server %q that is enforced; there are: %s", name, strings.Join(enforced, ", "))
	case name == "" && len(enforced) > 1:
		return nil, fmt.Errorf("name one of the servers with --server: %s", strings.Join(enforced, ", "))
	case found == nil:
		return nil, errors.New("no server of the document is enforced")
	}
	return found, nil
}
