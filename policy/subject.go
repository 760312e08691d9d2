package policy

import (
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Subject is one principal held against the rules of its server: what does not depend on the resource is decided. It
// belongs to a connection and never changes; after a re-authentication, or with other rules, there is another.
type Subject struct {
	rules   *Rules
	name    string
	facts   map[string]string // attributes of the principal
	admin   bool
	lacks   []string // by clause: why the connection does not meet it; empty: it does
	own     *granted
	all     *granted
	produce bool // it may produce to some topic
}

// Subject holds who was admitted against the rules. The certificate is that of the connection, nil if there is none: it
// counts beside a login only where the login would not have been enough, as in [Admit].
func (r *Rules) Subject(certificate, who *sasl.Principal) *Subject {
	s := &Subject{rules: r, name: who.Name, facts: who.Attributes, admin: r.admins[who.Name],
		own: r.grants.of[who.Name], all: r.grants.of[everybody]}
	login := who
	switch {
	case who.Mechanism == sasl.External:
		certificate, login = who, nil
	case certificate != nil:
		if _, reject := Admit(r.server, nil, who); reject == nil {
			certificate = nil
		}
	}
	s.lacks = make([]string, len(r.clauses))
	for i, c := range r.clauses {
		s.lacks[i] = c.lack(certificate, login)
	}
	s.produce = s.mayProduce()
	return s
}

// lack says why a connection does not meet the security of an operation; empty: it does.
func (c clause) lack(certificate, login *sasl.Principal) string {
	nearest, missing := -1, "every alternative of the operation's security is disabled"
	for _, a := range c {
		if !a.Enabled || len(a.All) == 0 {
			continue
		}
		rank, reason := unmet(a.All, certificate, login)
		if reason == "" {
			return ""
		}
		if rank > nearest {
			nearest, missing = rank, reason
		}
	}
	return missing
}

// unmet says which of the requirements a connection lacks, and how near it came.
func unmet(all []plan.Requirement, certificate, login *sasl.Principal) (rank int, reason string) {
	for i := range all {
		p := login
		if all[i].Type == typeX509 {
			p = certificate
		}
		if p == nil {
			return 0, "the operation asks for " + all[i].Type + ", which this connection has not proved"
		}
		if r := proves(&all[i], p, p); r != nil {
			return nearness[r.Code], "the operation asks for more than the connection has: " + r.Private
		}
	}
	return 0, ""
}

// is reports whether a fact about the principal, its name or an attribute, has that value.
func (s *Subject) is(fact, value string) bool {
	if fact == "name" {
		return s.name == value
	}
	got, ok := s.facts[fact]
	return ok && got == value
}

// Admin reports whether the settings list the principal under admins: nothing is denied to it here.
func (s *Subject) Admin() bool { return s.admin }

// MayProduce reports whether there is a topic that the principal may produce to: what a broker asks before it gives an
// idempotent producer its id.
func (s *Subject) MayProduce() bool { return s.produce }

func (s *Subject) mayProduce() bool {
	if s.admin {
		return true
	}
	for _, r := range s.rules.rules {
		if r.Action == Produce && len(r.pieces) > 0 && s.lack(r) == "" && s.tied(r) {
			return true
		}
	}
	return s.own.produces() || s.all.produces()
}

// tied reports whether every parameter that must equal a fact of the principal's can.
func (s *Subject) tied(r *rule) bool {
	for _, p := range r.pieces {
		if p.parameter == nil || p.parameter.Principal == "" {
			continue
		}
		value := s.name
		if p.parameter.Principal != "name" {
			value = s.facts[p.parameter.Principal]
		}
		for i := range len(value) {
			if !s.rules.language.char(value[i]) && (!p.parameter.Dots || value[i] != '.') {
				return false
			}
		}
		if !p.parameter.accepts(value, s) {
			return false
		}
	}
	return true
}

func (g *granted) produces() bool {
	if g == nil {
		return false
	}
	for _, of := range []map[grantKey][]*plan.Grant{g.exact, g.prefix} {
		for key, all := range of {
			if key.kind == Topic.String() && first(all, Produce) != nil {
				return true
			}
		}
	}
	return false
}

// lack says why the connection does not meet the security of a rule; empty: it does.
func (s *Subject) lack(r *rule) string {
	if r.clause < 0 {
		return ""
	}
	return s.lacks[r.clause]
}

// granted returns the grant that allows an action; nil: none does.
func (s *Subject) granted(kind Kind, name string, action plan.Action, exact bool) *plan.Grant {
	if g := s.own.find(kind.String(), name, action, exact); g != nil {
		return g
	}
	return s.all.find(kind.String(), name, action, exact)
}

// owns reports whether a group or transactional id is the principal's own by its name.
func (s *Subject) owns(id string) bool {
	rest, ok := strings.CutPrefix(id, s.name)
	return ok && s.name != "" && (rest == "" || rest[0] == '.' || rest[0] == '-')
}
