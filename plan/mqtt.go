package plan

// MQTT is what a server has that speaks MQTT, beside what every server has.
type MQTT struct {
	// Only5 refuses clients of MQTT 3.1 and 3.1.1: the protocol of the server is mqtt5.
	Only5 bool

	// WebSocket says that clients speak MQTT inside WebSocket, on Path alone; an empty Path is any. Origins are those of
	// web pages that may connect; empty: those of the host that is dialled.
	WebSocket bool
	Path      string
	Origins   []string

	ClientIDs ClientIDs // what the broker sees of clients' ids

	// What the server's binding narrows, whatever the principal.
	ClientID     string    // the only client id; empty: any
	CleanSession *bool     // what a client must ask for; nil: either
	KeepAlive    int       // seconds; the most that a client may ask for; 0: any
	LastWill     *LastWill // the only will that a client may leave, if it leaves one; nil: any
}

// ClientIDs says what a broker sees of clients' ids.
type ClientIDs string

// The two ways.
const (
	DerivedIDs  ClientIDs = "derived"  // made of server, principal and client id: no two principals share one
	VerbatimIDs ClientIDs = "verbatim" // the clients' own: only where the broker binds ids to users itself
)

// LastWill is the will that a server binding describes. What is nil does not narrow.
type LastWill struct {
	Topic   string
	QoS     *int
	Message *string
	Retain  *bool
}
