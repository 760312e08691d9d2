package compile

import (
	"strconv"

	"github.com/asyncgate/asyncgate/plan"
)

// meaning is what a security scheme of a document is on the wire of a server.
type meaning struct {
	scheme string // type, as AsyncAPI spells it
	in     string // for apiKey: where the key travels; for http: its HTTP scheme; empty for all others

	mechanisms []string // that prove it, strongest first
	secret     string   // what the client presents; two schemes can be proved by one login only if it is the same

	exchange bool   // MQTT: it takes AUTH packets, and so MQTT 5
	warning  string // what to know of it though it can be enforced; empty: nothing
	refusal  string // why it cannot be enforced; empty if it can
}

// Mechanism names, as IANA registers them. A plan speaks of them by name, and knows nothing of their workings.
const (
	scram512 = "SCRAM-SHA-512"
	scram256 = "SCRAM-SHA-256"
	plain    = "PLAIN"
	bearer   = "OAUTHBEARER"
	external = "EXTERNAL" // the TLS client certificate

	// Of ours: user name and password without SASL.
	inConnect = "PASSWORD" // in MQTT's CONNECT
	inRequest = "BASIC"    // in the HTTP request that opens a WebSocket (RFC 7617)
	inHeader  = "BEARER"   // a token in that request (RFC 6750)
	inHTTPKey = "HTTP-KEY" // a key in that request
)

// The things that a client presents.
const (
	password    = "a user's password"
	keyAsUser   = "a key as the user name"
	keyAsSecret = "a key as the password" // #nosec G101 -- words about a secret
	certificate = "a client certificate"
	token       = "a bearer token" // #nosec G101 -- words about a secret
	keyInHTTP   = "a key in the HTTP request"
)

// kafkaSchemes is the table of schemes for Kafka. What is not in it does not exist: the reader refuses other types.
var kafkaSchemes = []meaning{
	{scheme: "scramSha512", mechanisms: []string{scram512}, secret: password},
	{scheme: "scramSha256", mechanisms: []string{scram256}, secret: password},
	{scheme: "plain", mechanisms: []string{plain}, secret: password},
	{scheme: "userPassword", mechanisms: []string{scram512, scram256, plain}, secret: password},
	{scheme: "apiKey", in: "user", mechanisms: []string{plain}, secret: keyAsUser},
	{scheme: "apiKey", in: "password", mechanisms: []string{plain}, secret: keyAsSecret},
	{scheme: "X509", mechanisms: []string{external}, secret: certificate},

	{scheme: "oauth2", mechanisms: []string{bearer}, secret: token},
	{scheme: "openIdConnect", mechanisms: []string{bearer}, secret: token},
	{scheme: "http", in: "bearer", mechanisms: []string{bearer}, secret: token,
		warning: "Kafka has no HTTP request, so the token is taken in OAUTHBEARER"},
	{scheme: "http", in: "basic", mechanisms: []string{plain}, secret: password,
		warning: "Kafka has no HTTP request, so user name and password are taken in PLAIN"},
	{scheme: "httpApiKey", refusal: "Kafka has no HTTP header, query or cookie to carry a key"},
	{scheme: "gssapi", refusal: "Kerberos comes with a later version"},
	{scheme: "symmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
	{scheme: "asymmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
}

// meaningOf looks a scheme up.
func (w *work) meaningOf(scheme, in string) meaning {
	for _, table := range w.schemes() {
		for _, m := range table {
			if m.scheme == scheme && (m.in == in || m.in == "" && m.refusal != "") {
				return m
			}
		}
	}
	refusal := w.speaks() + " has no such scheme"
	if scheme == "http" {
		refusal = "the HTTP scheme " + strconv.Quote(in) + " is none that the gateway knows"
	}
	return meaning{scheme: scheme, in: in, refusal: refusal}
}

// SilentScheme is what to suggest for a server whose document states no security.
func SilentScheme(s *plan.Server) string {
	if s.MQTT != nil {
		return "userPassword"
	}
	return "scramSha512"
}

// Supported are the scheme types that a server can enforce, strongest first.
func Supported(s *plan.Server) []string {
	table := kafkaSchemes
	if s.MQTT != nil {
		table = mqttSchemes
	}
	var types []string
	for _, m := range table {
		if m.refusal == "" && m.warning == "" && (len(types) == 0 || types[len(types)-1] != m.scheme) {
			types = append(types, m.scheme)
		}
	}
	return types
}
