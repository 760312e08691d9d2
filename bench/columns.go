package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/asyncgate/asyncgate/bench/load"
	"github.com/asyncgate/asyncgate/bench/rig"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// Columns are the ways from the client to the broker.
const (
	direct          = "direct"
	haproxy         = "haproxy"
	asyncgate       = "asyncgate"
	haproxyTLS      = "haproxy-tls"
	asyncgateTLS    = "asyncgate-tls"
	asyncgateScram  = "asyncgate-tls-scram"
	scram256, plain = "SCRAM-SHA-256", "PLAIN"
)

// titles are the columns' in the tables.
var titles = map[string]string{
	direct:         "direct",
	haproxy:        "HAProxy",
	asyncgate:      "asyncgate",
	haproxyTLS:     "HAProxy, TLS",
	asyncgateTLS:   "asyncgate, TLS",
	asyncgateScram: "asyncgate, TLS + SCRAM",
}

func columnNames() []string {
	return []string{direct, haproxy, asyncgate, haproxyTLS, asyncgateTLS, asyncgateScram}
}

// way is a column on the rig: where the loader and the Java tools go, and the process that stands there.
type way struct {
	target  load.Target
	java    []string     // properties that the Java tools need
	process *rig.Process // nil for direct
}

// ways are the columns that the rig has. It asks for no certificate check in nobody's place: the rig's authority signed
// them all.
func (b *bench) ways() map[string]way {
	ways := map[string]way{direct: {target: load.Target{Address: b.rig.Broker.Address(kafkatest.Plaintext)}}}
	tlsJava := []string{
		"security.protocol=SSL", "ssl.truststore.type=PEM",
		"ssl.truststore.location=" + b.rig.Broker.Certificate("ca.crt"),
	}
	if h := b.rig.HAProxy; h != nil {
		ways[haproxy] = way{target: load.Target{Address: h.Clear}, process: h.Process}
		// No Java here: the broker advertises one address, and that is the one in clear.
		ways[haproxyTLS] = way{target: load.Target{Address: h.TLS, TLS: b.tls}, process: h.Process}
	}
	if g := b.rig.Gateway; g != nil {
		ways[asyncgate] = way{target: load.Target{Address: g.Addresses[rig.Clear]}, process: g.Process}
		ways[asyncgateTLS] = way{target: load.Target{Address: g.Addresses[rig.TLS], TLS: b.tls}, java: tlsJava, process: g.Process}
		jaas := fmt.Sprintf("sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=%q password=%q;",
			rig.User, kafkatest.Password(rig.User))
		ways[asyncgateScram] = way{
			target:  load.Target{Address: g.Addresses[rig.TLSSCRAM], TLS: b.tls, Login: b.login[scram256]},
			java:    append([]string{"security.protocol=SASL_SSL", "sasl.mechanism=" + scram256, jaas}, tlsJava[1:]...),
			process: g.Process,
		}
	}
	return ways
}

// describe prints the ways, to look at them by hand.
func (b *bench) describe(out io.Writer) {
	ways := b.ways()
	for _, name := range columnNames() {
		w, there := ways[name]
		if !there {
			continue
		}
		pid := 0
		if w.process != nil {
			pid = w.process.PID()
		}
		fmt.Fprintf(out, "%-20s %-16s process %d\n", name, w.target.Address, pid)
	}
	fmt.Fprintf(out, "certificates in %s\n", filepath.Clean(b.rig.Broker.Certificates))
}
