package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/bench/load"
)

// measure is one kind of work, and the rows that it fills.
type measure struct {
	name    string
	mqtt    bool // of MQTT; else of Kafka
	columns []string
	rounds  int  // at most; 0 for all
	warm    bool // what the broker does for it takes Java a while to compile
	run     func(ctx context.Context, b *bench, column string, w way) ([]figure, error)
}

var measures = []measure{
	{name: "java-produce", columns: []string{direct, haproxy, asyncgate, operations, asyncgateTLS, asyncgateScram}, run: javaProduce},
	{name: "java-consume", columns: []string{direct, haproxy, asyncgate, operations, asyncgateTLS, asyncgateScram}, run: javaConsume},
	{name: "raw-produce", columns: columnNames(), warm: true, run: rawProduce},
	{name: "raw-fetch", columns: columnNames(), warm: true, run: rawFetch},
	{name: "latency", columns: []string{direct, haproxy, asyncgate, operations, asyncgateTLS, asyncgateScram}, run: latency},
	{name: "round-trip", columns: columnNames(), run: roundTrip},
	{name: "login-tls-scram", columns: []string{direct, haproxy, asyncgate}, warm: true, run: logins(rowLoginTLSScram, scram256, true, false)},
	{name: "login-tls-scram-answer", columns: []string{direct, haproxy, asyncgate}, run: logins(rowLoginAnswer, scram256, true, true)},
	{name: "login-tls-plain", columns: []string{direct, haproxy, asyncgate}, run: logins(rowLoginTLSPlain, plain, true, false)},
	// The broker would need an issuer of its own to be compared with.
	{name: "login-tls-token", columns: []string{asyncgate}, run: logins(rowLoginTLSToken, bearer, true, false)},
	{name: "login-scram", columns: []string{direct, haproxy, asyncgate}, warm: true, run: logins(rowLoginScram, scram256, false, false)},
	// Memory hardly differs from round to round.
	{name: "idle-clear", columns: []string{haproxy, asyncgate}, rounds: 3, run: idle(rowIdleClear, false)},
	{name: "idle-tls", columns: []string{haproxy, asyncgate}, rounds: 3, run: idle(rowIdleTLS, true)},

	{name: "mqtt-qos0", mqtt: true, columns: mqttColumns, run: mqttFlood(0, rowMQTTQoS0, rowMQTTQoS0CPU)},
	{name: "mqtt-qos1", mqtt: true, columns: mqttColumns, run: mqttFlood(1, rowMQTTQoS1, rowMQTTQoS1CPU)},
	{name: "mqtt-latency", mqtt: true, columns: mqttColumns, run: mqttLatency},
	{name: "mqtt-connect", mqtt: true, columns: []string{direct, haproxy, asyncgate}, run: mqttConnects(rowMQTTConnect, false)},
	{name: "mqtt-connect-scram", mqtt: true, columns: []string{asyncgate}, run: mqttConnects(rowMQTTScram, true)},
	{name: "mqtt-idle", mqtt: true, columns: []string{haproxy, asyncgate}, rounds: 3, run: mqttIdle(rowMQTTIdle, false)},
	{name: "mqtt-idle-tls", mqtt: true, columns: []string{asyncgate}, rounds: 3, run: mqttIdle(rowMQTTIdleTLS, true)},
}

func measureNames() []string {
	var names []string
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}

// size is how much work each measurement is.
type size struct {
	records, warm int           // of the Java producer
	batches       int           // of a megabyte in each partition that is consumed and fetched
	bytes         int64         // of the raw loader
	latency       time.Duration // of the Java producer at its fixed pace
	logins        time.Duration
	idle          int // connections
	trips         int
	warmUp        time.Duration // of each kind of work, at least
	mqtt          time.Duration // of each kind of MQTT work
	mqttIdle      int           // connections
}

var (
	fullSize  = size{1_000_000, 500_000, 1000, 2 << 30, 12 * time.Second, 4 * time.Second, 2000, 10_000, 8 * time.Second, 6 * time.Second, 4000}
	quickSize = size{300_000, 200_000, 300, 768 << 20, 3 * time.Second, 1500 * time.Millisecond, 500, 3_000, 2 * time.Second, 1500 * time.Millisecond, 500}
)

// Rounds of a full and of a quick run.
const (
	fullRounds  = 5
	quickRounds = 1
)

// choice is what the command line asks for.
type choice struct {
	size     size
	rounds   int
	quick    bool
	measures []measure
	columns  map[string]bool
}

func choose(o options) (choice, error) {
	c := choice{size: fullSize, rounds: fullRounds, quick: o.quick, columns: map[string]bool{}}
	if o.quick {
		c.size, c.rounds = quickSize, quickRounds
	}
	if o.rounds < 0 {
		return c, fmt.Errorf("--rounds %d: at least 1", o.rounds)
	}
	if o.rounds > 0 {
		c.rounds = o.rounds
	}
	columns, err := among("--columns", o.columns, columnNames())
	if err != nil {
		return c, err
	}
	for _, column := range columns {
		c.columns[column] = true
	}
	names, err := among("--only", o.only, measureNames())
	if err != nil {
		return c, err
	}
	if _, err := among("--protocol", o.protocol, []string{"kafka", "mqtt"}); err != nil {
		return c, err
	}
	for _, m := range measures {
		wanted := o.protocol == "" || m.mqtt == (o.protocol == "mqtt")
		if wanted && slices.Contains(names, m.name) {
			c.measures = append(c.measures, m)
		}
	}
	if len(c.measures) == 0 {
		return c, fmt.Errorf("nothing of --only %s is of --protocol %s", o.only, o.protocol)
	}
	return c, nil
}

// of reports whether something of MQTT, or of Kafka, is measured.
func (c choice) of(mqtt bool) bool {
	return slices.ContainsFunc(c.measures, func(m measure) bool { return m.mqtt == mqtt })
}

// among splits a list whose words have to be known; an empty list is all of them.
func among(flag, list string, known []string) ([]string, error) {
	if list == "" {
		return known, nil
	}
	words := strings.Split(list, ",")
	for _, word := range words {
		if !slices.Contains(known, word) {
			return nil, fmt.Errorf("%s %s: not one of %s", flag, word, strings.Join(known, ", "))
		}
	}
	return words, nil
}

// haproxy reports whether a column needs HAProxy.
func (c choice) haproxy() bool { return c.columns[haproxy] || c.columns[haproxyTLS] }

// asyncgate reports whether a column needs the gateway.
func (c choice) asyncgate() bool {
	return c.columns[asyncgate] || c.columns[asyncgateTLS] || c.columns[asyncgateScram]
}

func (b *bench) java(w way) load.Java {
	return load.Java{Libraries: b.rig.Broker.Libraries, Bootstrap: w.target.Address, Config: w.java}
}
