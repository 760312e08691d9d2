package compile

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// WellKnown is where an issuer's configuration is (OpenID Connect Discovery 1.0 section 4).
const WellKnown = "/.well-known/openid-configuration"

// issuers sets who is believed about tokens: the settings say it, and the document's openIdConnectUrl where it is the only
// one and they leave the issuer's name out.
func (c *compiler) issuers() {
	asked := false
	for i := range c.set.Issuers {
		s := &c.set.Issuers[i]
		out := plan.Issuer{
			Issuer: s.Issuer.V, Audiences: texts(s.Audiences), Audience: s.Audience.V, Discovery: s.Discovery.V, JWKS: s.JWKS.V, KeyFile: s.Keys.V,
			Algorithms: texts(s.Algorithms), Principal: s.Principal.V, Prefix: s.Prefix.V, Scopes: texts(s.Scopes),
			Skew: s.Skew, Refresh: s.Refresh, MinInterval: s.MinInterval, MaxAge: s.MaxAge,
			CA: s.CA.V, Certificate: s.Certificate.V, Key: s.Key.V,
		}
		for _, r := range s.Required {
			if out.Required == nil {
				out.Required = map[string][]string{}
			}
			out.Required[r.Claim] = r.Values
		}
		if out.Issuer == "" {
			out.Issuer = c.documentIssuer(s)
		}
		for _, other := range c.out.Tokens {
			if other.Issuer == out.Issuer && out.Issuer != "" {
				c.add(plan.Error, "settings/invalid-value", c.inSettings(s.At), "join the two", "issuer %s stands here twice", out.Issuer)
			}
		}
		for _, name := range s.Schemes {
			if !slices.ContainsFunc(c.doc.Schemes, func(d asyncapi.SecurityScheme) bool { return d.Key == name.V && takesTokens(&d) }) {
				c.add(plan.Error, "settings/unknown-scheme", c.inSettings(name.At), "", "the document has no security scheme %q that tokens could prove", name.V)
			}
		}
		if n := &s.Introspection; n.Stated() {
			out.Introspection = &plan.Introspection{
				URL: n.URL.V, ClientID: n.ClientID.V, ClientSecret: n.ClientSecret.V, Cache: n.Cache, Recheck: n.Recheck,
			}
			if n.ClientSecret.V == "" && out.Certificate == "" {
				c.add(plan.Error, "settings/missing-key", c.inSettings(n.At), "add clientId and clientSecret, or certificate and key to the issuer",
					"an issuer does not answer whoever asks it about a token")
			}
		}
		if out.Discovery == "" && out.JWKS == "" && out.KeyFile == "" {
			switch {
			case out.Introspection == nil && out.Issuer != "":
				out.Discovery = strings.TrimSuffix(out.Issuer, "/") + WellKnown
			case out.Introspection != nil && asked:
				c.add(plan.Error, "settings/invalid-value", c.inSettings(s.At), "give all but one of them discovery, jwks or keys",
					"a second issuer is only asked about tokens, and an opaque token does not say whose it is")
			case out.Introspection != nil:
				asked = true
			}
		}
		c.out.Tokens = append(c.out.Tokens, out)
	}
}

// documentIssuer is the issuer whose configuration the document points to; empty, and a problem, if there is not just one.
func (c *compiler) documentIssuer(s *settings.Issuer) string {
	var found []string
	for i := range c.doc.Servers {
		stated := c.doc.Servers[i].Security
		if stated == nil {
			continue
		}
		for _, q := range stated.Requirements {
			for _, use := range q.Schemes {
				if issuer, ok := strings.CutSuffix(use.Scheme.OpenIDConnectURL.Value, WellKnown); ok && !slices.Contains(found, issuer) {
					found = append(found, issuer)
				}
			}
		}
	}
	if len(found) == 1 && settings.SafeURL(found[0]) {
		return found[0]
	}
	c.add(plan.Error, "settings/missing-key", c.inSettings(s.At), "write issuer: https://…, as it stands in the claim iss of its tokens",
		"an issuer needs issuer, and the document has no single https openIdConnectUrl that ends with %s", WellKnown)
	return ""
}

// takesTokens reports whether a scheme is proved by a bearer token.
func takesTokens(s *asyncapi.SecurityScheme) bool {
	switch s.Type.Value {
	case "oauth2", "openIdConnect":
		return true
	case "http":
		return strings.EqualFold(s.HTTPScheme.Value, "bearer")
	}
	return false
}

// believe finds the issuers whose tokens prove a scheme: those that name it, else the one whose configuration the scheme
// points to, else all that are for no scheme in particular.
func (c *compiler) believe(d *demand, n *needed) {
	var named, same, others []string
	for i := range c.set.Issuers {
		s, issuer := &c.set.Issuers[i], c.out.Tokens[i]
		switch {
		case issuer.Issuer == "": // reported
		case slices.ContainsFunc(s.Schemes, func(v settings.Value[string]) bool { return v.V == n.key }):
			named = append(named, issuer.Issuer)
		case len(s.Schemes) > 0:
		case n.configuration != "" && (issuer.Discovery == n.configuration || issuer.Issuer+WellKnown == n.configuration):
			same = append(same, issuer.Issuer)
		default:
			others = append(others, issuer.Issuer)
		}
	}
	switch {
	case len(named) > 0:
		n.issuers = named
	case len(same) > 0:
		n.issuers = same
	default:
		n.issuers = others
		if n.configuration != "" && len(others) > 0 {
			c.add(plan.Warning, "settings/issuer-differs", d.at, "if that is meant, write schemes: ["+n.key+"] to that issuer",
				"%s points to %s, and the settings believe %s", d.names(), n.configuration, strings.Join(others, ", "))
		}
	}
	if len(n.issuers) > 0 || !c.opt.Deployment || d.refusal != "" {
		return
	}
	if slices.ContainsFunc(c.out.Tokens, func(i plan.Issuer) bool { return i.Issuer == "" }) {
		d.broken = true // and reported
		return
	}
	issuer := "https://ISSUER"
	if found, ok := strings.CutSuffix(n.configuration, WellKnown); ok {
		issuer = found
	}
	d.refusal = "the settings name no issuer of its tokens"
	d.lift = "write into asyncgate.yaml:\ntokens: { issuers: [{ issuer: " + issuer + ", audience: AUDIENCE }] }"
}

func texts(values []settings.Value[string]) []string {
	var list []string
	for _, v := range values {
		list = append(list, v.V)
	}
	return list
}

// issuerFiles are the files that issuers point to.
func (c *compiler) issuerFiles() {
	for i := range c.set.Issuers {
		s := &c.set.Issuers[i]
		for _, path := range []settings.Value[string]{s.Keys, s.CA, s.Certificate, s.Key} {
			c.file(path.V, path.At)
		}
		c.secret(s.Introspection.ClientSecret)
	}
}

// tokenClientFiles are the files of who the gateway is at a token endpoint.
func (c *compiler) tokenClientFiles(t *settings.TokenClient) {
	for _, path := range []settings.Value[string]{t.CA, t.Certificate, t.Key} {
		c.file(path.V, path.At)
	}
	c.secret(t.ClientSecret)
}
