package main

import (
	"encoding/json"
	"fmt"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/lint/orgpolicy"
	"github.com/asyncgate/asyncgate/report"
)

// policy reads the policy that was asked for. Without one everything counts as it is.
func (c *checkCmd) policy() (*orgpolicy.Policy, error) {
	if c.Policy == "" {
		return &orgpolicy.Policy{}, nil
	}
	if err := openable(c.Policy); err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Policy, err)
	}
	return orgpolicy.Load(c.Policy), nil
}

// ruleJSON is a code in the list of check --rules; fields may be added, and none renamed or removed.
type ruleJSON struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // the usual one, or what the policy makes of it; off: it is not reported
	Fixed    bool   `json:"fixed"`    // no policy can lower it
	Summary  string `json:"summary"`
	Help     string `json:"help"` // where its page is
}

// listRules lists every code there is.
func (c *checkCmd) listRules(env *environment, policy *orgpolicy.Policy) error {
	if len(c.Docs) > 0 {
		return showPages(env, c.Docs)
	}
	if err := report.Problems(env.stderr, policy.Problems); err != nil {
		return err
	}
	var rules []ruleJSON
	for _, page := range problems.All() {
		rules = append(rules, ruleJSON{page.Code, policy.SeverityOf(page), orgpolicy.Fixed(page), page.Summary, page.URL()})
	}
	switch c.Output {
	case "json":
		out := json.NewEncoder(env.stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		if err := out.Encode(map[string]any{"rules": rules}); err != nil {
			return err
		}
	case "table":
		rows := [][]string{{"CODE", "SEVERITY", "SUMMARY"}}
		for _, r := range rules {
			rows = append(rows, []string{r.Code, r.Severity, r.Summary})
		}
		if err := report.Columns(env.stdout, rows, terminal(env.stdout)); err != nil {
			return err
		}
	default:
		return &exitError{exitUsage, fmt.Errorf("--rules comes as --output table or json, not %s", c.Output)}
	}
	if code := worst(policy.Problems); code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// showPages prints the pages of codes, as they stand in docs/problems.
func showPages(env *environment, codes []string) error {
	for i, code := range codes {
		page, ok := problems.Find(code)
		if !ok {
			return &exitError{exitUsage, fmt.Errorf("there is no problem with the code %q: asyncgate check --rules lists all", code)}
		}
		if i > 0 {
			fmt.Fprintln(env.stdout)
		}
		fmt.Fprintf(env.stdout, "## %s\n\n%s\n", page.Code, page.Text)
	}
	return nil
}
