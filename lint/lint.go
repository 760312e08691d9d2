// Package lint judges what an AsyncAPI document says about security beyond what has to be said for the gateway to start:
// what is weaker than it looks, what counts for nothing, and what should not stand in a document.
//
// [Judge] is pure: it looks at a document and its plan and at nothing else. Nothing it finds is an error, because the
// gateway enforces such a document all the same; a policy (package orgpolicy) makes errors of what an organisation does
// not want. docs/problems/security.md has a page for each code.
package lint

import (
	"fmt"
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// Rule is one thing to look for.
type Rule struct {
	Code     string
	Severity plan.Severity
	Summary  string // one sentence, as the rule's page begins
	judge    func(*finder)
}

// rules is the table of all rules, a file a family.
var rules = slices.Concat(accessRules, portRules, schemeRules, flowRules, scopeRules, secretRules)

// Rules are all rules.
func Rules() []Rule { return slices.Clone(rules) }

// Judge finds what there is to say about a document. Servers that are switched off, and those of protocols that the
// gateway does not know, are left alone.
func Judge(doc *asyncapi.Document, p *plan.Plan) []plan.Problem {
	f := &finder{doc: doc, plan: p}
	for i := range rules {
		f.rule = &rules[i]
		f.rule.judge(f)
	}
	return f.problems
}

// finder is one document being judged by one rule after the other.
type finder struct {
	doc      *asyncapi.Document
	plan     *plan.Plan
	rule     *Rule
	problems []plan.Problem
}

// maxProblems bounds what one rule says: whoever repairs the first few runs it again.
const maxProblems = 100

// add reports a breach of the rule at hand, once a place.
func (f *finder) add(at asyncapi.Place, hint, format string, args ...any) {
	p := plan.Problem{
		Severity: f.rule.Severity, Code: f.rule.Code, File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	said := 0
	for _, q := range f.problems {
		if q == p {
			return
		}
		if q.Code == p.Code {
			said++
		}
	}
	if said < maxProblems {
		f.problems = append(f.problems, p)
	}
}

// NameOf is how a message calls a scheme.
func NameOf(s *asyncapi.SecurityScheme) string {
	if s.Key == "" {
		return s.Type.Value
	}
	return fmt.Sprintf("%s (%s)", s.Key, s.Type.Value)
}
