package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// claim is who is asked about.
type claim struct {
	name, mechanism string
	scopes          []string
	attributes      map[string]string
	token           *ownToken // nil: it is asked by name
}

// explainer answers for the servers of a plan.
type explainer struct {
	plan  *plan.Plan
	file  *credentials.File // nil: there is none, or it cannot be read
	rules map[*plan.Server]*policy.Rules
}

func newExplainer(p *plan.Plan) *explainer {
	e := &explainer{plan: p, rules: make(map[*plan.Server]*policy.Rules)}
	if p.Credentials != "" {
		if f, err := credentials.Read(p.Credentials); err == nil {
			e.file = f
		}
	}
	return e
}

func (e *explainer) explain(server *plan.Server, who claim, action plan.Action, resource policy.Resource) (*explained, error) {
	rules := e.rules[server]
	if rules == nil {
		var err error
		if rules, err = policy.Compile(e.plan, server); err != nil {
			return nil, err
		}
		e.rules[server] = rules
	}
	answer := &explained{Server: server.Name, Principal: who.name, Action: string(action),
		Resource: resource.Kind.String() + ":" + resource.Name, Enforce: string(e.plan.Enforce)}
	if who.token != nil {
		who.token.describe(answer)
	}
	p, refused := e.principal(server, who)
	if p == nil {
		answer.Reason, answer.Pointer = "the server does not let it in: "+refused, server.Pointer
		return answer, nil
	}
	answer.Mechanism = p.Mechanism
	d := rules.Subject(nil, p).Decide(action, resource)
	answer.Allowed, answer.Reason = d.Allowed, d.Reason
	answer.File, answer.Line, answer.Pointer = d.Place()
	if d.Rule != nil {
		answer.Operation = d.Rule.Operation
	}
	return answer, nil
}

// principal is who the claim would be after a login: by the first way into the server that is open to it. Without one,
// refused says why.
func (e *explainer) principal(server *plan.Server, who claim) (p *sasl.Principal, refused string) {
	if who.token != nil && who.token.reject != nil {
		return nil, who.token.reject.Private
	}
	if len(server.Alternatives) == 0 {
		p, reject := policy.Admit(server, nil, nil)
		if reject != nil {
			return nil, reject.Private
		}
		p.Name = who.name
		return p, ""
	}
	for _, p := range e.logins(server, who) {
		login := p
		if p.Mechanism == sasl.External {
			login = nil
		}
		admitted, reject := policy.Admit(server, certificateOf(p), login)
		switch {
		case reject == nil:
			return admitted, ""
		case refused == "":
			refused = reject.Private
		}
	}
	switch {
	case refused != "":
	case who.token != nil:
		refused = "it takes no tokens"
		if who.mechanism != "" {
			refused = fmt.Sprintf("it takes no tokens with mechanism %q", who.mechanism)
		}
	case who.mechanism != "":
		refused = fmt.Sprintf("it has no credential that the server takes with mechanism %q", who.mechanism)
	default:
		refused = "it has no credential that the server takes"
	}
	return nil, refused
}

// certificateOf is the certificate beside a login: the same principal's, where both are asked for.
func certificateOf(p *sasl.Principal) *sasl.Principal {
	if p.Mechanism == sasl.External {
		return p
	}
	c := *p
	c.Mechanism, c.Kind, c.In = sasl.External, sasl.KindCertificate, ""
	return &c
}

// logins are the logins that the claim could make at a server, in the order of its ways in.
func (e *explainer) logins(server *plan.Server, who claim) (all []*sasl.Principal) {
	if who.token != nil {
		return tokenLogins(server, who)
	}
	for _, a := range server.Alternatives {
		for _, r := range a.All {
			for _, m := range r.Mechanisms {
				if !a.Enabled || who.mechanism != "" && who.mechanism != m {
					continue
				}
				p := &sasl.Principal{Name: who.name, Mechanism: m, Kind: kindFor(&r, m), In: r.In, Scopes: who.scopes, Attributes: who.attributes}
				if p.Kind == sasl.KindToken && len(r.Issuers) > 0 {
					p.Issuer = r.Issuers[0]
				}
				if p.Kind == sasl.KindToken || e.stored(p) {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// kindFor is the kind of the credential that proves a requirement.
func kindFor(r *plan.Requirement, mechanism string) sasl.Kind {
	switch {
	case mechanism == sasl.External:
		return sasl.KindCertificate
	case r.Type == "apiKey":
		return sasl.KindKey
	case isToken(*r):
		return sasl.KindToken
	}
	return sasl.KindUser
}

// stored adds what the credentials file says of a principal. It reports false if there is a file, and the principal has no
// credential of that kind in it.
func (e *explainer) stored(p *sasl.Principal) bool {
	if e.file == nil {
		return true
	}
	entry := entryOf(e.file, p.Kind, p.Name)
	if entry == nil || !entry.Active(time.Now()) {
		return false
	}
	p.Scopes = append(slices.Clone(entry.Scopes), p.Scopes...)
	if p.Attributes == nil {
		p.Attributes = entry.Attributes
	}
	return true
}

func entryOf(f *credentials.File, kind sasl.Kind, name string) *credentials.Entry {
	switch kind {
	case sasl.KindUser:
		for _, u := range f.Users {
			if u.Name == name {
				return &u.Entry
			}
		}
	case sasl.KindKey:
		for _, k := range f.Keys {
			if k.Name == name {
				return &k.Entry
			}
		}
	case sasl.KindCertificate:
		for _, c := range f.Certificates {
			if c.Name == name {
				return &c.Entry
			}
		}
	}
	return nil
}
