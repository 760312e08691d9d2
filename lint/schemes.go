package lint

import (
	"fmt"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// schemeRules are about schemes that count for nothing.
var schemeRules = []Rule{
	{"security/components-only", plan.Warning,
		"Security schemes stand under components, and nothing of the document asks for any of them.", componentsOnly},
	{"security/unused-scheme", plan.Note, "Nothing asks for this security scheme, so it enforces nothing.", unusedScheme},
}

// used are the schemes under components that something asks for, by their pointers.
func (f *finder) used() map[string]bool {
	used := map[string]bool{}
	f.inUse(func(s *asyncapi.SecurityScheme) { used[s.File+s.Pointer] = true })
	return used
}

// inUse calls each for every scheme that something asks for, once. What nothing asks for is said to be unused, and needs no
// more said.
func (f *finder) inUse(each func(*asyncapi.SecurityScheme)) {
	used := map[string]bool{}
	Uses(f.doc, func(use asyncapi.SchemeUse) {
		if at := use.Scheme.File + use.Scheme.Pointer; !used[at] {
			used[at] = true
			each(use.Scheme)
		}
	})
}

// asked is whether a server or an operation states any security, also one that is broken or written inline.
func (f *finder) asked() bool {
	for i := range f.doc.Servers {
		if s := f.doc.Servers[i].Security; s != nil && len(s.Requirements) > 0 {
			return true
		}
	}
	for i := range f.doc.Operations {
		if s := f.doc.Operations[i].Security; s != nil && len(s.Requirements) > 0 {
			return true
		}
	}
	return false
}

func componentsOnly(f *finder) {
	if len(f.doc.Schemes) == 0 || f.asked() {
		return
	}
	first := f.doc.Schemes[0]
	f.add(first.Place, "name it where it is needed: "+f.requirement(first.Key),
		"security schemes are declared, and nothing asks for one, so they enforce nothing")
}

func unusedScheme(f *finder) {
	if !f.asked() {
		return // componentsOnly says it for all
	}
	used := f.used()
	for i := range f.doc.Schemes {
		if s := &f.doc.Schemes[i]; !used[s.File+s.Pointer] {
			f.add(s.Place, "remove it, or name it where it is needed: "+f.requirement(s.Key), "nothing asks for the scheme %s", NameOf(s))
		}
	}
}

// requirement is how a server asks for a scheme in the document's version.
func (f *finder) requirement(key string) string {
	if f.doc.Major == 2 {
		return fmt.Sprintf("security: [ { %s: [] } ] in a server", key)
	}
	return fmt.Sprintf("security: [ { $ref: '#/components/securitySchemes/%s' } ] in a server", key)
}
