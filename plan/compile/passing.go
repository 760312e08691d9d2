package compile

import (
	"slices"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// passingOn reports why the tokens of a server's clients could not be passed on, or must not be.
func (c *compiler) passingOn(w *work) {
	u := &w.set.Upstream
	at := c.inSettings(u.Identity.At)
	if u.Identity.V == plan.IdentityExchanged && !u.Exchange.Stated() {
		c.add(plan.Error, "settings/token-identity", at, "write exchange: { audience: NAME } beside it, with the name by which the issuer knows the brokers",
			"server %s exchanges its clients' tokens, and the settings do not say for what", w.doc.Name)
	}
	if !u.SASL.Token.Stated() {
		c.add(plan.Error, "settings/token-identity", at,
			"write sasl: { mechanism: OAUTHBEARER, token: { endpoint: …, clientId: …, clientSecret: … } } beside it",
			"clients of server %s are themselves to the brokers, and the gateway has no token of its own to follow the cluster with", w.doc.Name)
	}
	if !u.TLS.Stated() {
		c.add(plan.Error, "settings/token-identity", at, "add upstream tls",
			"the brokers would be shown the tokens of the clients of server %s in clear text", w.doc.Name)
	}
	if way, all := allByToken(w.out); !all {
		c.add(plan.Error, "settings/token-identity", at, "write identity: service, or let the document ask for a token in every alternative",
			"identity: %s, but clients get into server %s %s", u.Identity.V, w.doc.Name, way)
	}
}

// allByToken reports whether nobody gets into a server without a token in OAUTHBEARER. If somebody does, it says how.
func allByToken(s *plan.Server) (way string, all bool) {
	if s.AllowAnonymous || len(s.Alternatives) == 0 {
		return "without a login", false
	}
	without := ""
	some := false
	for _, a := range s.Alternatives {
		token := slices.ContainsFunc(a.All, func(r plan.Requirement) bool { return slices.Equal(r.Mechanisms, []string{bearer}) })
		switch {
		case !a.Enabled:
		case token:
			some = true
		case without == "" && len(a.All) > 0:
			without = "by " + a.All[0].Type + ", which is no token"
		case without == "":
			without = "without a login"
		}
	}
	return without, without == "" || s.RequireAll && some
}

// exchange sets how the tokens of a server's clients are exchanged. Who asks is who gets the gateway's own token, unless the
// settings say otherwise.
func (c *compiler) exchange(w *work) {
	u := &w.set.Upstream
	x := &u.Exchange
	switch {
	case !x.Stated():
		return
	case u.Identity.V != plan.IdentityExchanged:
		c.noEffect(w, x.At, "exchange counts with identity: exchanged-token alone")
		return
	}
	client := &x.TokenClient
	if !client.ClientID.Stated() {
		client = &u.SASL.Token.TokenClient
	}
	w.out.Upstream.Exchange = &plan.TokenExchange{
		TokenClient: tokenClient(client), Audiences: texts(x.Audiences), Resources: texts(x.Resources), Scopes: texts(x.Scopes),
		SubjectType: tokenType(x.SubjectType), RequestedType: tokenType(x.RequestedType),
	}
}

// tokenType is the URI of a kind of tokens; that of access tokens where nothing is said.
func tokenType(v settings.Value[string]) string {
	if uri, ok := settings.TokenTypes[v.V]; ok {
		return uri
	}
	return settings.TokenTypes["access_token"]
}

func tokenClient(t *settings.TokenClient) plan.TokenClient {
	return plan.TokenClient{
		Endpoint: t.Endpoint.V, ClientID: t.ClientID.V, ClientSecret: t.ClientSecret.V,
		Certificate: t.Certificate.V, Key: t.Key.V, CA: t.CA.V,
	}
}
