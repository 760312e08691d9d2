package lint

import (
	"net"
	"net/url"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// flowRules are about how a client gets its token.
var flowRules = []Rule{
	{"security/implicit-flow", plan.Warning, "The implicit flow hands out tokens in the address of a page.", implicitFlow},
	{"security/password-flow", plan.Warning, "The password flow has people type their password into the client.", passwordFlow},
	{"security/insecure-url", plan.Warning, "An issuer or a token endpoint is named with http instead of https.", insecureURL},
}

func implicitFlow(f *finder) {
	f.flows("implicit", func(s *asyncapi.SecurityScheme, flow asyncapi.Flow) {
		f.add(flow.Place, "use authorizationCode, with PKCE, which every client can do",
			"%s offers the implicit flow: its tokens end up in histories and logs (RFC 9700, section 2.1.2)", NameOf(s))
	})
}

func passwordFlow(f *finder) {
	f.flows("password", func(s *asyncapi.SecurityScheme, flow asyncapi.Flow) {
		f.add(flow.Place, "use authorizationCode for people and clientCredentials for programs",
			"%s offers the password flow: the client sees the password itself (RFC 9700, section 2.4)", NameOf(s))
	})
}

func (f *finder) flows(name string, each func(*asyncapi.SecurityScheme, asyncapi.Flow)) {
	f.inUse(func(s *asyncapi.SecurityScheme) {
		for _, flow := range s.Flows {
			if flow.Name == name {
				each(s, flow)
			}
		}
	})
}

func insecureURL(f *finder) {
	f.inUse(func(s *asyncapi.SecurityScheme) {
		f.address(s, "openIdConnectUrl", s.OpenIDConnectURL)
		for _, flow := range s.Flows {
			f.address(s, "authorizationUrl", flow.AuthorizationURL)
			f.address(s, "tokenUrl", flow.TokenURL)
			f.address(s, "refreshUrl", flow.RefreshURL)
		}
	})
}

// address reports a URL in clear text, unless it leads no further than the machine itself.
func (f *finder) address(s *asyncapi.SecurityScheme, field string, t asyncapi.Text) {
	u, err := url.Parse(strings.TrimSpace(t.Value))
	if err != nil || !strings.EqualFold(u.Scheme, "http") || loopback(u.Hostname()) {
		return
	}
	f.add(t.Place, "write https, which RFC 6749 and OpenID Connect ask for",
		"%s of %s begins with http: whoever is on the way can read tokens, or hand out keys of their own", field, NameOf(s))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
