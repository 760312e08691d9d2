package orgpolicy

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/lint"
	"github.com/asyncgate/asyncgate/plan"
)

// operations calls each for the operations whose channel is on a server that counts.
func (f *finder) operations(each func(*asyncapi.Operation)) {
	counts := map[string]bool{}
	lint.Servers(f.doc, f.plan, func(s *asyncapi.Server, _ *plan.Server) { counts[s.Name] = true })
	for i := range f.doc.Operations {
		o := &f.doc.Operations[i]
		if o.Channel == nil || len(o.Channel.Servers) > 0 &&
			!slices.ContainsFunc(o.Channel.Servers, func(r asyncapi.ServerReference) bool { return counts[r.Name] }) {
			continue
		}
		if len(counts) > 0 {
			each(o)
		}
	}
}

// operationSecurity asks that every operation states security of its own, and of which types.
func operationSecurity(f *finder) {
	types := f.Operations.Schemes
	if len(types) == 0 && f.Operations.Scopes == 0 {
		return
	}
	hint := "give it security"
	if len(types) > 0 {
		hint += " of type " + strings.Join(types, " or ")
	}
	if f.doc.Major == 2 && f.doc.Minor < 4 {
		hint += ", which operations have since AsyncAPI 2.4"
	}
	f.operations(func(o *asyncapi.Operation) {
		if o.Security == nil || len(o.Security.Requirements) == 0 {
			f.add(o.Place, hint, "the policy has every operation state its security, and %s states none", o.Name)
			return
		}
		for _, q := range o.Security.Requirements {
			if !q.Broken && !f.ofType(q) {
				f.add(q.Place, "make it one of type "+strings.Join(types, " or "),
					"the policy wants another scheme for operation %s than %s", o.Name, names(q))
			}
		}
	})
}

// ofType reports whether a requirement has a scheme of the types that operations have to ask for, if any are named.
func (f *finder) ofType(q asyncapi.Requirement) bool {
	types := f.Operations.Schemes
	return len(types) == 0 || slices.ContainsFunc(q.Schemes, func(use asyncapi.SchemeUse) bool {
		return slices.Contains(types, use.Scheme.Type.Value)
	})
}

// operationScopes asks for scopes in each alternative of an operation.
func operationScopes(f *finder) {
	least := f.Operations.Scopes
	if least == 0 {
		return
	}
	f.operations(func(o *asyncapi.Operation) {
		if o.Security == nil {
			return // operationSecurity says it
		}
		for _, q := range o.Security.Requirements {
			scopes := 0
			for _, use := range q.Schemes {
				scopes += len(use.Scopes)
			}
			if scopes < least && !q.Broken && f.ofType(q) {
				f.add(q.Place, "name what the operation needs, such as orders:read", "the policy has operation %s ask for %d scopes at least, and %s asks for %d",
					o.Name, least, names(q), scopes)
			}
		}
	})
}

// names are the schemes of a requirement.
func names(q asyncapi.Requirement) string {
	var list []string
	for _, use := range q.Schemes {
		list = append(list, lint.NameOf(use.Scheme))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " and ")
}
