package operations_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/test/oidc"
)

// audience is whom the issuers' tokens are for.
const audience = "streetlights"

// issue starts the issuers of an example's tokens. Principals are clients of theirs, and fetch tokens themselves.
func (e *example) issue(t *testing.T) {
	t.Helper()
	e.issuers = map[string]*oidctest.Provider{}
	for name := range e.Tokens {
		clients := map[string]oidctest.Client{}
		for who, p := range e.Principals {
			if p.Token == name {
				clients[who] = oidctest.Client{Scope: p.Scopes, Audience: audience}
			}
		}
		e.issuers[name] = oidctest.Start(t, clients)
	}
}

// issuer is where a principal's tokens come from; nil: it has none.
func (e *example) issuer(who string) *oidctest.Provider { return e.issuers[e.Principals[who].Token] }

// believed are the settings of the issuers, whose addresses are found by their names.
func (e *example) believed(address func(name string) string) map[string]any {
	var all []any
	for _, name := range slices.Sorted(maps.Keys(e.Tokens)) {
		one := map[string]any{"issuer": address(name), "audience": audience}
		maps.Copy(one, e.Tokens[name])
		all = append(all, one)
	}
	return map[string]any{"issuers": all}
}

// scopes are the flags of `asyncgate credentials add`.
func (p principal) scopes() (flags []string) {
	for scope := range strings.FieldsSeq(p.Scopes) {
		flags = append(flags, "--scope", scope)
	}
	return flags
}
