package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/report"
)

// block renders one server.
func (d *draft) block(b *strings.Builder, s *draftServer) {
	say := func(format string, args ...any) { fmt.Fprintf(b, "    "+format+"\n", args...) }
	fmt.Fprintf(b, "  %s:\n", yamlKey(s.doc.Name))
	if s.off {
		say("enabled: false   # nothing that its security names can be enforced yet; asyncgate check says why")
	}
	say("listen: :%d", s.port)
	switch a := s.plan.Advertise; {
	case a.Host == "":
		say("advertise: localhost:%d   # EDIT: what clients dial, and are told to dial; the document does not say", s.port)
	case a.Port == 0:
		say("# advertise: HOST:%d   # what clients dial, and are told to dial; default: the document's host", s.port)
	default:
		say("# advertise: %s   # what clients dial, and are told to dial; default: the document's host", oneLine(report.Address(a)))
	}
	if s.plan.MQTT != nil {
		s.mqtt(say)
	} else {
		s.kafka(say)
	}
	d.tls(s, say)
	s.variables(say)
	if s.silent {
		say("# The document states no security for this server. Choose what clients have to prove:")
		scheme := compile.SilentScheme(s.plan)
		others := slices.DeleteFunc(compile.Supported(s.plan), func(other string) bool { return other == scheme })
		say("security: [%s]   # or %s; or instead: allowAnonymous: true", scheme, strings.Join(others, ", "))
	}
	if s.uses("userPassword") && s.plan.MQTT == nil {
		say("# mechanisms: [SCRAM-SHA-512, SCRAM-SHA-256]   # without PLAIN")
	}
	b.WriteString("\n")
}

// kafka says which brokers stand behind a server, and where each of them is at the gateway.
func (s *draftServer) kafka(say func(string, ...any)) {
	if len(s.plan.Upstream.Bootstrap) > 0 {
		say("upstream:\n      bootstrap: [%s]", quoted(s.plan.Upstream.Bootstrap))
	} else {
		say("upstream:\n      bootstrap: []   # EDIT: host:port of your brokers, such as [kafka-1:9092, kafka-2:9092]")
	}
	say("  # tls: { ca: brokers-ca.pem }   # {} for the system's CAs; leave it out for plaintext")
	say("  # sasl: { mechanism: SCRAM-SHA-512, username: gateway, password: file:gateway.password }")
	if s.first > 0 {
		say("brokers: { ports: %d-%d, firstId: 0 }   # broker N is at %d + N", s.first, s.last, s.first)
	} else {
		say("# brokers: { ports: FIRST-LAST, firstId: 0 }   # EDIT: there are too few ports for a hundred each")
	}
}

// mqtt says which broker stands behind a server.
func (s *draftServer) mqtt(say func(string, ...any)) {
	if len(s.plan.Upstream.Bootstrap) > 0 {
		say("upstream:\n      address: %s", quoted(s.plan.Upstream.Bootstrap))
	} else {
		say("upstream: {}   # EDIT: address: host:port of your broker, such as { address: 'mosquitto:1883' }; mqtts://, ws:// and wss:// too")
	}
	say("  # tls: { ca: broker-ca.pem }   # with mqtts:// or wss://; without it the system's CAs are believed")
	say("  # username: gateway")
	say("  # password: file:gateway.password")
	if s.plan.MQTT.WebSocket {
		say("# origins: ['https://app.example.org']   # of web pages that may connect; default: this server's own host")
	}
}

func (d *draft) tls(s *draftServer, say func(string, ...any)) {
	if !s.tls {
		say("# tls: { certificate: %s, key: %s }   # serves this server over TLS although its protocol is %s", gatewayCert, gatewayKey, s.plan.Protocol)
		return
	}
	if s.exposed {
		say("# Protocol %s has no TLS, but what clients have to prove needs it.", s.plan.Protocol)
	}
	say("tls:\n      certificate: %s\n      key: %s", gatewayCert, gatewayKey)
	if s.uses("X509") {
		say("  clientCA: %s", map[bool]string{false: clientsCA, true: devCA}[d.dev])
		say("  # crl: clients.crl")
	}
}

// variables shows the values of the address's variables: commented out if every one has a default.
func (s *draftServer) variables(say func(string, ...any)) {
	if len(s.doc.Variables) == 0 {
		return
	}
	comment := "# "
	if slices.ContainsFunc(s.doc.Variables, func(v asyncapi.Variable) bool { return !v.Default.Stated() && len(v.Enum) > 0 }) {
		comment = ""
	}
	say(comment + "variables:")
	for _, v := range s.doc.Variables {
		var values []string
		for _, e := range v.Enum {
			values = append(values, oneLine(e.Value))
		}
		choice := ""
		if len(values) > 0 {
			choice = "   # " + strings.Join(values, ", ")
		}
		switch {
		case v.Default.Stated():
			say("%s  %s: %q%s", comment, yamlKey(v.Name), v.Default.Value, choice)
		case len(v.Enum) > 0:
			say("%s  %s: %q%s", comment, yamlKey(v.Name), v.Enum[0].Value, choice)
		default:
			say("#   %s: VALUE   # EDIT: it has no default", yamlKey(v.Name))
		}
	}
}
