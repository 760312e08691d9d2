package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/settings"
)

// draft is a settings file about to be written.
type draft struct {
	doc     *asyncapi.Document
	servers []*draftServer
	others  []string // servers that the gateway leaves alone, and why
	dev     bool
}

// draftServer is one block of it.
type draftServer struct {
	doc  *asyncapi.Server
	plan *plan.Server

	port        uint16
	first, last uint16 // of the brokers
	off         bool   // nothing it declares can be enforced yet
	silent      bool   // the document states no security
	tls         bool
	exposed     bool // tls is there because a secret or a certificate needs it, not because of the protocol
}

// newDraft decides what the settings say about each server.
func newDraft(doc *asyncapi.Document, p *plan.Plan, dev bool) *draft {
	d := &draft{doc: doc, dev: dev}
	for i := range p.Servers {
		s := &p.Servers[i]
		if !s.Enforced {
			d.others = append(d.others, fmt.Sprintf("%s (%s): %s", s.Name, s.Protocol, s.Note))
			continue
		}
		block := &draftServer{doc: &doc.Servers[i], plan: s}
		block.silent = block.doc.Security == nil || len(block.doc.Security.Requirements) == 0
		block.exposed = s.TLS == nil && block.needsTLS()
		block.tls = s.TLS != nil || block.exposed
		block.off = !block.silent && !slices.ContainsFunc(s.Alternatives, func(a plan.Alternative) bool { return a.Enabled })
		d.servers = append(d.servers, block)
	}
	d.assignPorts()
	return d
}

// uses reports whether a usable scheme of the server is of that type. A silent server gets the one that compile suggests.
func (s *draftServer) uses(scheme string) bool {
	if s.silent {
		return scheme == compile.SilentScheme(s.plan)
	}
	return s.has(func(q plan.Requirement) bool { return q.Type == scheme })
}

// proves reports whether a usable scheme of the document is proved by that mechanism.
func (s *draftServer) proves(mechanism string) bool {
	return s.has(func(q plan.Requirement) bool { return slices.Contains(q.Mechanisms, mechanism) })
}

func (s *draftServer) has(is func(plan.Requirement) bool) bool {
	return slices.ContainsFunc(s.plan.Alternatives, func(a plan.Alternative) bool { return a.Enabled && slices.ContainsFunc(a.All, is) })
}

// needsTLS reports whether what clients prove must not, or cannot, be shown without TLS.
func (s *draftServer) needsTLS() bool {
	return slices.ContainsFunc([]string{sasl.Plain, sasl.Password, sasl.Basic, sasl.OAuthBearer, sasl.External}, s.proves) || s.silent && s.plan.MQTT != nil
}

// settings renders the file.
func (d *draft) settings(document string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# yaml-language-server: $schema=https://raw.githubusercontent.com/asyncgate/asyncgate/main/settings/asyncgate.schema.json
#
# Where and with what %s is enforced. What is required of clients stands in that document, not here.
# Relative paths start at this file. Every key is described in docs/settings.md.

`, oneLine(document))
	if len(d.servers) > 0 {
		b.WriteString("servers:\n")
	}
	for _, s := range d.servers {
		d.block(&b, s)
	}
	for _, other := range d.others {
		fmt.Fprintf(&b, "# not enforced: %s\n", oneLine(other))
	}
	if len(d.others) > 0 {
		b.WriteString("\n")
	}
	d.tokens(&b)
	b.WriteString(settingsPeople)
	d.operations(&b)
	b.WriteString(settingsTail)
	return b.String()
}

// tokens says whose tokens are believed, where a server takes any: the document knows the issuer at best.
func (d *draft) tokens(b *strings.Builder) {
	if !slices.ContainsFunc(d.servers, func(s *draftServer) bool { return s.proves(sasl.OAuthBearer) }) {
		return
	}
	issuer, edit := "https://issuer.example.org", "   # EDIT: the claim iss of its tokens; the document does not say"
	for _, s := range d.servers {
		if s.silent {
			continue
		}
		for _, q := range s.doc.Security.Requirements {
			for _, use := range q.Schemes {
				if found, ok := strings.CutSuffix(use.Scheme.OpenIDConnectURL.Value, compile.WellKnown); ok && settings.SafeURL(found) {
					issuer, edit = found, ""
				}
			}
		}
	}
	fmt.Fprintf(b, `# Who is believed about tokens. docs/tokens.md has what to write for the common ones.
tokens:
  issuers:
    - issuer: %q%s
      audience: kafka   # EDIT: what the claim aud of its tokens has to be
      # principal: sub          # claim that names the principal
      # scopes: [scope, scp]    # claims with scopes
      # jwks: https://…         # where its keys are; default: what its configuration says

`, issuer, edit)
}

// operations says how far the document is enforced: whole, if it has operations and says whose they are. AsyncAPI 2 does
// not, so that somebody has to choose first.
func (d *draft) operations(b *strings.Builder) {
	enforce, perspective := "enforce: operations", "perspective: application"
	switch {
	case !slices.ContainsFunc(d.servers, func(s *draftServer) bool { return len(s.plan.Rules) > 0 }):
		b.WriteString("# This document has no operations for clients, so that operations would let them do nothing without grants.\n")
		enforce, perspective = "# "+enforce, "# "+perspective
	case d.doc.Major == 2:
		b.WriteString("# EDIT: AsyncAPI 2 does not say whether the clients are the application that publishes and subscribes here, or talk to it.\n" +
			"# Choose the perspective; asyncgate check shows what clients may do then. Until you do, nobody is held to operations.\n")
		enforce, perspective = "# "+enforce, "# "+perspective
	}
	fmt.Fprintf(b, `# How far the document is enforced: operations (who gets in, and what they do there), connections (only who gets in), or
# observe (what operations would deny passes, and is recorded). asyncgate check shows what each server allows.
%s
%s   # the clients are the application of the document; or counterparty, or either
# Beyond the document. Groups and transactional ids are a principal's own if they begin with its name: alice, alice-1, alice.x
# grants: [ { principal: billing, topic: "audit.*", actions: [produce] }, { principal: "*", group: "console-consumer-*" } ]

`, enforce, perspective)
}

// settingsPeople and settingsTail are the parts that no document changes.
const settingsPeople = `# Users, API keys and certificate principals; fill it with: asyncgate credentials add NAME --file credentials.yaml
credentials: credentials.yaml

# Principals that may use admin APIs: create topics, change configurations, administer ACLs.
# admins: [ops]

`

const settingsTail = `# What clients can cost; these are the defaults.
# limits:
#   handshake: 10s         # from accept to the end of the login
#   idle: 10m
#   preAuthFrame: 64KiB
#   frame: 100MiB
#   connections: 10000
#   perAddress: 1000
#   perPrincipal: 1000
#   acceptRate: 200        # connections a second of one address
#   drain: 30s
#   exempt: []             # networks without per-address limits, such as those of load balancers

# Metrics, /livez and /readyz.
# admin: { listen: 127.0.0.1:9600 }

# The same file for all instances of the gateway, so that they answer unknown users alike.
# decoySecret: file:decoy.key
`

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// yamlKey writes a name as a YAML key that is a string whatever it looks like.
func yamlKey(name string) string {
	switch strings.ToLower(name) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(name)
	}
	if plainKey.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

// quoted writes a list of strings in YAML.
func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return strings.Join(out, ", ")
}

// oneLine keeps text of a document inside its comment.
func oneLine(s string) string { return report.Printable(s) }
