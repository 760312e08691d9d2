package settings

import (
	"maps"
	"net/netip"
	neturl "net/url"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"
)

// signatures are the algorithms that an issuer may be narrowed to: those with a public key (RFC 7518, RFC 8037).
var signatures = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func (r *reader) tokens(s *Settings, n node) {
	r.object(n, "tokens", keys{"issuers": func(n node) {
		r.items(n, "a list of issuers", func(item node) {
			i := Issuer{At: item.at}
			r.issuer(&i, item)
			s.Issuers = append(s.Issuers, i)
		})
	}})
}

func (r *reader) issuer(i *Issuer, n node) {
	ok := r.object(n, "an issuer", keys{
		"issuer":        r.url(&i.Issuer),
		"audience":      r.oneOrMore(&i.Audiences),
		"audienceClaim": r.text(&i.Audience),
		"schemes":       r.texts(&i.Schemes),
		"discovery":     r.url(&i.Discovery),
		"jwks":          r.url(&i.JWKS),
		"keys":          r.path(&i.Keys),
		"introspection": func(n node) { r.introspection(&i.Introspection, n) },
		"algorithms":    r.choices(&i.Algorithms, signatures...),
		"principal":     r.text(&i.Principal),
		"prefix":        r.text(&i.Prefix),
		"scopes":        r.oneOrMore(&i.Scopes),
		"required":      func(n node) { r.required(i, n) },
		"skew":          r.duration(&i.Skew, time.Second, 5*time.Minute),
		"refresh":       r.duration(&i.Refresh, 10*time.Second, 24*time.Hour),
		"minInterval":   r.duration(&i.MinInterval, time.Second, time.Hour),
		"maxAge":        r.duration(&i.MaxAge, time.Minute, 7*24*time.Hour),
		"ca":            r.path(&i.CA),
		"certificate":   r.path(&i.Certificate),
		"key":           r.path(&i.Key),
	})
	if !ok {
		return
	}
	r.needs(n, "an issuer", "audience")
	if i.Certificate.Stated() != i.Key.Stated() {
		r.fault(n.at, "settings/missing-key", "", "certificate and key go together")
	}
	places := 0
	for _, stated := range []bool{i.Discovery.Stated(), i.JWKS.Stated(), i.Keys.Stated()} {
		if stated {
			places++
		}
	}
	if places > 1 {
		r.fault(n.at, "settings/invalid-value", "keep one of them", "discovery, jwks and keys each say where the keys are")
	}
}

func (r *reader) introspection(i *Introspection, n node) {
	i.At = n.at
	if r.object(n, "introspection", keys{
		"url":          r.url(&i.URL),
		"clientId":     r.text(&i.ClientID),
		"clientSecret": r.secret(&i.ClientSecret),
		"cache":        r.duration(&i.Cache, time.Second, time.Hour),
		"recheck":      r.duration(&i.Recheck, 5*time.Second, 24*time.Hour),
	}) {
		r.needs(n, "introspection", "url")
	}
	if i.ClientSecret.Stated() && !i.ClientID.Stated() {
		r.fault(n.at, "settings/missing-key", "", "clientSecret needs clientId")
	}
}

// required reads claims and what they may be: one value, several, or anything (true).
func (r *reader) required(i *Issuer, n node) {
	r.members(n, func(key string, _ At, val node) {
		c := RequiredClaim{At: val.at, Claim: key}
		var values []Value[string]
		if val.Kind == yaml.ScalarNode && val.Tag == "!!bool" && val.Value == "true" {
			i.Required = append(i.Required, c)
			return
		}
		r.oneOrMore(&values)(val)
		for _, v := range values {
			c.Values = append(c.Values, v.V)
		}
		if len(c.Values) > 0 {
			i.Required = append(i.Required, c)
		}
	})
}

func (r *reader) clientCredentials(c *ClientCredentials, n node) {
	c.At = n.at
	known := r.tokenClient(&c.TokenClient)
	known["scopes"], known["audience"] = r.texts(&c.Scopes), r.text(&c.Audience)
	if r.object(n, "token", known) {
		r.needs(n, "token", "endpoint", "clientId")
		r.proves(n, "token", &c.TokenClient)
	}
}

// TokenTypes are the kinds of tokens that can be exchanged, and their URIs (RFC 8693 section 3).
var TokenTypes = map[string]string{ // #nosec G101 -- names of types
	"access_token": "urn:ietf:params:oauth:token-type:access_token",
	"id_token":     "urn:ietf:params:oauth:token-type:id_token",
	"jwt":          "urn:ietf:params:oauth:token-type:jwt",
}

func (r *reader) exchange(x *TokenExchange, n node) {
	x.At = n.at
	types := slices.Sorted(maps.Keys(TokenTypes))
	known := r.tokenClient(&x.TokenClient)
	known["audience"], known["resource"], known["scopes"] = r.oneOrMore(&x.Audiences), r.urls(&x.Resources), r.texts(&x.Scopes)
	known["subjectTokenType"], known["requestedTokenType"] = r.choice(&x.SubjectType, types...), r.choice(&x.RequestedType, types...)
	if !r.object(n, "exchange", known) {
		return
	}
	if len(x.Audiences)+len(x.Resources)+len(x.Scopes) == 0 {
		r.fault(n.at, "settings/missing-key", "write audience: NAME, as the issuer calls the brokers", "exchange needs audience, resource or scopes: what is the new token for?")
	}
	switch {
	case x.ClientID.Stated():
		r.needs(n, "exchange", "endpoint")
		r.proves(n, "exchange", &x.TokenClient)
	case x.Endpoint.Stated() || x.ClientSecret.Stated() || x.Certificate.Stated() || x.Key.Stated() || x.CA.Stated():
		r.fault(n.at, "settings/missing-key", "write endpoint, clientId and clientSecret, or none of them: then they are those of sasl token", "exchange needs clientId")
	}
}

// tokenClient are the keys of who the gateway is at a token endpoint.
func (r *reader) tokenClient(c *TokenClient) keys {
	return keys{
		"endpoint":     r.url(&c.Endpoint),
		"clientId":     r.text(&c.ClientID),
		"clientSecret": r.secret(&c.ClientSecret),
		"certificate":  r.path(&c.Certificate),
		"key":          r.path(&c.Key),
		"ca":           r.path(&c.CA),
	}
}

// proves reports a client that has neither a secret nor a certificate.
func (r *reader) proves(n node, what string, c *TokenClient) {
	switch {
	case c.Certificate.Stated() != c.Key.Stated():
		r.fault(n.at, "settings/missing-key", "", "certificate and key go together")
	case !c.Certificate.Stated():
		r.needs(n, what, "clientSecret")
	}
}

// oneOrMore reads a string, or a list of strings that is not empty.
func (r *reader) oneOrMore(to *[]Value[string]) func(node) {
	return func(n node) {
		if n.Kind != yaml.SequenceNode {
			var v Value[string]
			if s, ok := r.scalar(n, "a string or a list of strings"); ok {
				v = Value[string]{n.at, s}
				*to = append(*to, v)
			}
			return
		}
		if r.texts(to)(n); len(n.Content) == 0 {
			r.invalid(n, "", "the list is empty")
		}
	}
}

func (r *reader) choices(to *[]Value[string], words ...string) func(node) {
	return func(n node) {
		ok := r.items(n, "a list", func(item node) {
			var v Value[string]
			if r.choice(&v, words...)(item); v.Stated() {
				*to = append(*to, v)
			}
		})
		if ok && len(n.Content) == 0 {
			r.invalid(n, "leave it out to allow all", "the list is empty")
		}
	}
}

// url reads the URL of an issuer: https, or http on this machine.
func (r *reader) url(to *Value[string]) func(node) {
	return func(n node) {
		s, ok := r.scalar(n, "an https:// address")
		if !ok {
			return
		}
		if !SafeURL(s) {
			r.invalid(n, "write https://HOST/PATH; http is for loopback only", "%q is no https:// address", s)
			return
		}
		*to = Value[string]{n.at, s}
	}
}

// urls reads one or more URLs without a fragment (RFC 8693 section 2.1): they name something, and are not asked.
func (r *reader) urls(to *[]Value[string]) func(node) {
	return func(n node) {
		before := len(*to)
		r.oneOrMore(to)(n)
		for _, v := range (*to)[before:] {
			if u, err := neturl.Parse(v.V); err != nil || u.Scheme == "" || u.Fragment != "" {
				r.fault(v.At, "settings/invalid-value", "write an absolute URI, such as https://kafka.example.org", "%s: %q is no absolute URI", name(v.At), v.V)
			}
		}
	}
}

// SafeURL reports whether an address may be asked for keys and tokens: https, or http that never leaves this machine.
func SafeURL(s string) bool {
	u, err := neturl.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	here := err == nil && ip.Unmap().IsLoopback() || u.Hostname() == "localhost"
	return u.Scheme == "https" || u.Scheme == "http" && here
}
