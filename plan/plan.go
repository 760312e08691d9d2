// Package plan holds the compiled form of an AsyncAPI document and its settings: for every server of the document its
// listener, what a client must prove, what it may then do, and which brokers stand behind it.
//
// A plan is pure data. Package plan/compile makes one, `asyncgate check` prints one, and it is the only thing that the
// running gateway reads: it never sees the document or the settings.
package plan

import "time"

// Plan is everything the gateway needs to know to run one document.
type Plan struct {
	Document string // path of the document as it was given; "<stdin>" for standard input
	AsyncAPI string // version of the specification that the document names, e.g. "3.0.0"
	Title    string // info.title of the document

	Servers []Server // in the order of the document

	Credentials string   // path of the credentials file; empty if the settings name none
	DecoySecret Secret   // keys the decoy salts of unknown SCRAM users; empty: random at each start
	Admins      []string // names of the principals that may use the admin APIs of a protocol
	Enforce     Enforce  // how far the document is enforced
	Grants      []Grant  // what the settings allow beyond the document
	Tokens      []Issuer `json:",omitempty"` // who is believed about bearer tokens
	Limits      Limits
	Admin       string // host:port of the metrics and health endpoints; empty: not served

	Files []string // every file the plan was made from or points to; a change in one is a reason to reload
}

// Server is one entry of the document's servers: one listener of the gateway.
type Server struct {
	Name     string
	Protocol string // as the document writes it: kafka, kafka-secure, mqtt, …
	Pointer  string // JSON pointer of the server in the document

	// Enforced is false for a server that the gateway leaves alone; Note then says why: another protocol, switched
	// off, or not served for lack of something that the problems name.
	Enforced bool
	Note     string

	Listen    string  // host:port to bind; an empty host is every interface, port 0 a free port
	Advertise Address // what clients are told to dial; port 0 is the port that is bound

	// SharesListener names the server whose listener also serves this one: servers of equal protocol, security and
	// upstream are one listener with several names. Empty for a server with a listener of its own.
	SharesListener string

	ProxyProtocol bool // every connection must begin with a PROXY protocol header, v1 or v2
	TLS           *TLS // nil: plaintext to the client

	// Alternatives are the ways in, of which one suffices (all enabled ones if RequireAll). A server without any is
	// open to everyone only if AllowAnonymous says so.
	Alternatives   []Alternative
	RequireAll     bool
	AllowAnonymous bool

	// MaxSession bounds how long a login is good for; the client is told to log in again before (KIP-368 on Kafka).
	// Zero: as long as the credential itself.
	MaxSession time.Duration

	Upstream Upstream
	Brokers  Brokers // Kafka
	MQTT     *MQTT   // nil: Kafka

	Rules []Rule // what the document's operations allow on this server; shown, but not enforced, if Enforce is Connections
}

// Alternative is one way in: all of its requirements must be met on one connection.
type Alternative struct {
	Enabled bool // false: it contains a scheme that cannot be enforced; a problem says which and why
	All     []Requirement
}

// Requirement is one security scheme that a client must prove.
type Requirement struct {
	Scheme  string // key under components/securitySchemes; empty for a scheme written inline
	Pointer string // JSON pointer of the scheme in the document, or in the settings if they state it
	Type    string // the scheme's type as AsyncAPI spells it: scramSha512, X509, apiKey, …
	In      string // for apiKey: "user" or "password"; for http: its HTTP scheme, e.g. "basic"; for httpApiKey: "header", "query" or "cookie"
	Name    string `json:",omitempty"` // for httpApiKey: of the header, parameter or cookie

	// Mechanisms prove it, strongest first, by their SASL names. EXTERNAL is a client certificate; PASSWORD is user name
	// and password in MQTT's CONNECT, BASIC those in the HTTP request that opens a WebSocket, BEARER and HTTP-KEY a token or a key in it.
	Mechanisms []string

	Scopes  []string // scopes the principal must have; nil means none
	Issuers []string `json:",omitempty"` // for tokens: the issuers whose tokens prove it
}

// SwitchedOff is the Note of a server that the settings or the command line leave out.
const SwitchedOff = "switched off"

// Address is a host and port that somebody dials.
type Address struct {
	Host string
	Port uint16
}

// TLS is how a server proves itself to clients, and whose client certificates it believes.
type TLS struct {
	Certificate string   // path of the PEM chain, leaf first; empty only in a plan judged without settings
	Key         string   // path of the PEM private key
	ClientCA    string   // path of the PEM bundle of client CAs; empty: client certificates are not asked for
	CRL         string   // path of the PEM or DER revocation list of those CAs; empty: revocation is not checked
	ClientAuth  AuthMode // what a client certificate means here
}

// AuthMode is what a server wants of a client certificate. Whichever it is, a certificate that does not verify is
// refused.
type AuthMode int

// The modes, weakest first.
const (
	CertificateNone     AuthMode = iota // not asked for
	CertificateOptional                 // asked for; another scheme may stand in for it
	CertificateRequired                 // no connection without one
)

// Upstream is the real brokers behind a server, and who the gateway is to them.
type Upstream struct {
	// Bootstrap is host:port of each broker to begin with; on MQTT it is the one broker, as a URL with port: mqtt://,
	// mqtts://, ws:// or wss://. At least one for an enforced server that is run.
	Bootstrap []string
	TLS       *UpstreamTLS // nil: plaintext
	Identity  string       // IdentityService; on MQTT also IdentityPrincipal, on Kafka also IdentityToken and IdentityExchanged
	SASL      *UpstreamSASL
	Exchange  *TokenExchange `json:",omitempty"` // of IdentityExchanged

	Username string // MQTT: the gateway's own user name; empty: none
	Password Secret // MQTT: the gateway's own password; empty: none
}

// Who the gateway is to the brokers.
const (
	IdentityService   = "service"   // itself, for every client
	IdentityPrincipal = "principal" // the client's principal by name, as the user name
	IdentityToken     = "token"     // the client, by the token that it has logged in with; the gateway itself where it follows the cluster

	// IdentityExchanged is the client too, by a token that the gateway gets for the client's.
	IdentityExchanged = "exchanged-token"
)

// UpstreamTLS is how the gateway recognises the brokers, and the certificate it shows them.
type UpstreamTLS struct {
	CA          string // path of the PEM bundle; empty: the system's
	ServerName  string // name to expect in every broker's certificate; empty: the host that is dialled
	Certificate string // path of the client certificate chain; empty: none is shown
	Key         string // path of its private key
}

// UpstreamSASL is how the gateway logs in to the brokers.
type UpstreamSASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER
	Username  string
	Password  Secret
	Token     *ClientCredentials `json:",omitempty"` // for OAUTHBEARER, in place of a user name and password
}

// Brokers is how the brokers behind a Kafka server get addresses of their own at the gateway. Either the ports First to
// Last, broker N at First + N − FirstID, or SNI names on the server's own port.
type Brokers struct {
	First, Last uint16 // both 0 with an empty SNI: a free port for each broker, as they are seen
	FirstID     int32
	SNI         string // template such as "broker-{id}.kafka.example.org"
}

// Secret is a reference to a secret, never the secret itself: "file:PATH" with an absolute path, or "env:NAME".
type Secret string
