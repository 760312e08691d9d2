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
	ClientID     string // empty: the certificate says who asks
	ClientSecret Secret
	Cache        time.Duration // how long an answer is good for
	Recheck      time.Duration // how often it is asked about the tokens of open sessions
}

// ClientCredentials is how the gateway gets a token of its own (RFC 6749 section 4.4).
type ClientCredentials struct {
	Endpoint     string // URL of the issuer's token endpoint
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	Audience     string // parameter audience of the request; empty: not sent
	CA           string // path of the PEM bundle of its HTTPS; empty: the system's
}
