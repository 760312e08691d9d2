package main

import "fmt"

// aim is what the project wants to reach, beside what others reached.
type aim struct {
	text   string
	value  func(r results, column string) (float64, bool)
	ours   string // column
	theirs string // HAProxy's that compares with it; empty: none
	least  bool   // the bound is a least value, not a most
	bound  float64
	digits int
	unit   string
	others string // HAProxy, Kroxylicious, kafka-proxy
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
	{"Java produce", versus(rowJavaProduce, ratio), asyncgate, haproxy, true, 0.97, 2, "", "1.02, 0.83, 0.79"},
	{"Java consume", versus(rowJavaConsume, ratio), asyncgate, haproxy, true, 0.80, 2, "", "0.78, 0.67, 0.55"},
	{"raw fetch", versus(rowRawFetch, ratio), asyncgate, haproxy, true, 0.85, 2, "", "0.81, 0.75, 0.54"},
	{"processor time, raw produce", alone(rowRawProduceCPU), asyncgate, haproxy, false, 0.45, 2, "s/GB", "0.46, 0.54, 1.33"},
	{"processor time, raw fetch", alone(rowRawFetchCPU), asyncgate, haproxy, false, 0.55, 2, "s/GB", "0.60, 0.85, 1.56"},
	{"raw produce, TLS to the client", versus(rowRawProduce, ratio), asyncgateTLS, haproxyTLS, true, 0.95, 2, "", "0.95, 0.91, 0.68"},
	{"raw fetch, TLS to the client", versus(rowRawFetch, ratio), asyncgateTLS, haproxyTLS, true, 0.68, 2, "", "0.68, 0.64, 0.52"},
	{"processor time, raw produce, TLS", alone(rowRawProduceCPU), asyncgateTLS, haproxyTLS, false, 0.85, 2, "s/GB", "0.81, 1.02, 1.38"},
	{"processor time, raw fetch, TLS", alone(rowRawFetchCPU), asyncgateTLS, haproxyTLS, false, 1.0, 2, "s/GB", "0.94, 1.40, 1.92"},
	{"added latency at 25 MB/s, average", versus(rowLatency, difference), asyncgate, haproxy, false, 0.2, 2, "ms", "0.18, 1.3, 0.64"},
	{"added to a small round trip", versus(rowRoundTrip, difference), asyncgate, haproxy, false, 0.03, 3, "ms", "0.03, 0.03, 0.07"},
	{"resident memory under load", alone(rowLoadMemory), asyncgate, haproxy, false, 40, 0, "MB", "15, 205 to 1,200, 42"},
	{"logins, SCRAM over TLS", versus(rowLoginTLSScram, ratio), asyncgate, haproxy, true, 1.2, 2, "", "0.85, 0.55, cannot"},
	{"idle connection over TLS", alone(rowIdleTLS), asyncgate, haproxy, false, 32, 1, "KiB", "–, 78, 56"},
	{"idle connection in clear", alone(rowIdleClear), asyncgate, haproxy, false, 12, 1, "KiB", "3, 24, 35"},
}

// judge says what was reached, whether that is enough, and what HAProxy reached in the same run.
func (a aim) judge(r results) (reached, verdict, theirs string, measured bool) {
	value, measured := a.value(r, a.ours)
	if !measured {
		return "", "", "", false
	}
	verdict = "met"
	if a.least && value < a.bound || !a.least && value > a.bound {
		verdict = "**missed**"
	}
	theirs = "–"
	if other, there := a.value(r, a.theirs); there {
		theirs = a.format(other)
	}
	return a.format(value), verdict, theirs, true
}

// wanted is the bound in words.
func (a aim) wanted() string {
	if a.least {
		return "≥ " + a.format(a.bound)
	}
	return "≤ " + a.format(a.bound)
}

func (a aim) format(value float64) string {
	text := fmt.Sprintf("%.*f", a.digits, value)
	if a.unit != "" {
		text += " " + a.unit
	}
	return text
}
