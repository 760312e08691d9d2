package orgpolicy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/plan"
)

// demand is one thing that a policy can require.
type demand struct {
	code  string
	judge func(*finder)
}

// demands is the table of all of them. Each does nothing unless the policy requires it.
var demands = []demand{
	{"policy/server-security", serverSecurity},
	{"policy/tls", tls},
	{"policy/scheme", schemes},
	{"policy/operation-security", operationSecurity},
	{"policy/operation-scopes", operationScopes},
	{"policy/scope-name", scopeName},
	{"policy/info", info},
}

// Judge finds what a document lacks of what the policy requires. Servers that are switched off are left alone.
func (p *Policy) Judge(doc *asyncapi.Document, of *plan.Plan) []plan.Problem {
	f := &finder{require: &p.require, doc: doc, plan: of}
	for _, d := range demands {
		f.code = d.code
		d.judge(f)
	}
	return f.problems
}

// finder is one document being judged.
type finder struct {
	*require
	doc      *asyncapi.Document
	plan     *plan.Plan
	code     string
	problems []plan.Problem
}

func (f *finder) add(at asyncapi.Place, hint, format string, args ...any) {
	p := plan.Problem{
		Severity: plan.Error, Code: f.code, File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	if !slices.Contains(f.problems, p) {
		f.problems = append(f.problems, p)
	}
}

// serverSecurity asks that the document itself says who gets in.
func serverSecurity(f *finder) {
	if !f.Security {
		return
	}
	lint.Servers(f.doc, f.plan, func(s *asyncapi.Server, _ *plan.Server) {
		if s.Security == nil || len(s.Security.Requirements) == 0 {
			f.add(s.Place, "give it security", "the policy has every server state its security, and %s states none", s.Name)
		}
	})
}

// tls asks for TLS to the client, whether the protocol brings it or the settings.
func tls(f *finder) {
	if !f.TLS {
		return
	}
	lint.Servers(f.doc, f.plan, func(s *asyncapi.Server, planned *plan.Server) {
		protocol := s.Protocol.Value
		if planned.TLS == nil && !slices.Contains([]string{"kafka-secure", "mqtts", "secure-mqtt", "wss"}, protocol) {
			at := s.Place
			if s.Protocol.Stated() {
				at = s.Protocol.Place
			}
			f.add(at, "change the protocol to the one with TLS, or give the server tls in the settings",
				"the policy asks for TLS, and server %s speaks %s", s.Name, protocol)
		}
	})
}

// schemes asks that nothing but the listed types of schemes counts anywhere.
func schemes(f *finder) {
	if len(f.Schemes) == 0 {
		return
	}
	hint := "use " + strings.Join(f.Schemes, ", ")
	lint.Servers(f.doc, f.plan, func(s *asyncapi.Server, planned *plan.Server) {
		if s.Security != nil && len(s.Security.Requirements) > 0 {
			lint.UsesOf(s.Security, func(use asyncapi.SchemeUse) { f.scheme(use, hint) })
			return
		}
		for _, a := range planned.Alternatives {
			for _, q := range a.All {
				if !slices.Contains(f.Schemes, q.Type) {
					f.add(s.Place, hint, "the policy allows no scheme of type %s, which the settings state for server %s", q.Type, s.Name)
				}
			}
		}
	})
	f.operations(func(o *asyncapi.Operation) {
		lint.UsesOf(o.Security, func(use asyncapi.SchemeUse) { f.scheme(use, hint) })
	})
}

// scheme holds one use of a scheme against the types that are allowed.
func (f *finder) scheme(use asyncapi.SchemeUse, hint string) {
	if !slices.Contains(f.Schemes, use.Scheme.Type.Value) {
		f.add(use.Place, hint, "the policy allows no scheme such as %s", lint.NameOf(use.Scheme))
	}
}

// scopeName asks for names of one form.
func scopeName(f *finder) {
	if f.scopeNames == nil {
		return
	}
	check := func(scope asyncapi.Text) {
		if !f.scopeNames.MatchString(scope.Value) {
			f.add(scope.Place, "rename it", "the policy has scopes match %s, and %q does not", f.ScopeNames, scope.Value)
		}
	}
	lint.Schemes(f.doc, func(s *asyncapi.SecurityScheme) {
		for _, flow := range s.Flows {
			for _, scope := range flow.Scopes {
				check(scope)
			}
		}
	})
	lint.Uses(f.doc, func(use asyncapi.SchemeUse) {
		for _, scope := range use.Scopes {
			check(scope)
		}
	})
}

// info asks for fields that say whom to turn to, and the like.
func info(f *finder) {
	if len(f.Info) == 0 {
		return
	}
	at := f.doc.Info.Place
	if at.Line == 0 {
		at = asyncapi.Place{File: f.doc.File, Line: 1, Column: 1}
	}
	for _, name := range f.Info {
		if !slices.Contains(f.doc.Info.Fields, name) {
			f.add(at, "add it", "the policy asks for %s in info", name)
		}
	}
}
