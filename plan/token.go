package plan

import "time"

// Issuer is an issuer of bearer tokens that servers believe, and what its tokens must be. What is zero has the default
// of package tokens.
type Issuer struct {
	Issuer    string   // the claim iss, exactly
	Audiences []string // the claim with the audience has to have one of them
	Audience  string   // that claim

	// Where its keys are: one of these at most, and none only where the issuer is asked about every token.
	Discovery string // URL of its OpenID configuration, which names the URL of its keys
	JWKS      string // URL of its keys
	KeyFile   string // path of a JWK set, or of PEM public keys and certificates

	Introspection *Introspection // nil: it is not asked

	Algorithms []string // of signatures; empty: every one with a public key
	Principal  string   // claim with the principal's name
	Prefix     string   // what the name begins with before the claim
	Scopes     []string // claims with scopes
	Required   map[string][]string

	Skew        time.Duration // how far its clock and ours may differ
	Refresh     time.Duration // age at which keys are renewed in the background
	MinInterval time.Duration // between two fetches of keys
	MaxAge      time.Duration // for how long keys and answers count while the issuer cannot be reached

	CA          string // path of the PEM bundle of its HTTPS; empty: the system's
	Certificate string // path of the PEM chain that is shown to it; empty: none
	Key         string // path of its private key
}

// Introspection is how an issuer is asked about tokens (RFC 7662).
type Introspection struct {
	URL          string
	ClientID     string        // empty: the certificate is enough
	ClientSecret Secret        // empty: the certificate proves ClientID
	Cache        time.Duration // how long an answer is good for
	Recheck      time.Duration // how often it is asked about the tokens of open sessions
}

// TokenClient is who the gateway is at the token endpoint of an issuer: by a secret, or by a certificate (RFC 8705 section
// 2).
type TokenClient struct {
	Endpoint     string // URL
	ClientID     string
	ClientSecret Secret `json:",omitempty"` // empty: the certificate says who asks
	Certificate  string `json:",omitempty"` // path of the PEM chain that is shown to it; empty: none
	Key          string `json:",omitempty"` // path of its private key
	CA           string // path of the PEM bundle of its HTTPS; empty: the system's
}

// ClientCredentials is how the gateway gets a token of its own (RFC 6749 section 4.4).
type ClientCredentials struct {
	TokenClient
	Scopes   []string
	Audience string // parameter audience of the request; empty: not sent
}

// TokenExchange is how the gateway gets, for a client's token, another for the brokers (RFC 8693). What is empty is not
// sent.
type TokenExchange struct {
	TokenClient
	Audiences     []string // names of whom the new token is for, as the issuer calls them
	Resources     []string // URLs of them
	Scopes        []string
	SubjectType   string // URI of the type of clients' tokens
	RequestedType string // URI of the type of the new token
}
