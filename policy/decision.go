package policy

import "github.com/asyncgate/asyncgate/plan"

// Kind is what sort of thing is acted upon.
type Kind uint8

// The kinds, as `asyncgate explain --resource` spells them.
const (
	Topic       Kind = iota // a Kafka topic, an MQTT topic, or for Consume an MQTT topic filter
	Group                   // a consumer or share group of Kafka
	Transaction             // a transactional id of Kafka
)

// String is the kind as grants and `explain` spell it.
func (k Kind) String() string {
	return [...]string{Topic: "topic", Group: "group", Transaction: "transaction"}[k]
}

// Resource is what is acted upon.
type Resource struct {
	Kind Kind
	Name string

	// Group is the group that a Kafka topic is consumed with; empty where the request names none, and then no groupId of
	// a binding narrows.
	Group string

	QoS    byte // MQTT: of the message, or asked for by the subscription
	Retain bool // MQTT, Produce: the message is to be retained
}

// Decision is the answer to one question, and why.
type Decision struct {
	Allowed bool
	Reason  string // one line, lower case; for operators, never for clients

	// Rule is the operation of the document that decided, Grant the grant of the settings; at most one is set. With a
	// denial Rule is the one that came nearest: nil if no operation speaks of the resource.
	Rule  *plan.Rule
	Grant *plan.Grant
}

// Place is the line that decided; an empty file means that there is none.
func (d Decision) Place() (file string, line int, pointer string) {
	switch {
	case d.Rule != nil:
		return d.Rule.File, d.Rule.Line, d.Rule.Pointer
	case d.Grant != nil:
		return d.Grant.File, d.Grant.Line, ""
	}
	return "", 0, ""
}

// Reasons that do not depend on a rule.
const (
	reasonAdmin       = "the settings list the principal under admins"
	reasonOperation   = "an operation of the document allows it"
	reasonGranted     = "a grant of the settings allows it"
	reasonOwnName     = "it is the principal's own: its name, or begins with the name and a dot or a dash"
	reasonBound       = "the groupId binding of an operation that the principal may do names the group"
	reasonInternal    = "an internal topic is for the principals that the settings list under admins"
	reasonReserved    = "a name that begins with two underscores must be named by the document or a grant in full"
	reasonTopicName   = "it is no legal topic name"
	reasonFilter      = "it is no legal topic filter"
	reasonSystem      = "a topic that begins with $ belongs to the broker"
	reasonUnknown     = "no operation of the document and no grant speaks of it"
	reasonForeignID   = "it is neither the principal's name nor begins with it, and no grant speaks of it"
	reasonAction      = "no operation and no grant can allow this action"
	reasonEmpty       = "it has no name"
	reasonDirection   = "the document lets clients do the opposite here, and not this"
	reasonUncontained = "the filter reaches topics that no operation and no grant allows"
)

// nearness of a denial: the higher, the less was missing.
const (
	nearUnknown = iota
	nearDirection
	nearParameter
	nearSecurity
	nearNarrow
)
