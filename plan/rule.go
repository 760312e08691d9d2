package plan

// Enforce says how far a document is enforced.
type Enforce string

// The ways to enforce. Connections is that of a plan made without settings.
const (
	Connections Enforce = "connections" // who connects, and nothing about what they do then
	Operations  Enforce = "operations"  // also every request: what no rule or grant allows is denied
	Observe     Enforce = "observe"     // as Operations, but what would be denied passes and is recorded
)

// Action is what a principal does to a resource.
type Action string

// The actions that an operation of a document can allow, seen from the client.
const (
	Produce Action = "produce" // Kafka: write to a topic; MQTT: publish
	Consume Action = "consume" // Kafka: read from a topic; MQTT: subscribe, and be delivered to
)

// The other actions that can be asked about, on Kafka. No operation of a document names them.
const (
	Describe Action = "describe" // see that a topic, group or transactional id exists, and how it is; whoever may use it may
	Use      Action = "use"      // a group or transactional id: any use
	Create   Action = "create"   // a topic; by a grant
	Delete   Action = "delete"   // a topic, or records of it; by a grant
)

// Rule is one thing that an operation of the document allows.
type Rule struct {
	Action    Action
	Address   string // channel address as the document writes it, or the topic that a Kafka binding names
	Segments  []Segment
	Operation string // name of the operation; operationId, or the channel and the verb, in 2.x
	File      string // of the operation
	Line      int    // of the operation, from 1
	Pointer   string // JSON pointer of the operation

	// Alternatives are the operation's own security, of which one must be met besides the server's. Stated is whether
	// there is any: a rule whose alternatives are all disabled allows nobody. Without own security every principal that
	// the server admits may.
	Stated       bool
	Alternatives []Alternative

	Narrow Narrow
}

// Segment is a piece of a channel address: literal text, or one parameter.
type Segment struct {
	Literal   string
	Parameter *Parameter // nil: literal
}

// Parameter is a {parameter} of a channel address. It stands for one run of [a-zA-Z0-9_-] on Kafka and for one level of
// a topic on MQTT, never for nothing, and may be narrowed further. What is zero does not narrow.
type Parameter struct {
	Name      string
	Enum      []string // the only values there are
	Pattern   string   // RE2 expression that is searched for in the value, as JSON Schema has it
	MinLength int      // in characters
	MaxLength int      // in characters; 0: no bound
	Integer   bool     // decimal, with an optional minus sign
	Dots      bool     // Kafka: the settings let the value contain dots too
	Principal string   // the value must equal this of the principal: "name", or the name of an attribute
}

// Narrow is what the bindings of an operation demand beyond its address. What is zero does not narrow.
type Narrow struct {
	GroupID  *Values // Kafka, consume: the group must be one of these
	ClientID *Values // Kafka: proves nothing, since clients choose it; a warning unless the settings want it
	QoS      []int   // MQTT: the QoS levels that are allowed; empty: all
	Retain   *bool   // MQTT, produce: whether the retain flag must or must not be set; nil: may be set or not
}

// Values is a set of strings, as a JSON Schema of type string describes it. What is zero does not narrow.
type Values struct {
	Enum    []string
	Pattern string // RE2 expression that is searched for
}

// Grant is something that the settings allow beyond the document.
type Grant struct {
	Principal string   // name; "*": every principal
	Actions   []Action // Produce, Consume, Create and Delete for topics; for groups and transactions empty: any use
	Kind      string   // "topic", "group" or "transaction"
	Name      string   // exactly this one, or
	Prefix    string   // everything that begins so
	File      string   // the settings
	Line      int      // in the settings, from 1
}
