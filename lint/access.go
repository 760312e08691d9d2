package lint

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// accessRules are about the ways into a server.
var accessRules = []Rule{
	{"security/weakest-alternative", plan.Warning,
		"One of a server's alternatives is weaker than the others, and one of them is all it takes.", weakest},
}

// strength is how hard it is to get in with what can be seen or stolen on the way.
type strength int

const (
	proofOfNothing strength = iota // encrypts payloads, or names no scheme
	reusableSecret                 // password or key: who sees it once has it
	bearerToken                    // the same, but for as long as the token is good
	secretUnseen                   // proved without being sent
	privateKey                     // never leaves the client
)

// restsOn is what a strength means, for messages.
var restsOn = map[strength]string{
	reusableSecret: "a secret that is sent",
	bearerToken:    "a token that is sent",
	secretUnseen:   "a password",
	privateKey:     "a private key",
}

// ofScheme is what a scheme type alone tells.
var ofScheme = map[string]strength{
	"X509": privateKey, "scramSha256": secretUnseen, "scramSha512": secretUnseen, "gssapi": secretUnseen,
	"oauth2": bearerToken, "openIdConnect": bearerToken,
	"userPassword": reusableSecret, "plain": reusableSecret, "apiKey": reusableSecret, "httpApiKey": reusableSecret,
}

// way is one alternative of a server.
type way struct {
	at       asyncapi.Place
	names    string
	strength strength
}

// weakest names the weakest way into a server, unless all are alike or all have to be gone together.
func weakest(f *finder) {
	Servers(f.doc, f.plan, func(s *asyncapi.Server, planned *plan.Server) {
		if s.Security == nil || planned.RequireAll {
			return
		}
		var ways []way
		for i, q := range s.Security.Requirements {
			var a *plan.Alternative
			if len(planned.Alternatives) == len(s.Security.Requirements) {
				a = &planned.Alternatives[i]
			}
			if w := wayOf(q, a); w.strength > proofOfNothing && (a == nil || a.Enabled) {
				ways = append(ways, w)
			}
		}
		if len(ways) < 2 {
			return
		}
		least := slices.MinFunc(ways, func(a, b way) int { return int(a.strength - b.strength) })
		best := slices.MaxFunc(ways, func(a, b way) int { return int(a.strength - b.strength) })
		if least.strength < best.strength {
			f.add(least.at, "remove it, or move it to a server of its own, which fewer people can reach",
				"server %s is as secure as its weakest way in: %s rests on %s, %s on %s", s.Name,
				least.names, restsOn[least.strength], best.names, restsOn[best.strength])
		}
	})
}

// wayOf is a requirement with the strength of the strongest of its schemes, since all of them are needed.
func wayOf(q asyncapi.Requirement, planned *plan.Alternative) way {
	w := way{at: q.Place}
	var names []string
	for i, use := range q.Schemes {
		names = append(names, NameOf(use.Scheme))
		of := ofScheme[use.Scheme.Type.Value]
		if use.Scheme.Type.Value == "http" {
			of = reusableSecret
			if strings.EqualFold(use.Scheme.HTTPScheme.Value, "bearer") {
				of = bearerToken
			}
		}
		if use.Scheme.Type.Value == "userPassword" && planned != nil && i < len(planned.All) {
			of = ofMechanisms(planned.All[i].Mechanisms) // settings may leave of it what never sends the password
		}
		w.strength = max(w.strength, of)
	}
	w.names = strings.Join(names, " and ")
	return w
}

// ofMechanisms is what userPassword amounts to: the client chooses the mechanism.
func ofMechanisms(names []string) strength {
	if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return !strings.HasPrefix(name, "SCRAM-") }) {
		return reusableSecret
	}
	return secretUnseen
}
