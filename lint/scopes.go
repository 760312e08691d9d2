package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// scopeRules are about the names of scopes.
var scopeRules = []Rule{
	{"security/scope-syntax", plan.Warning, "No token can carry a scope of this name.", scopeSyntax},
	{"security/scope-naming", plan.Note, "A scope is named otherwise than the others of its scheme.", scopeNaming},
}

// scopeToken is what a scope may consist of (RFC 6749, section 3.3): a token lists scopes with spaces between.
var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)

func scopeSyntax(f *finder) {
	f.scopes(func(_ *asyncapi.SecurityScheme, scopes []asyncapi.Text) {
		for _, scope := range scopes {
			if !scopeToken.MatchString(scope.Value) {
				f.add(scope.Place, "use letters, digits and marks, without spaces, quotes and backslashes",
					"%s can be the name of no scope (RFC 6749, section 3.3)", quote(scope.Value))
			}
		}
	})
	Uses(f.doc, func(use asyncapi.SchemeUse) {
		for _, scope := range use.Scopes {
			if !scopeToken.MatchString(scope.Value) {
				f.add(scope.Place, "write each scope as an item of its own", "%s can be the name of no scope (RFC 6749, section 3.3)",
					quote(scope.Value))
			}
		}
	})
}

// scopes calls each for the scopes that a scheme offers, each name once.
func (f *finder) scopes(each func(*asyncapi.SecurityScheme, []asyncapi.Text)) {
	f.inUse(func(s *asyncapi.SecurityScheme) {
		var all []asyncapi.Text
		for _, flow := range s.Flows {
			for _, scope := range flow.Scopes {
				if !slices.ContainsFunc(all, func(t asyncapi.Text) bool { return t.Value == scope.Value }) {
					all = append(all, scope)
				}
			}
		}
		if len(all) > 0 {
			each(s, all)
		}
	})
}

// standardScopes are those of OpenID Connect, which follow no rule of an organisation.
var standardScopes = []string{"openid", "profile", "email", "address", "phone", "offline_access"}

// scopeNaming compares the separators of a scheme's scopes: where most are written orders:read, one that is
// written orders.read is easily missed by whoever gives out rights.
func scopeNaming(f *finder) {
	f.scopes(func(s *asyncapi.SecurityScheme, scopes []asyncapi.Text) {
		scopes = slices.DeleteFunc(slices.Clone(scopes), func(t asyncapi.Text) bool { return slices.Contains(standardScopes, t.Value) })
		count := map[string]int{}
		for _, scope := range scopes {
			count[separator(scope.Value)]++
		}
		most, example := "none", ""
		for _, scope := range scopes { // in the order of the document, so that the answer is always the same
			if sep := separator(scope.Value); sep != "none" && (example == "" || count[sep] > count[most]) {
				most, example = sep, scope.Value
			}
		}
		if most == "none" || count[most]*2 <= len(scopes) || count[most] < 2 {
			return // no rule to be seen
		}
		for _, scope := range scopes {
			if separator(scope.Value) != most {
				f.add(scope.Place, "name it in the manner of "+quote(example), "most scopes of %s are named with %q between their parts, %s is not",
					NameOf(s), most, quote(scope.Value))
			}
		}
	})
}

// separator is what stands between the parts of a scope's name: the first of : / . there is, in this order.
func separator(scope string) string {
	for _, sep := range []string{":", "/", "."} {
		if strings.Contains(scope, sep) {
			return sep
		}
	}
	return "none"
}
