package compile

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// plaintext reports what must not travel, or cannot be proved, without TLS.
func (c *compiler) plaintext(w *work, demands []demand) {
	if w.out.TLS != nil {
		return
	}
	lift := w.secured() + block(w.doc.Name, "tls: { certificate: gateway.pem, key: gateway.key }")
	for i := range demands {
		d := &demands[i]
		if d.broken || d.refusal != "" {
			continue
		}
		switch {
		case d.uses(external):
			c.add(plan.Error, "security/certificate-without-tls", d.at, strings.Replace(lift, ".key }", ".key, clientCA: clients-ca.pem }", 1),
				"%s needs a client certificate, and protocol %s has no TLS to show one in", d.names(), w.doc.Protocol.Value)
		case d.exposes() && w.set.UnsafePlaintextCredentials.V:
			c.add(plan.Warning, "security/plaintext-credentials", d.at, lift,
				"%s sends a reusable secret in clear text, as unsafePlaintextCredentials allows", d.names())
		case d.exposes():
			hint := lift
			if d.has("userPassword") && w.family == familyKafka {
				hint += "\nor write mechanisms: [SCRAM-SHA-512, SCRAM-SHA-256] there, which never send the password"
			}
			c.add(plan.Error, "security/plaintext-credentials", d.at, hint, "%s sends a reusable secret in clear text", d.names())
		default:
			c.add(plan.Warning, "security/plaintext-scram", d.at, lift,
				"%s hides the password, but nothing hides or protects what follows the login", d.names())
		}
	}
}

// exposes reports whether some scheme of the demand may send its secret as it is.
func (d *demand) exposes() bool {
	return d.uses(plain) || d.uses(bearer) || d.uses(inConnect) || d.uses(inRequest) || d.uses(inHeader) || d.uses(inHTTPKey)
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
