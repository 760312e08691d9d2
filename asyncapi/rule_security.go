package asyncapi

import (
	"fmt"
	"slices"

	"github.com/asyncgate/asyncgate/internal/spelling"
)

// securityOfOperations reads the security of operations and their traits, so that what is wrong with it is said, and looks at
// the scopes of all requirements.
func (j *judge) securityOfOperations(channels, components value) {
	seen := map[Place]bool{}
	read := func(v value) {
		if list := j.member(v, "security").value; list.there() && !seen[list.at] {
			seen[list.at] = true
			j.scopes(j.security(list))
		}
	}
	for i := range j.doc.Servers {
		j.scopes(j.doc.Servers[i].Security)
	}
	if j.since(4) {
		j.eachOperation(channels, read)
	}
	for _, all := range []value{j.part(j.root, "operations"), j.part(components, "operations"), j.part(components, "operationTraits")} {
		j.each(all, func(_ field, v value) {
			read(v)
			for _, trait := range j.list(j.member(v, "traits").value) {
				read(trait)
			}
		})
	}
}

// scopes looks for scopes that no flow of their scheme has. The specification is silent about them.
func (j *judge) scopes(s *Security) {
	if s == nil {
		return
	}
	for _, q := range s.Requirements {
		for _, use := range q.Schemes {
			if use.Scheme.Type.Value != "oauth2" {
				continue
			}
			var known []string
			for _, flow := range use.Scheme.Flows {
				for _, scope := range flow.Scopes {
					known = append(known, scope.Value)
				}
			}
			for _, scope := range use.Scopes {
				if !slices.Contains(known, scope.Value) {
					j.undefinedScope(use, scope, known)
				}
			}
		}
	}
}

func (j *judge) undefinedScope(use SchemeUse, scope Text, known []string) {
	hint := "add it to the scopes of the flow"
	if near := spelling.Nearest(scope.Value, known); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	name := use.Scheme.Key
	if name == "" {
		name = last(use.Scheme.Pointer)
	}
	j.note(Warning, "document/undefined-scope", scope.Place, hint, fmt.Sprintf("no flow of scheme %s has the scope %s", quote(name), quote(scope.Value)))
}
