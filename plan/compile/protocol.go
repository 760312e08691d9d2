package compile

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
)

// The families of protocols.
const (
	familyOther = iota
	familyKafka
	familyMQTT
	familyWebSocket // may carry MQTT, but does not say so
)

// family says which part of the gateway a protocol belongs to, by the exact names of the specification.
func family(protocol string) int {
	switch protocol {
	case "kafka", "kafka-secure":
		return familyKafka
	case "mqtt", "mqtts", "secure-mqtt", "mqtt5":
		return familyMQTT
	case "ws", "wss":
		return familyWebSocket
	}
	return familyOther
}

// carries decides what a server speaks: where the protocol is a WebSocket, the settings and the bindings say it.
func (c *compiler) carries(w *work) int {
	of := family(w.doc.Protocol.Value)
	if of == familyWebSocket && (w.set.Protocol.Stated() || c.boundToMQTT(w.doc)) {
		return familyMQTT
	}
	return of
}

// boundToMQTT reports whether the bindings of a document say that a server is MQTT.
func (c *compiler) boundToMQTT(s *asyncapi.Server) bool {
	return slices.ContainsFunc(s.Bindings, ofMQTT) || c.channelsBoundToMQTT(s)
}

// webSocket reports whether clients open a WebSocket.
func (w *work) webSocket() bool { return family(w.doc.Protocol.Value) == familyWebSocket }

// secure reports whether the protocol means TLS to the client, always.
func (w *work) secure() bool {
	switch w.doc.Protocol.Value {
	case "kafka-secure", "mqtts", "secure-mqtt", "wss":
		return true
	}
	return false
}

// secured begins a hint about how to get TLS: by another protocol where there is one, or else.
func (w *work) secured() string {
	other := map[string]string{"kafka": "kafka-secure", "mqtt": "secure-mqtt", "ws": "wss"}[w.doc.Protocol.Value]
	if other == "" {
		return ""
	}
	return "change the protocol to " + other + ", or "
}

// speaks is the name of what a server speaks, for messages.
func (w *work) speaks() string {
	if w.family == familyKafka {
		return "Kafka"
	}
	return "MQTT"
}

// defaultPort is where clients dial if the document does not say: where Apache Kafka listens if it is told nothing
// (listeners in server.properties), and what IANA has registered for MQTT and for HTTP.
func (w *work) defaultPort() uint16 {
	switch w.doc.Protocol.Value {
	case "mqtt", "mqtt5":
		return 1883
	case "mqtts", "secure-mqtt":
		return 8883
	case "ws":
		return 80
	case "wss":
		return 443
	}
	return 9092
}

// five reports whether the version that the document states for the server is MQTT 5, or none.
func (w *work) five() bool { return w.version == "" || strings.HasPrefix(w.version, "5") }

// silentScheme is what to suggest for a server whose document states no security; otherSchemes are the rest.
func (w *work) silentScheme() string { return SilentScheme(w.out) }

func (w *work) otherSchemes() string {
	var others []string
	for _, scheme := range Supported(w.out) {
		if scheme != w.silentScheme() && scheme != "apiKey" && scheme != "oauth2" && scheme != "openIdConnect" { // which need more said
			others = append(others, scheme)
		}
	}
	return strings.Join(others, ", ")
}
