// Package compile makes a plan of an AsyncAPI document and its settings. It is the only place that knows both, and it
// touches nothing outside its arguments.
//
// [Compile] judges as it goes: what the document declares and cannot be, or is not safely, enforced is a problem
// security/…; what the deployment lacks is a problem settings/…. A plan with a problem of severity error must not be
// run, but is as complete as it can be, so that `asyncgate check` can show it.
package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// compiler is one compilation.
type compiler struct {
	doc      *asyncapi.Document
	set      *settings.Settings // never nil
	opt      Options
	out      *plan.Plan
	problems []plan.Problem
	off      bool // the server at hand is switched off: its errors are warnings

	noCredentials bool                  // the missing credentials file has been reported
	said          map[plan.Problem]bool // what has been reported: servers share operations
}

// Compile makes the plan. Settings may be nil. Neither the document nor the settings are changed.
func Compile(doc *asyncapi.Document, set *settings.Settings, opt Options) (*plan.Plan, []plan.Problem) {
	c := &compiler{doc: doc, set: set, opt: opt, said: map[plan.Problem]bool{}}
	if set == nil {
		c.set = &settings.Settings{Limits: plan.DefaultLimits()}
	} else {
		c.opt.Deployment = !opt.Decisions
	}
	c.out = &plan.Plan{
		Document: doc.File, AsyncAPI: doc.Version, Title: doc.Title,
		Credentials: c.set.Credentials.V, DecoySecret: c.set.DecoySecret.V,
		Enforce: plan.Connections, Grants: grants(c.set), Limits: c.set.Limits, Admin: c.set.Admin.V,
	}
	for _, a := range c.set.Admins {
		c.out.Admins = append(c.out.Admins, a.V)
	}
	if c.set.Enforce.Stated() {
		c.out.Enforce = c.set.Enforce.V
	}
	c.names()
	c.issuers()
	for i := range doc.Servers {
		c.server(&doc.Servers[i])
	}
	c.off = false
	c.whole()
	c.enforcement()
	c.listeners()
	c.files()
	return c.out, c.problems
}

// place is where a problem is shown: in the document or in the settings.
type place struct {
	file         string
	line, column int
	pointer      string
}

func inDocument(p asyncapi.Place) place { return place{p.File, p.Line, p.Column, p.Pointer} }

func (c *compiler) inSettings(at settings.At) place {
	return place{c.set.File, at.Line, at.Column, at.Pointer}
}

func (c *compiler) add(s plan.Severity, code string, at place, hint, format string, args ...any) {
	if c.off && s == plan.Error {
		s = plan.Warning
	}
	p := plan.Problem{
		Severity: s, Code: code, File: at.file, Line: at.line, Column: at.column, Pointer: at.pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	if !c.said[p] {
		c.said[p] = true
		c.problems = append(c.problems, p)
	}
}

// names reports servers that the settings or the options know and the document does not.
func (c *compiler) names() {
	var known []string
	for i := range c.doc.Servers {
		known = append(known, c.doc.Servers[i].Name)
	}
	for i := range c.set.Servers {
		if s := &c.set.Servers[i]; !slices.Contains(known, s.Name) {
			c.add(plan.Error, "settings/unknown-server", c.inSettings(s.At), "", "the document has no server %q: %s", s.Name, has(known))
		}
	}
	if err := c.opt.Validate(known); err != nil {
		c.add(plan.Error, "settings/options", place{}, "", "%v", err)
	}
}

// whole reports what concerns the document as a whole.
func (c *compiler) whole() {
	brokers, running := 0, false
	for i := range c.out.Servers {
		s := &c.out.Servers[i]
		running = running || s.Enforced
		if s.MQTT != nil || family(s.Protocol) == familyKafka {
			brokers++
		}
	}
	at := place{file: c.doc.File, pointer: "/servers"}
	if len(c.doc.Servers) > 0 {
		at = inDocument(c.doc.Servers[0].Place)
		at.pointer = "/servers"
	}
	switch {
	case brokers == 0:
		c.add(plan.Error, "security/no-broker-server", at, c.noBrokerHint(),
			"the document has no server of protocol kafka, kafka-secure or mqtt, so there is nothing to enforce")
	case !running:
		c.add(plan.Error, "settings/nothing-to-run", at, "name one with --server, or remove enabled: false",
			"every server of the document that speaks Kafka or MQTT is switched off")
	}
}

func (c *compiler) noBrokerHint() string {
	for _, s := range c.doc.Servers {
		if family(s.Protocol.Value) == familyWebSocket {
			return "if it carries MQTT, give server " + s.Name + " a binding mqtt: {}, or " + block(s.Name, "protocol: mqtt")
		}
		if lower := strings.ToLower(s.Protocol.Value); lower != s.Protocol.Value && family(lower) != familyOther {
			return fmt.Sprintf("protocol %q is written %s", s.Protocol.Value, lower)
		}
	}
	if len(c.doc.Servers) == 0 {
		address := "host"
		if c.doc.Major == 2 {
			address = "url"
		}
		return "add servers: { prod: { " + address + ": 'kafka.example.org:9093', protocol: kafka-secure, security: […] } }"
	}
	return "add a server of one of them, or correct the protocol of those there are"
}
