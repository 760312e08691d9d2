package compile

import (
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// Notes of servers that are not enforced.
const (
	noteOff   = plan.SwitchedOff
	noteOpen  = "a WebSocket that nothing says is MQTT"
	noteOther = "not a protocol of the gateway"
)

// work is one server of Kafka or MQTT being compiled.
type work struct {
	doc     *asyncapi.Server
	set     *settings.Server // never nil
	out     *plan.Server
	at      place // of the server in the document
	family  int
	path    string // MQTT over WebSocket: of the address
	version string // MQTT: protocolVersion
	ways    []way  // that lead in
}

// server compiles one server of the document.
func (c *compiler) server(s *asyncapi.Server) {
	c.out.Servers = append(c.out.Servers, plan.Server{Name: s.Name, Protocol: s.Protocol.Value, Pointer: s.Pointer})
	w := &work{doc: s, set: c.set.Server(s.Name), out: &c.out.Servers[len(c.out.Servers)-1], at: inDocument(s.Place)}
	if w.set == nil {
		w.set = &settings.Server{Name: s.Name}
	}
	c.off = c.switchedOff(w.set)
	w.family = c.carries(w)
	switch w.family {
	case familyWebSocket:
		w.out.Note = noteOpen
	case familyOther:
		w.out.Note = noteOther
	default:
		w.out.Enforced = true
	}
	if c.off {
		w.out.Enforced, w.out.Note = false, noteOff
	}
	if w.family != familyKafka && w.family != familyMQTT {
		return
	}
	w.out.ProxyProtocol = w.set.ProxyProtocol.V
	w.out.MaxSession = w.set.MaxSession.V
	c.misplaced(w)
	c.addresses(w)
	if w.family == familyMQTT {
		c.mqtt(w)
		c.mqttBindings(w)
	}
	if w.secure() || w.set.TLS.Stated() {
		w.out.TLS = &plan.TLS{
			Certificate: w.set.TLS.Certificate.V, Key: w.set.TLS.Key.V,
			ClientCA: w.set.TLS.ClientCA.V, CRL: w.set.TLS.CRL.V,
		}
	}
	c.security(w)
	if w.family == familyMQTT {
		c.upstreamMQTT(w)
	} else {
		c.brokers(w)
		c.upstream(w)
	}
	if w.out.Enforced {
		c.rules(w)
	}
	if c.opt.Deployment && !c.off {
		c.deployment(w)
	}
}

// switchedOff reports whether a server is left out, by the settings or because others were named.
func (c *compiler) switchedOff(s *settings.Server) bool {
	if len(c.opt.Only) > 0 {
		return !slices.Contains(c.opt.Only, s.Name)
	}
	return s.Enabled.Stated() && !s.Enabled.V
}

// Found gives the reader's problems as problems of a plan: those that concern nothing but servers that are switched
// off are warnings.
func Found(doc *asyncapi.Document, p *plan.Plan, found []asyncapi.Problem) []plan.Problem {
	off := map[asyncapi.Problem]bool{}
	if doc != nil && p != nil {
		off = onlyOff(doc, p)
	}
	list := make([]plan.Problem, len(found))
	for i, f := range found {
		list[i] = plan.Problem{
			Severity: plan.Severity(f.Severity), Code: f.Code, File: f.File, Line: f.Line, Column: f.Column,
			Pointer: f.Pointer, Message: f.Message, Hint: f.Hint,
		}
		if off[f] && list[i].Severity == plan.Error {
			list[i].Severity = plan.Warning
		}
	}
	return list
}

// onlyOff are the problems that belong to servers that are switched off, and to no other.
func onlyOff(doc *asyncapi.Document, p *plan.Plan) map[asyncapi.Problem]bool {
	off := map[asyncapi.Problem]bool{}
	for i := range doc.Servers {
		for _, problem := range doc.Servers[i].Problems {
			before, seen := off[problem]
			off[problem] = p.Servers[i].Note == noteOff && (before || !seen)
		}
	}
	return off
}
