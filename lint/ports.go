package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// portRules are about ports that say otherwise than the protocol.
var portRules = []Rule{
	{"security/port-protocol", plan.Warning, "A port is registered for TLS and the protocol has none, or the other way round.", portProtocol},
}

// Ports that IANA has registered for one of the two (Service Name and Transport Protocol Port Number Registry). Kafka has
// none: its ports are a habit, and 9092 is used for both.
var (
	tlsPorts   = map[string]string{"8883": "MQTT over TLS", "443": "HTTP over TLS"}
	plainPorts = map[string]string{"1883": "MQTT in clear text", "80": "HTTP in clear text"}
)

// secureProtocols are those that mean TLS to the client.
var secureProtocols = []string{"kafka-secure", "mqtts", "secure-mqtt", "wss"}

// portProtocol looks at the port of an address, and at all that a variable may make of it: one server cannot be plaintext
// on one port and TLS on another.
func portProtocol(f *finder) {
	Servers(f.doc, f.plan, func(s *asyncapi.Server, planned *plan.Server) {
		secure := slices.Contains(secureProtocols, s.Protocol.Value)
		registered, what := tlsPorts, "has no TLS"
		switch {
		case secure:
			registered, what = plainPorts, "means TLS"
		case planned.TLS != nil:
			return // the settings make it so
		}
		for _, port := range portsOf(s) {
			if use, ok := registered[port.Value]; ok {
				f.add(port.Place, "correct the one that is wrong; where both are meant, make two servers of it",
					"port %s is registered for %s, and protocol %s of server %s %s", port.Value, use, s.Protocol.Value, s.Name, what)
			}
		}
	})
}

var (
	portAtEnd     = regexp.MustCompile(`:([0-9]+)(?:/.*)?$`)
	variableAtEnd = regexp.MustCompile(`:\{([^{}]+)\}(?:/.*)?$`)
)

// portsOf are the ports that an address can have.
func portsOf(s *asyncapi.Server) []asyncapi.Text {
	address := s.Address()
	if m := portAtEnd.FindStringSubmatch(address.Value); m != nil {
		return []asyncapi.Text{{Place: address.Place, Value: m[1]}}
	}
	m := variableAtEnd.FindStringSubmatch(address.Value)
	if m == nil {
		return nil
	}
	var ports []asyncapi.Text
	for _, v := range s.Variables {
		if v.Name != m[1] {
			continue
		}
		for _, port := range append([]asyncapi.Text{v.Default}, v.Enum...) {
			if value := strings.TrimSpace(port.Value); value != "" && !slices.ContainsFunc(ports, func(t asyncapi.Text) bool { return t.Value == value }) {
				ports = append(ports, asyncapi.Text{Place: port.Place, Value: value})
			}
		}
	}
	return ports
}
