// Package sasl holds every way of proving who you are, for every protocol and for both directions.
//
// A server offers [Mechanism] values; each runs one login as an [Exchange] whose last step carries either the
// [Principal] that was proved or the [Reject] that refused it. A client certificate is the mechanism EXTERNAL, an API
// key travels in PLAIN: there is no other road to a principal. The gateway's own logins, towards brokers, are [Client]
// exchanges.
//
// Mechanisms look credentials up in a [Directory]; package credentials has the one that reads a file. Bearer tokens are
// judged by [Tokens]; package tokens has the one that knows issuers.
package sasl

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"
)

// Mechanism names, as IANA registers them.
const (
	External    = "EXTERNAL"      // RFC 4422 appendix A: the TLS client certificate
	Plain       = "PLAIN"         // RFC 4616
	ScramSHA256 = "SCRAM-SHA-256" // RFC 7677
	ScramSHA512 = "SCRAM-SHA-512" // as Kafka and PostgreSQL-compatible servers name it
	OAuthBearer = "OAUTHBEARER"   // RFC 7628: a bearer token
)

// Names for roads on which credentials come without SASL. They stand where a mechanism's name does.
const (
	Password = "PASSWORD" // in MQTT's CONNECT: user name and password, a key or a token
	Basic    = "BASIC"    // in an HTTP request (RFC 7617): user name and password
	Header   = "BEARER"   // in an HTTP request (RFC 6750): a token
	HTTPKey  = "HTTP-KEY" // in an HTTP request: a key in a header, a query parameter or a cookie
)

// WithoutSASL reports whether a name is none of a SASL exchange: the certificate of TLS, or a road outside of it.
func WithoutSASL(mechanism string) bool {
	return mechanism == External || mechanism == Password || mechanism == Basic || mechanism == Header || mechanism == HTTPKey
}

// Mechanism is one way to log in. It is safe for concurrent use.
type Mechanism interface {
	Name() string
	// Start begins one login. The exchange is for one goroutine.
	Start(Peer) Exchange
}

// Exchange is one login under way.
type Exchange interface {
	// Next takes what the client sent and says what follows. After a step that is Done the exchange is over, and Next
	// must not be called again. It does not keep in.
	Next(ctx context.Context, in []byte) Step
}

// Step is the server's answer to one message of the client.
type Step struct {
	Out       []byte     // bytes for the client; may be empty, also beside a reject
	Principal *Principal // set when the login succeeded
	Reject    *Reject    // set when it was refused

	// Failed is why a login cannot succeed any more although the client has one message left to say so: OAUTHBEARER
	// shows the client an error and waits for its consent (RFC 7628 section 3.2.3). The step is not done. Whoever sees
	// the client leave instead has to record this reason.
	Failed *Reject
}

// Done reports whether the exchange is over.
func (s Step) Done() bool { return s.Principal != nil || s.Reject != nil }

// Peer is what is known of a client before it logs in.
type Peer struct {
	Server string         // name of the document's server that was dialled
	Remote netip.AddrPort // the client, after any PROXY protocol header
	TLS    *tls.ConnectionState
}

// Kind says what sort of credential proved a principal.
type Kind string

// The kinds, as the credentials file and `asyncgate credentials add --kind` spell them.
const (
	KindUser        Kind = "user"
	KindKey         Kind = "key"
	KindCertificate Kind = "certificate"
	KindToken       Kind = "token" // a bearer token: no credentials file holds one
)

// Principal is who was proved, and how.
type Principal struct {
	Name       string
	Mechanism  string
	Kind       Kind
	In         string            // for KindKey: "user" or "password", where PLAIN carried it; of HTTP as KeyPlace says
	Scopes     []string          // what the credential store grants it
	Attributes map[string]string // further facts about it from the credential store
	Expires    time.Time         // when the credential ends; zero: never
	Credential string            // identifies the credential to Directory.Check; says nothing secret

	Issuer string // for KindToken: who issued the token
	Proof  any    // for KindToken: what Tokens keeps to judge the principal again. It holds the token: never print it
	Token  *Token // for KindToken, of a mechanism that keeps it to be passed on; nil: it is not kept
}

// Stages of a connection, as the audit record names them.
const (
	StageAccept    = "accept"
	StageProxy     = "proxy"
	StageTLS       = "tls"
	StageHandshake = "handshake"
	StageLogin     = "login"
	StagePolicy    = "policy"
	StageRequest   = "request"
	StageUpstream  = "upstream"
	StageSession   = "session"
)

// Reject is a refusal. It is built where the rule is broken, rendered to the client in one place of each protocol, and
// written to the audit log. It is an error, so that it can travel as one.
type Reject struct {
	Stage   string // one of the Stage constants
	Code    string // stable word for the audit record, e.g. "unknown-user"
	Public  string // constant text for the client; never tells an unknown user from a wrong password
	Private string // the true reason, for the operator; never a credential

	Mechanism string // the mechanism that was under way; empty: none
	Claimed   string // the user name that the client has given, unproved; empty: none
}

// Error is the private reason, for logs.
func (r *Reject) Error() string { return r.Stage + ": " + r.Code + ": " + r.Private }
