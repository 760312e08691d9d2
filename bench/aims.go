package main

import "fmt"

// aim is what the project wants to reach, beside what others reached.
type aim struct {
	text   string
	mqtt   bool // of MQTT; else of Kafka
	value  func(r results, column string) (float64, bool)
	ours   string // column
	theirs string // HAProxy's that compares with it; empty: none
	least  bool   // the bound is a least value, not a most
	bound  float64
	same   bool // the bound is what HAProxy reaches in the same run, and bound what it reached elsewhere
	digits int
	unit   string
	others string // HAProxy, Kroxylicious, kafka-proxy; for MQTT HAProxy, mgate
}

// versus is a column against direct connections, in the same rounds.
func versus(row string, compare func(a, b float64) float64) func(results, string) (float64, bool) {
	return func(r results, column string) (float64, bool) { return r.against(row, column, compare) }
}

// alone is a figure of a column by itself.
func alone(row string) func(results, string) (float64, bool) {
	return func(r results, column string) (float64, bool) { return r.median(row, column) }
}

// aims are ratios to direct connections unless they have a unit. What the others reach was measured once, on two
// processors, with Apache Kafka 4.3.1, HAProxy 2.6, Kroxylicious (SCRAM ended at the proxy) and kafka-proxy 0.4.3 (PLAIN
// ended at the proxy): it puts the bounds into perspective.
var aims = []aim{
	{text: "Java produce", value: versus(rowJavaProduce, ratio), ours: asyncgate, theirs: haproxy, least: true, bound: 0.97, digits: 2, others: "1.02, 0.83, 0.79"},
	{text: "Java consume", value: versus(rowJavaConsume, ratio), ours: asyncgate, theirs: haproxy, least: true, bound: 0.80, digits: 2, others: "0.78, 0.67, 0.55"},
	{text: "raw fetch", value: versus(rowRawFetch, ratio), ours: asyncgate, theirs: haproxy, least: true, bound: 0.85, digits: 2, others: "0.81, 0.75, 0.54"},
	{text: "processor time, raw produce", value: alone(rowRawProduceCPU), ours: asyncgate, theirs: haproxy, bound: 0.45, digits: 2, unit: "s/GB", others: "0.46, 0.54, 1.33"},
	{text: "processor time, raw fetch", value: alone(rowRawFetchCPU), ours: asyncgate, theirs: haproxy, bound: 0.55, digits: 2, unit: "s/GB", others: "0.60, 0.85, 1.56"},
	{text: "raw produce, TLS to the client", value: versus(rowRawProduce, ratio), ours: asyncgateTLS, theirs: haproxyTLS, least: true, bound: 0.95, digits: 2, others: "0.95, 0.91, 0.68"},
	{text: "raw fetch, TLS to the client", value: versus(rowRawFetch, ratio), ours: asyncgateTLS, theirs: haproxyTLS, least: true, bound: 0.68, digits: 2, others: "0.68, 0.64, 0.52"},
	{text: "processor time, raw produce, TLS", value: alone(rowRawProduceCPU), ours: asyncgateTLS, theirs: haproxyTLS, bound: 0.85, digits: 2, unit: "s/GB", others: "0.81, 1.02, 1.38"},
	{text: "processor time, raw fetch, TLS", value: alone(rowRawFetchCPU), ours: asyncgateTLS, theirs: haproxyTLS, bound: 1.0, digits: 2, unit: "s/GB", others: "0.94, 1.40, 1.92"},
	{text: "added latency at 25 MB/s, average", value: versus(rowLatency, difference), ours: asyncgate, theirs: haproxy, bound: 0.2, digits: 2, unit: "ms", others: "0.18, 1.3, 0.64"},
	{text: "added to a small round trip", value: versus(rowRoundTrip, difference), ours: asyncgate, theirs: haproxy, bound: 0.03, digits: 3, unit: "ms", others: "0.03, 0.03, 0.07"},
	{text: "resident memory under load", value: alone(rowLoadMemory), ours: asyncgate, theirs: haproxy, bound: 40, digits: 0, unit: "MB", others: "15, 205 to 1,200, 42"},
	{text: "logins, SCRAM over TLS", value: versus(rowLoginTLSScram, ratio), ours: asyncgate, theirs: haproxy, least: true, bound: 1.2, digits: 2, others: "0.85, 0.55, cannot"},
	{text: "idle connection over TLS", value: alone(rowIdleTLS), ours: asyncgate, theirs: haproxy, bound: 32, digits: 1, unit: "KiB", others: "–, 78, 56"},
	{text: "idle connection in clear", value: alone(rowIdleClear), ours: asyncgate, theirs: haproxy, bound: 12, digits: 1, unit: "KiB", others: "3, 24, 35"},

	{mqtt: true, text: "QoS 0", value: versus(rowMQTTQoS0, ratio), ours: asyncgate, theirs: haproxy, least: true, same: true, bound: 0.60, digits: 2, others: "0.60, 0.37"},
	{mqtt: true, text: "QoS 1", value: versus(rowMQTTQoS1, ratio), ours: asyncgate, theirs: haproxy, least: true, same: true, bound: 0.90, digits: 2, others: "0.90, 0.44"},
	{mqtt: true, text: "processor time, QoS 0", value: alone(rowMQTTQoS0CPU), ours: asyncgate, theirs: haproxy, bound: 9, digits: 1, unit: "µs", others: "8.8, 26"},
	{mqtt: true, text: "processor time, QoS 1", value: alone(rowMQTTQoS1CPU), ours: asyncgate, theirs: haproxy, bound: 12, digits: 1, unit: "µs", others: "12, 46"},
	{mqtt: true, text: "added latency at 1,000 a second, 99 of 100", value: versus(rowMQTTLatency99, difference), ours: asyncgate, theirs: haproxy, bound: 1, digits: 2, unit: "ms", others: "–, 5"},
	{mqtt: true, text: "CONNECT with a password", value: versus(rowMQTTConnect, ratio), ours: asyncgate, theirs: haproxy, least: true, same: true, bound: 0.51, digits: 2, others: "0.51, 0.49"},
	{mqtt: true, text: "idle connection", value: alone(rowMQTTIdle), ours: asyncgate, theirs: haproxy, bound: 16, digits: 1, unit: "KiB", others: "–, 29"},
	{mqtt: true, text: "idle connection over TLS", value: alone(rowMQTTIdleTLS), ours: asyncgate, theirs: haproxy, bound: 32, digits: 1, unit: "KiB", others: "–, –"},
}

// judge says what was reached, whether that is enough, and what HAProxy reached in the same run.
func (a aim) judge(r results) (reached, verdict, theirs string, measured bool) {
	value, measured := a.value(r, a.ours)
	if !measured {
		return "", "", "", false
	}
	bound := a.boundIn(r)
	verdict = "met"
	if a.least && value < bound || !a.least && value > bound {
		verdict = "**missed**"
	}
	theirs = "–"
	if other, there := a.value(r, a.theirs); there {
		theirs = a.format(other)
	}
	return a.format(value), verdict, theirs, true
}

// boundIn is the bound for a run.
func (a aim) boundIn(r results) float64 {
	if other, there := a.value(r, a.theirs); a.same && there {
		return other
	}
	return a.bound
}

// wanted is the bound in words.
func (a aim) wanted(r results) string {
	if a.least {
		return "≥ " + a.format(a.boundIn(r))
	}
	return "≤ " + a.format(a.boundIn(r))
}

func (a aim) format(value float64) string {
	text := fmt.Sprintf("%.*f", a.digits, value)
	if a.unit != "" {
		text += " " + a.unit
	}
	return text
}
