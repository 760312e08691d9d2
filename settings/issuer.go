package settings

import (
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

// Issuer is an issuer of bearer tokens, and what its tokens must be.
type Issuer struct {
	At
	Issuer    Value[string] // default: that of the document's only openIdConnectUrl
	Audiences []Value[string]
	Audience  Value[string]   // claim with the audience
	Schemes   []Value[string] // of the document, that its tokens prove; none: all that no other issuer is for

	Discovery     Value[string] // URL; default: the well-known one of the issuer
	JWKS          Value[string] // URL
	Keys          Value[string] // path
	Introspection Introspection

	Algorithms []Value[string]
	Principal  Value[string]
	Prefix     Value[string]
	Scopes     []Value[string]
	Required   []RequiredClaim

	Skew, Refresh, MinInterval, MaxAge time.Duration // 0: the default

	CA          Value[string]
	Certificate Value[string]
	Key         Value[string]
}

// Introspection is how an issuer is asked about tokens.
type Introspection struct {
	At
	URL            Value[string]
	ClientID       Value[string]
	ClientSecret   Value[plan.Secret]
	Cache, Recheck time.Duration // 0: the default
}

// RequiredClaim is a claim that a token has to have. Without values it may be anything.
type RequiredClaim struct {
	At
	Claim  string
	Values []string
}

// TokenClient is who the gateway is at a token endpoint.
type TokenClient struct {
	Endpoint     Value[string]
	ClientID     Value[string]
	ClientSecret Value[plan.Secret]
	Certificate  Value[string]
	Key          Value[string]
	CA           Value[string]
}

// ClientCredentials is how the gateway gets a token of its own.
type ClientCredentials struct {
	At
	TokenClient
	Scopes   []Value[string]
	Audience Value[string]
}

// TokenExchange is how the gateway gets another token for a client's (RFC 8693).
type TokenExchange struct {
	At
	TokenClient   // not stated: as for the gateway's own token
	Audiences     []Value[string]
	Resources     []Value[string]
	Scopes        []Value[string]
	SubjectType   Value[string] // one of [TokenTypes]
	RequestedType Value[string] // one of [TokenTypes]
}
