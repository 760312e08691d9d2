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
	clash   bool   // each of its schemes can be enforced, but not all of them on one connection
}

// needed is one scheme of a demand.
type needed struct {
	meaning
	key     string
	pointer string
	scopes  []string
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
	for i := range demands {
		w.out.Alternatives = append(w.out.Alternatives, demands[i].alternative())
	}
	c.plaintext(w, demands)
	c.clientAuth(w)
	if len(w.set.Mechanisms) > 0 && !slices.ContainsFunc(demands, func(d demand) bool { return d.has("userPassword") }) {
		c.add(plan.Warning, "settings/no-effect", c.inSettings(w.set.Mechanisms[0].At), "",
			"mechanisms narrows what userPassword offers, and server %s does not have it", w.doc.Name)
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
		return c.documentDemands(stated)
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
		if w.doc.Protocol.Value == "kafka-secure" {
			message += "; TLS alone proves nobody"
		}
	}
	hint := "state it in the document, or " + block(w.doc.Name, "security: [scramSha512]   # or scramSha256, userPassword, plain, X509") +
		"\nif everyone may connect, write allowAnonymous: true there instead of security"
	c.add(plan.Error, "security/none", at, hint, message, w.doc.Name)
}

func (c *compiler) documentDemands(s *asyncapi.Security) []demand {
	var list []demand
	for _, q := range s.Requirements {
		d := demand{at: inDocument(q.Place), broken: q.Broken}
		for _, use := range q.Schemes {
			n := needed{meaning: meaningOf(use.Scheme.Type.Value, keyPlace(use.Scheme)), key: use.Scheme.Key, pointer: use.Scheme.Pointer}
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

// keyPlace is `in` where it tells schemes of one type apart on Kafka.
func keyPlace(s *asyncapi.SecurityScheme) string {
	if s.Type.Value == "apiKey" {
		return s.In.Value
	}
	return ""
}

func (c *compiler) settingsDemands(w *work) []demand {
	var list []demand
	for _, s := range w.set.Security.V {
		at := c.inSettings(s.At)
		switch {
		case !slices.Contains(asyncapi.SchemeTypes(), s.Type):
			c.add(plan.Error, "settings/invalid-value", at, "choose from "+strings.Join(Supported(), ", "),
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
		list = append(list, demand{at: at, schemes: []needed{{meaning: meaningOf(s.Type, s.In), pointer: at.pointer}}})
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

// satisfy finds out whether one client can prove all of a demand on one connection, and by which mechanisms.
func (c *compiler) satisfy(w *work, d *demand) {
	for i := range d.schemes {
		n := &d.schemes[i]
		if n.refusal != "" && d.refusal == "" {
			d.refusal = n.refusal
		}
		if n.scheme == "userPassword" && len(w.set.Mechanisms) > 0 {
			n.mechanisms = slices.DeleteFunc(slices.Clone(n.mechanisms), func(m string) bool {
				for _, allowed := range w.set.Mechanisms {
					if allowed.V == m {
						return false
					}
				}
				return true
			})
		}
	}
	if d.refusal == "" && !d.broken {
		var all []*needed
		for i := range d.schemes {
			all = append(all, &d.schemes[i])
		}
		d.refusal = together(all)
		d.clash = d.refusal != ""
	}
}

// together narrows schemes to the mechanisms that prove all of them: there is one SASL login on a connection, beside
// one client certificate. It answers why there is no such mechanism.
func together(all []*needed) string {
	var login *needed
	var common []string
	for _, n := range all {
		switch {
		case n.secret == certificate:
		case login == nil:
			login, common = n, n.mechanisms
		case n.secret != login.secret:
			return fmt.Sprintf("one login cannot carry both %s and %s", login.secret, n.secret)
		default:
			common = slices.DeleteFunc(slices.Clone(common), func(m string) bool { return !slices.Contains(n.mechanisms, m) })
			if len(common) == 0 {
				return fmt.Sprintf("no mechanism proves both %s and %s", login.scheme, n.scheme)
			}
		}
	}
	for _, n := range all {
		if n.secret != certificate {
			n.mechanisms = common
		}
	}
	return ""
}

// refused reports a demand that cannot be met: alone it stops the start, beside others it is left out.
func (c *compiler) refused(w *work, d *demand, usable int) {
	if d.refusal == "" || d.broken {
		return
	}
	hint := "Kafka servers can enforce " + strings.Join(Supported(), ", ")
	switch {
	case usable > 0 && !w.out.RequireAll:
		c.add(plan.Warning, "security/alternative-disabled", d.at, "", "%s is no way in: %s", d.names(), d.refusal)
	case d.clash:
		c.add(plan.Error, "security/unsatisfiable", d.at, "make each an item of its own if one of them is enough", "%s cannot be proved together: %s", d.names(), d.refusal)
	default:
		c.add(plan.Error, "security/unsupported-scheme", d.at, hint, "%s cannot be enforced: %s", d.names(), d.refusal)
	}
}

// requireAll judges the demands as one: the settings want all of them at once.
func (c *compiler) requireAll(w *work, demands []demand) {
	var all []*needed
	for i := range demands {
		if demands[i].broken || demands[i].refusal != "" {
			return // an error already
		}
		for j := range demands[i].schemes {
			all = append(all, &demands[i].schemes[j])
		}
	}
	if why := together(all); why != "" {
		c.add(plan.Error, "security/unsatisfiable", c.inSettings(w.set.RequireAll.At), "remove requireAll",
			"the schemes of server %s cannot be proved together: %s", w.doc.Name, why)
	}
}

func (d *demand) alternative() plan.Alternative {
	a := plan.Alternative{Enabled: d.refusal == "" && !d.broken}
	for _, n := range d.schemes {
		a.All = append(a.All, plan.Requirement{
			Scheme: n.key, Pointer: n.pointer, Type: n.scheme, In: n.in, Mechanisms: n.mechanisms, Scopes: n.scopes,
		})
	}
	return a
}

// plaintext reports what must not travel, or cannot be proved, without TLS.
func (c *compiler) plaintext(w *work, demands []demand) {
	if w.out.TLS != nil {
		return
	}
	lift := "change the protocol to kafka-secure, or " + block(w.doc.Name, "tls: { certificate: gateway.pem, key: gateway.key }")
	for i := range demands {
		d := &demands[i]
		if d.broken || d.refusal != "" {
			continue
		}
		switch {
		case d.uses(external):
			c.add(plan.Error, "security/certificate-without-tls", d.at, strings.Replace(lift, ".key }", ".key, clientCA: clients-ca.pem }", 1),
				"%s needs a client certificate, and protocol kafka has no TLS to show one in", d.names())
		case d.uses(plain) && w.set.UnsafePlaintextCredentials.V:
			c.add(plan.Warning, "security/plaintext-credentials", d.at, lift,
				"%s sends a reusable secret in clear text, as unsafePlaintextCredentials allows", d.names())
		case d.uses(plain):
			hint := lift
			if d.has("userPassword") {
				hint += "\nor write mechanisms: [SCRAM-SHA-512, SCRAM-SHA-256] there, which never send the password"
			}
			c.add(plan.Error, "security/plaintext-credentials", d.at, hint, "%s sends a reusable secret in clear text", d.names())
		default:
			c.add(plan.Warning, "security/plaintext-scram", d.at, lift,
				"%s hides the password, but nothing hides or protects what follows the login", d.names())
		}
	}
}

// uses reports whether some scheme of the demand offers a mechanism.
func (d *demand) uses(mechanism string) bool {
	return slices.ContainsFunc(d.schemes, func(n needed) bool { return slices.Contains(n.mechanisms, mechanism) })
}

// has reports whether a scheme type is part of the demand.
func (d *demand) has(scheme string) bool {
	return slices.ContainsFunc(d.schemes, func(n needed) bool { return n.scheme == scheme })
}

// clientAuth sets what a client certificate means: required if there is no way in without one.
func (c *compiler) clientAuth(w *work) {
	if w.out.TLS == nil {
		return
	}
	with, without := 0, 0
	for _, a := range w.out.Alternatives {
		switch {
		case !a.Enabled:
		case slices.ContainsFunc(a.All, func(q plan.Requirement) bool { return slices.Contains(q.Mechanisms, external) }):
			with++
		default:
			without++
		}
	}
	switch {
	case with > 0 && (without == 0 || w.out.RequireAll):
		w.out.TLS.ClientAuth = plan.CertificateRequired
	case with > 0:
		w.out.TLS.ClientAuth = plan.CertificateOptional
	case w.set.TLS.ClientCA.Stated():
		c.add(plan.Warning, "settings/no-effect", c.inSettings(w.set.TLS.ClientCA.At), "",
			"clientCA counts for nothing: server %s has no X509 among its security", w.doc.Name)
		w.out.TLS.ClientCA, w.out.TLS.CRL = "", ""
	}
}
