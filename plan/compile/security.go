package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// demand is one requirement of a server while it is judged.
type demand struct {
	at      place
	schemes []needed
	broken  bool   // the reader refused it, and has said why
	refusal string // why it cannot be enforced; empty if it can
	lift    string // what the settings would have to say for it to be enforced; empty: nothing helps
	clash   bool   // each of its schemes can be enforced, but not all of them on one connection
}

// needed is one scheme of a demand.
type needed struct {
	meaning
	key     string
	pointer string
	scopes  []string

	name          string   // of the header, parameter or cookie with a key
	configuration string   // of the issuer that the scheme points to (openIdConnectUrl); empty: none
	issuers       []string // whose tokens prove it
}

// security sets the ways in of a server.
func (c *compiler) security(w *work) {
	demands := c.demands(w)
	w.out.RequireAll = w.set.RequireAll.V
	usable := 0
	for i := range demands {
		d := &demands[i]
		c.satisfy(w, d)
		if d.refusal == "" && !d.broken {
			usable++
		}
	}
	for i := range demands {
		c.refused(w, &demands[i], usable)
	}
	if w.out.RequireAll && usable > 1 {
		c.requireAll(w, demands)
	}
	w.ways = waysIn(demands, w.out.RequireAll)
	for i := range demands {
		w.out.Alternatives = append(w.out.Alternatives, demands[i].alternative())
	}
	c.plaintext(w, demands)
	c.clientAuth(w)
	if len(w.set.Mechanisms) > 0 && !slices.ContainsFunc(demands, func(d demand) bool { return d.has("userPassword") && w.family == familyKafka }) {
		c.add(plan.Warning, "settings/no-effect", c.inSettings(w.set.Mechanisms[0].At), "",
			"mechanisms narrows what userPassword offers on Kafka, and server %s does not have it", w.doc.Name)
	}
}

// demands are the requirements that count: the document's, or the settings' where the document is silent.
func (c *compiler) demands(w *work) []demand {
	stated, own := w.doc.Security, w.set.Security
	silent := stated == nil || len(stated.Requirements) == 0
	if !silent {
		if own.Stated() {
			c.add(plan.Error, "settings/security-stated", c.inSettings(own.At), "remove it here, or change the document",
				"the document states the security of server %s", w.doc.Name)
		}
		if w.set.AllowAnonymous.V {
			c.add(plan.Error, "settings/security-stated", c.inSettings(w.set.AllowAnonymous.At), "remove it here, or change the document",
				"the document states the security of server %s, so nobody gets in without it", w.doc.Name)
		}
		return c.documentDemands(w, stated)
	}
	switch {
	case own.Stated() && w.set.AllowAnonymous.V:
		c.add(plan.Error, "settings/invalid-value", c.inSettings(w.set.AllowAnonymous.At), "keep one of the two",
			"server %s has both security and allowAnonymous", w.doc.Name)
	case w.set.AllowAnonymous.V:
		w.out.AllowAnonymous = true
		c.add(plan.Warning, "security/anonymous", c.inSettings(w.set.AllowAnonymous.At), "", "server %s lets everyone in", w.doc.Name)
	case !own.Stated():
		c.noSecurity(w)
	}
	return c.settingsDemands(w)
}

// noSecurity reports a server that anyone could connect to.
func (c *compiler) noSecurity(w *work) {
	at, message := w.at, "the document states no security for server %s, so anyone could connect"
	if w.doc.Security != nil {
		at = inDocument(w.doc.Security.Place)
		message = "security of server %s is an empty list, so anyone could connect"
		if w.secure() {
			message += "; TLS alone proves nobody"
		}
	}
	hint := "state it in the document, or " + block(w.doc.Name, fmt.Sprintf("security: [%s]   # or %s", w.silentScheme(), w.otherSchemes())) +
		"\nif everyone may connect, write allowAnonymous: true there instead of security"
	c.add(plan.Error, "security/none", at, hint, message, w.doc.Name)
}

func (c *compiler) documentDemands(w *work, s *asyncapi.Security) []demand {
	var list []demand
	for _, q := range s.Requirements {
		d := demand{at: inDocument(q.Place), broken: q.Broken}
		for _, use := range q.Schemes {
			n := needed{meaning: w.meaningOf(use.Scheme.Type.Value, schemePlace(use.Scheme)), key: use.Scheme.Key, pointer: use.Scheme.Pointer,
				configuration: use.Scheme.OpenIDConnectURL.Value, name: use.Scheme.Name.Value}
			for _, scope := range use.Scopes {
				n.scopes = append(n.scopes, scope.Value)
			}
			d.schemes = append(d.schemes, n)
		}
		if len(q.Schemes) == 0 && !q.Broken {
			c.add(plan.Error, "security/empty-requirement", d.at, "remove it, or name a scheme in it",
				"this requirement names no scheme, so anyone could connect")
			d.broken = true
		}
		if len(q.Schemes) > 1 {
			c.add(plan.Note, "security/all-of", d.at, "write one item for each if one is enough", "%s are all needed together", d.names())
		}
		list = append(list, d)
	}
	return list
}

// schemePlace tells schemes of one type apart.
func schemePlace(s *asyncapi.SecurityScheme) string {
	switch s.Type.Value {
	case "apiKey", "httpApiKey":
		return s.In.Value
	case "http":
		return strings.ToLower(s.HTTPScheme.Value)
	}
	return ""
}

func (c *compiler) settingsDemands(w *work) []demand {
	var list []demand
	for _, s := range w.set.Security.V {
		at := c.inSettings(s.At)
		switch {
		case !slices.Contains(asyncapi.SchemeTypes(), s.Type):
			c.add(plan.Error, "settings/invalid-value", at, "choose from "+strings.Join(Supported(w.out), ", "),
				"there is no security scheme of type %q", s.Type)
			continue
		case s.Type == "apiKey" && s.In == "":
			c.add(plan.Error, "settings/missing-key", at, "write { type: apiKey, in: user } or { type: apiKey, in: password }",
				"apiKey needs the place of the key")
			continue
		case s.Type != "apiKey" && s.In != "":
			c.add(plan.Error, "settings/invalid-value", at, "", "only apiKey has a place (in)")
			continue
		}
		list = append(list, demand{at: at, schemes: []needed{{meaning: w.meaningOf(s.Type, s.In), pointer: at.pointer}}})
	}
	return list
}

// names are the schemes of a demand, for messages.
func (d *demand) names() string {
	var names []string
	for _, n := range d.schemes {
		if n.key != "" {
			names = append(names, fmt.Sprintf("%s (%s)", n.key, n.scheme))
		} else {
			names = append(names, n.scheme)
		}
	}
	return strings.Join(names, " and ")
}

func (d *demand) alternative() plan.Alternative {
	a := plan.Alternative{Enabled: d.refusal == "" && !d.broken}
	for _, n := range d.schemes {
		a.All = append(a.All, plan.Requirement{
			Scheme: n.key, Pointer: n.pointer, Type: n.scheme, In: n.in, Name: n.name, Mechanisms: n.mechanisms, Scopes: n.scopes, Issuers: n.issuers,
		})
	}
	return a
}
