package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/asyncgate/asyncgate/bench/load"
	mqttload "github.com/asyncgate/asyncgate/bench/load/mqtt"
	"github.com/asyncgate/asyncgate/bench/rig"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// Columns are the ways from the client to the broker.
const (
	direct                  = "direct"
	haproxy                 = "haproxy"
	asyncgate               = "asyncgate"
	operations              = "asyncgate-operations"
	haproxyTLS              = "haproxy-tls"
	asyncgateTLS            = "asyncgate-tls"
	asyncgateScram          = "asyncgate-tls-scram"
	scram256, plain, bearer = "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"
)

// titles are the columns' in the tables.
var titles = map[string]string{
	direct:         "direct",
	haproxy:        "HAProxy",
	asyncgate:      "asyncgate",
	operations:     "asyncgate, operations enforced",
	haproxyTLS:     "HAProxy, TLS",
	asyncgateTLS:   "asyncgate, TLS",
	asyncgateScram: "asyncgate, TLS + SCRAM",
}

func columnNames() []string {
	return []string{direct, haproxy, asyncgate, operations, haproxyTLS, asyncgateTLS, asyncgateScram}
}

// mqttColumns are those of MQTT.
var mqttColumns = []string{direct, haproxy, asyncgate, asyncgateTLS}

// way is a column on the rig: where the loader and the Java tools go, and the process that stands there.
type way struct {
	target  load.Target
	mqtt    mqttload.Target
	java    string       // file of properties for the Java tools
	process *rig.Process // nil for direct
}

// javaTLS, javaScram are the properties of Java clients, to be completed with the authority's file and with the user.
const (
	javaTLS   = "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=%s\n"
	javaScram = "security.protocol=SASL_SSL\nsasl.mechanism=" + scram256 + "\n" +
		"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=%q password=%q;\n"
)

// makeWays makes the columns that the rig has.
func (b *bench) makeWays() (map[string]way, error) {
	inClear, err := b.rig.File("java-clear.properties", "")
	if err != nil {
		return nil, err
	}
	ways := map[string]way{direct: {target: load.Target{Address: b.rig.Broker.Address(kafkatest.Plaintext)}, java: inClear}}
	if h := b.rig.HAProxy; h != nil {
		ways[haproxy] = way{target: load.Target{Address: h.Clear}, java: inClear, process: h.Process}
		// No Java here: the broker advertises one address, and that is the one in clear.
		ways[haproxyTLS] = way{target: load.Target{Address: h.TLS, TLS: b.tls}, process: h.Process}
	}
	if g := b.rig.Gateway; g != nil {
		authority := fmt.Sprintf(javaTLS, b.rig.Broker.Certificate("ca.crt"))
		secured, err := b.rig.File("java-tls.properties", authority)
		if err != nil {
			return nil, err
		}
		scram, err := b.rig.File("java-scram.properties", authority+fmt.Sprintf(javaScram, rig.User, kafkatest.Password(rig.User)))
		if err != nil {
			return nil, err
		}
		ways[asyncgate] = way{target: load.Target{Address: g.Addresses[rig.Clear]}, java: inClear, process: g.Process}
		ways[asyncgateTLS] = way{target: load.Target{Address: g.Addresses[rig.TLS], TLS: b.tls}, java: secured, process: g.Process}
		ways[asyncgateScram] = way{
			target:  load.Target{Address: g.Addresses[rig.TLSSCRAM], TLS: b.tls, Login: b.login[scram256]},
			java:    scram,
			process: g.Process,
		}
	}
	if g := b.rig.Operations; g != nil {
		ways[operations] = way{target: load.Target{Address: g.Addresses[rig.Clear]}, java: inClear, process: g.Process}
	}
	return ways, nil
}

// makeMQTTWays makes the columns in front of Mosquitto that the rig has.
func (b *bench) makeMQTTWays() map[string]way {
	m := b.rig.MQTT
	at := func(address string, p *rig.Process) way {
		return way{mqtt: mqttload.Target{Address: address, User: rig.User, Password: rig.MQTTPasswordOf()}, process: p}
	}
	ways := map[string]way{direct: at(m.Direct, nil)}
	if m.HAProxy != nil {
		ways[haproxy] = at(m.HAProxy.Clear, m.HAProxy.Process)
	}
	if g := m.Gateway; g != nil {
		ways[asyncgate] = at(g.Addresses[rig.MQTTPassword], g.Process)
		secured := at(g.Addresses[rig.MQTTTLS], g.Process)
		secured.mqtt.TLS = b.tls
		ways[asyncgateTLS] = secured
	}
	return ways
}

// describe prints the ways, to look at them by hand.
func (b *bench) describe(out io.Writer) {
	for _, name := range columnNames() {
		for kind, w := range map[string]way{"": b.ways[name], "mqtt ": b.mqttWays[name]} {
			address, pid := w.target.Address+w.mqtt.Address, 0
			if address == "" {
				continue
			}
			if w.process != nil {
				pid = w.process.PID()
			}
			fmt.Fprintf(out, "%-24s %-16s process %d\n", kind+name, address, pid)
		}
	}
	fmt.Fprintf(out, "certificates in %s\n", filepath.Dir(b.rig.Certificate("ca.crt")))
}
