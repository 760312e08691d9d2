package compile

// meaning is what a security scheme of a document is on the wire of a Kafka server.
type meaning struct {
	scheme string // type, as AsyncAPI spells it
	in     string // for apiKey: where the key travels; empty for all others

	mechanisms []string // that prove it, strongest first
	secret     string   // what the client presents; two schemes can be proved by one login only if it is the same

	refusal string // why it cannot be enforced; empty if it can
}

// Mechanism names, as IANA registers them. A plan speaks of them by name, and knows nothing of their workings.
const (
	scram512 = "SCRAM-SHA-512"
	scram256 = "SCRAM-SHA-256"
	plain    = "PLAIN"
	external = "EXTERNAL" // the TLS client certificate
)

// The things that a client presents.
const (
	password    = "a user's password"
	keyAsUser   = "a key as the user name"
	keyAsSecret = "a key as the password" // #nosec G101 -- words about a secret
	certificate = "a client certificate"
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

	{scheme: "oauth2", refusal: "tokens (OAUTHBEARER) come with a later version"},
	{scheme: "openIdConnect", refusal: "tokens (OAUTHBEARER) come with a later version"},
	{scheme: "http", refusal: "HTTP authentication on Kafka comes with a later version"},
	{scheme: "httpApiKey", refusal: "Kafka has no HTTP header, query or cookie to carry a key"},
	{scheme: "gssapi", refusal: "Kerberos comes with a later version"},
	{scheme: "symmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
	{scheme: "asymmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
}

// meaningOf looks a scheme up.
func meaningOf(scheme, in string) meaning {
	for _, m := range kafkaSchemes {
		if m.scheme == scheme && m.in == in {
			return m
		}
	}
	return meaning{scheme: scheme, in: in, refusal: "Kafka has no such scheme"}
}

// Supported are the scheme types that a Kafka server can enforce, strongest first.
func Supported() []string {
	var types []string
	for _, m := range kafkaSchemes {
		if m.refusal == "" && (len(types) == 0 || types[len(types)-1] != m.scheme) {
			types = append(types, m.scheme)
		}
	}
	return types
}
