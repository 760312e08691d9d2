package lint

import (
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// brokerProtocols are those whose servers the gateway stands in front of.
var brokerProtocols = []string{"kafka", "kafka-secure", "mqtt", "mqtts", "secure-mqtt", "mqtt5"}

// Servers calls each for the servers that count, with what the plan has of them: those that are switched off, and those
// of protocols that the gateway does not know, do not.
func Servers(doc *asyncapi.Document, p *plan.Plan, each func(*asyncapi.Server, *plan.Server)) {
	for i := range min(len(doc.Servers), len(p.Servers)) {
		s, planned := &doc.Servers[i], &p.Servers[i]
		if planned.Note != plan.SwitchedOff && (planned.Enforced || slices.Contains(brokerProtocols, s.Protocol.Value)) {
			each(s, planned)
		}
	}
}

// Schemes calls each for every security scheme of the document once: those under components, and those written where
// they are needed.
func Schemes(doc *asyncapi.Document, each func(*asyncapi.SecurityScheme)) {
	seen := map[string]bool{}
	once := func(s *asyncapi.SecurityScheme) {
		if at := s.File + s.Pointer; !seen[at] {
			seen[at] = true
			each(s)
		}
	}
	for i := range doc.Schemes {
		once(&doc.Schemes[i])
	}
	Uses(doc, func(use asyncapi.SchemeUse) { once(use.Scheme) })
}

// Uses calls each wherever the document asks for a scheme.
func Uses(doc *asyncapi.Document, each func(asyncapi.SchemeUse)) {
	for i := range doc.Servers {
		UsesOf(doc.Servers[i].Security, each)
	}
	for i := range doc.Operations {
		UsesOf(doc.Operations[i].Security, each)
	}
}

// UsesOf calls each for what one list of security asks for; nil asks for nothing.
func UsesOf(stated *asyncapi.Security, each func(asyncapi.SchemeUse)) {
	if stated == nil {
		return
	}
	for _, q := range stated.Requirements {
		for _, use := range q.Schemes {
			each(use)
		}
	}
}
