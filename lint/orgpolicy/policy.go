// Package orgpolicy reads and applies the policy of an organisation: how much each problem counts, and what documents
// have to have besides. `asyncgate check --policy FILE` is where it is used; the running gateway knows nothing of it.
//
// A policy can make more of a problem than it is, and less of one that the gateway can live with. It cannot hide what
// keeps the gateway from starting: `check` would then pass what `run` refuses.
package orgpolicy

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/plan"
)

// Schema is the JSON Schema (draft 2020-12) of a policy file, which is also what it is read with.
//
//go:embed policy.schema.json
var Schema []byte

// Policy is a policy file. The zero value asks for nothing.
type Policy struct {
	Problems []plan.Problem // what is wrong with the file itself: policy/…

	rules   map[string]string // code to off, note, warning or error
	require require
}

// require is what documents have to have. What is zero is not asked for.
type require struct {
	Security   bool     `json:"security"`
	TLS        bool     `json:"tls"`
	Schemes    []string `json:"schemes"`
	Operations struct {
		Schemes []string `json:"schemes"`
		Scopes  int      `json:"scopes"`
	} `json:"operations"`
	ScopeNames string   `json:"scopeNames"`
	Info       []string `json:"info"`

	scopeNames *regexp.Regexp // ScopeNames, to match a name as a whole
}

// off is the word for what is not to be reported.
const off = "off"

// Fixed reports whether a policy can only confirm the severity of a code: the gateway does not start with such a problem,
// or the policy itself is wrong.
func Fixed(page problems.Page) bool {
	return page.Stops() && !slices.ContainsFunc(demands, func(d demand) bool { return d.code == page.Code })
}

// SeverityOf is what a policy makes of a code.
func (p *Policy) SeverityOf(page problems.Page) string {
	if word, ok := p.rules[page.Code]; ok {
		return word
	}
	return page.Severities[0]
}

// Apply gives problems the severity that the policy wants, and leaves out what is off. Errors of a code that is fixed
// stay errors. What concerns nothing but a server that is switched off is not raised.
func (p *Policy) Apply(found []plan.Problem, of *plan.Plan) []plan.Problem {
	kept := make([]plan.Problem, 0, len(found))
	for _, one := range found {
		word, ok := p.rules[one.Code]
		page, _ := problems.Find(one.Code)
		switch {
		case !ok, one.Severity == plan.Error && Fixed(page), word == string(plan.Error) && switchedOff(one.Pointer, of):
			kept = append(kept, one)
		case word != off:
			one.Severity = plan.Severity(word)
			kept = append(kept, one)
		}
	}
	return kept
}

func switchedOff(pointer string, of *plan.Plan) bool {
	for i := range of.Servers {
		if s := &of.Servers[i]; s.Note == plan.SwitchedOff && (pointer == s.Pointer || strings.HasPrefix(pointer, s.Pointer+"/")) {
			return true
		}
	}
	return false
}
