// Package policy decides who a connection is and what it may do. Its decisions are pure: no I/O, no clock, no state.
package policy

import (
	"cmp"
	"slices"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Anonymous is the name of the principal of a server that is open to everyone. It has no mechanism.
const Anonymous = "ANONYMOUS"

// refused is what a client is told whose credentials are good but do not suffice here.
const refused = "Access denied"

// Admit says who a connection is, given the principal of its client certificate and that of its login; either may be
// nil. Exactly one of the results is nil.
//
// One enabled alternative must be met in full, or all of them where the server says RequireAll; a disabled one never
// counts. A login replaces the certificate: beside a login the certificate's principal still meets an X509 requirement
// only where one alternative, or RequireAll, demands both; then both must have the same name, and the principal ends with
// whichever ends first.
func Admit(server *plan.Server, certificate, login *sasl.Principal) (*sasl.Principal, *sasl.Reject) {
	if len(server.Alternatives) == 0 {
		if server.AllowAnonymous {
			return &sasl.Principal{Name: Anonymous}, nil
		}
		return nil, reject("no-alternative", "the server states no way in")
	}
	var nearest *sasl.Reject // why the alternative that lacks least does not admit
	for _, a := range ways(server) {
		p, r := meets(a.All, certificate, login)
		if r == nil {
			return p, nil
		}
		if nearest == nil || nearness[r.Code] > nearness[nearest.Code] {
			nearest = r
		}
	}
	if nearest == nil {
		return nil, reject("no-alternative", "every way into the server is disabled")
	}
	if login != nil { // whoever it was has proved it, and the record says who
		nearest.Mechanism, nearest.Claimed = login.Mechanism, login.Name
	}
	return nil, nearest
}

// ways are the sets of requirements of which one must be met: the enabled alternatives, or their union if all are
// required.
func ways(server *plan.Server) []plan.Alternative {
	var enabled []plan.Alternative
	var union plan.Alternative
	for _, a := range server.Alternatives {
		if a.Enabled && len(a.All) > 0 {
			enabled = append(enabled, a)
			union.All = append(union.All, a.All...)
		}
	}
	if server.RequireAll && len(enabled) > 0 {
		return []plan.Alternative{union}
	}
	return enabled
}

// nearness orders the codes of meets: the higher, the less was missing, and the more the reason says.
var nearness = map[string]int{
	"no-credentials": 0,
	"wrong-scheme":   1,
	"no-certificate": 2,
	"no-login":       2,
	"missing-scope":  3,
	"names-differ":   4,
}

// meets says who a connection is that must meet all of the requirements.
func meets(all []plan.Requirement, certificate, login *sasl.Principal) (*sasl.Principal, *sasl.Reject) {
	if certificate == nil && login == nil {
		return nil, reject("no-credentials", "neither a client certificate that maps to a principal nor a login")
	}
	var byCertificate, byLogin bool
	for i := range all {
		if all[i].Type == typeX509 {
			byCertificate = true
		} else {
			byLogin = true
		}
	}
	switch {
	case !byLogin && login != nil:
		return nil, reject("wrong-scheme", "the login with "+login.Mechanism+" is not what the server asks for")
	case byCertificate && certificate == nil:
		return nil, reject("no-certificate", "a client certificate that maps to a principal is needed too")
	case byLogin && login == nil:
		return nil, reject("no-login", "a login is needed too")
	}
	who := certificate
	if byLogin {
		who = login
	}
	if byLogin && byCertificate && login.Name != certificate.Name {
		return nil, reject("names-differ", "the certificate and the login name different principals")
	}
	for i := range all {
		if r := proves(&all[i], certificate, login); r != nil {
			return nil, r
		}
	}
	if byLogin && byCertificate && endsBefore(certificate, login) {
		sooner := *login
		sooner.Expires = certificate.Expires
		who = &sooner
	}
	return who, nil
}

// endsBefore reports whether the certificate ends before the login does.
func endsBefore(certificate, login *sasl.Principal) bool {
	return !certificate.Expires.IsZero() && (login.Expires.IsZero() || certificate.Expires.Before(login.Expires))
}

// proves says whether one requirement is met.
func proves(r *plan.Requirement, certificate, login *sasl.Principal) *sasl.Reject {
	p, ok := login, false
	switch r.Type {
	case typeX509:
		p = certificate
		ok = p.Kind == sasl.KindCertificate && p.Mechanism == sasl.External
	case typeAPIKey:
		ok = p.Kind == sasl.KindKey && p.In == r.In && slices.Contains(r.Mechanisms, p.Mechanism)
	case typePlain, typeUserPassword, typeScramSHA256, typeScramSHA512:
		ok = p.Kind == sasl.KindUser && slices.Contains(r.Mechanisms, p.Mechanism)
	case typeHTTPAPIKey:
		ok = p.Kind == sasl.KindKey && p.Mechanism == sasl.HTTPKey && p.In == sasl.KeyPlace(r.In, r.Name)
	case typeOAuth2, typeOpenIDConnect:
		ok = bearer(r, p)
	case typeHTTP:
		ok = r.In == "bearer" && bearer(r, p) || r.In == "basic" && p.Kind == sasl.KindUser && slices.Contains(r.Mechanisms, p.Mechanism)
	}
	if !ok {
		return reject("wrong-scheme", "what was proved with "+p.Mechanism+" is not "+r.Type)
	}
	for _, scope := range r.Scopes {
		if !slices.Contains(p.Scopes, scope) {
			return reject("missing-scope", "the principal lacks the scope "+scope)
		}
	}
	return nil
}

// bearer reports whether a principal was proved by a token of an issuer that the requirement believes.
func bearer(r *plan.Requirement, p *sasl.Principal) bool {
	return p.Kind == sasl.KindToken && slices.Contains(r.Mechanisms, p.Mechanism) && slices.Contains(r.Issuers, p.Issuer)
}

// The types of security schemes that can be met, as AsyncAPI spells them. Any other type is met by nobody.
const (
	typeX509         = "X509"
	typeAPIKey       = "apiKey"
	typePlain        = "plain"
	typeUserPassword = "userPassword"
	typeScramSHA256  = "scramSha256"
	typeScramSHA512  = "scramSha512"

	typeOAuth2        = "oauth2"
	typeOpenIDConnect = "openIdConnect"
	typeHTTPAPIKey    = "httpApiKey"
	typeHTTP          = "http" // the schemes basic and bearer; the plan enables no other
)

// Takes reports whether an enabled way into a server is proved by a mechanism, for those that are no SASL exchange.
func Takes(server *plan.Server, mechanism string) bool {
	return slices.ContainsFunc(server.Alternatives, func(a plan.Alternative) bool {
		return a.Enabled && slices.ContainsFunc(a.All, func(r plan.Requirement) bool { return slices.Contains(r.Mechanisms, mechanism) })
	})
}

// TakesTokens is Takes for bearer tokens, which may share a road with passwords.
func TakesTokens(server *plan.Server, road string) bool {
	return slices.ContainsFunc(server.Alternatives, func(a plan.Alternative) bool {
		return a.Enabled && slices.ContainsFunc(a.All, func(r plan.Requirement) bool {
			token := r.Type == typeOAuth2 || r.Type == typeOpenIDConnect || r.Type == typeHTTP && r.In == "bearer"
			return token && slices.Contains(r.Mechanisms, road)
		})
	})
}

// Mechanisms are the SASL mechanisms that a server offers: the union over its enabled alternatives, strongest first. What
// travels outside of SASL is none of them: a certificate in the TLS handshake, a password in MQTT's CONNECT or in HTTP.
func Mechanisms(server *plan.Server) []string {
	var offered []string
	for _, a := range server.Alternatives {
		if !a.Enabled {
			continue
		}
		for _, r := range a.All {
			for _, m := range r.Mechanisms {
				if !sasl.WithoutSASL(m) && !slices.Contains(offered, m) {
					offered = append(offered, m)
				}
			}
		}
	}
	slices.SortStableFunc(offered, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return offered
}

// rank is a mechanism's place in the offer: what never shows the password comes before what does.
func rank(mechanism string) int {
	order := []string{sasl.ScramSHA512, sasl.ScramSHA256, sasl.OAuthBearer, sasl.Plain}
	if i := slices.Index(order, mechanism); i >= 0 {
		return i
	}
	return len(order)
}

func reject(code, private string) *sasl.Reject {
	return &sasl.Reject{Stage: sasl.StagePolicy, Code: code, Public: refused, Private: private}
}
