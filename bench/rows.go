package main

import "fmt"

// Rows of the tables.
const (
	rowJavaProduce   = "java-produce"
	rowJavaConsume   = "java-consume"
	rowRawProduce    = "raw-produce"
	rowRawProduceCPU = "raw-produce-cpu"
	rowRawFetch      = "raw-fetch"
	rowRawFetchCPU   = "raw-fetch-cpu"
	rowLatency       = "latency"
	rowLatency50     = "latency-p50"
	rowLatency99     = "latency-p99"
	rowRoundTrip     = "round-trip"
	rowLoadMemory    = "memory-under-load"
	rowLoginTLSScram = "login-tls-scram"
	rowLoginAnswer   = "login-tls-scram-answer"
	rowLoginTLSPlain = "login-tls-plain"
	rowLoginTLSToken = "login-tls-token"
	rowLoginScram    = "login-scram"
	rowIdleClear     = "idle-clear"
	rowIdleTLS       = "idle-tls"
	rowMQTTQoS0      = "mqtt-qos0"
	rowMQTTQoS0CPU   = "mqtt-qos0-cpu"
	rowMQTTQoS1      = "mqtt-qos1"
	rowMQTTQoS1CPU   = "mqtt-qos1-cpu"
	rowMQTTLatency50 = "mqtt-latency-p50"
	rowMQTTLatency99 = "mqtt-latency-p99"
	rowMQTTMemory    = "mqtt-memory"
	rowMQTTConnect   = "mqtt-connect"
	rowMQTTScram     = "mqtt-connect-scram"
	rowMQTTIdle      = "mqtt-idle"
	rowMQTTIdleTLS   = "mqtt-idle-tls"
)

// row is how a row of the tables looks.
type row struct {
	key, title, unit string
	digits           int                        // after the point
	compare          func(a, b float64) float64 // with direct, in the same round; nil if there is nothing to compare with
}

// table is some rows for the same columns.
type table struct {
	title   string
	mqtt    bool // of MQTT; else of Kafka
	columns []string
	rows    []row
}

var tables = []table{
	{
		title:   "Records",
		columns: columnNames(),
		rows: []row{
			{rowJavaProduce, "produce, Java client, 1 KB records", "MB/s", 0, ratio},
			{rowJavaConsume, "consume, Java client", "MB/s", 0, ratio},
			{rowRawProduce, "produce, raw frames of 1 MB", "MB/s", 0, ratio},
			{rowRawProduceCPU, "… processor time of the proxy", "s/GB", 2, nil},
			{rowRawFetch, "fetch, raw frames of 1 MB", "MB/s", 0, ratio},
			{rowRawFetchCPU, "… processor time of the proxy", "s/GB", 2, nil},
			{rowLatency, "produce latency at 25 MB/s, average", "ms", 2, difference},
			{rowLatency50, "… median", "ms", 0, nil},
			{rowLatency99, "… 99 of 100", "ms", 0, nil},
			{rowRoundTrip, "small round trip (ListOffsets)", "ms", 3, difference},
			{rowLoadMemory, "resident memory of the proxy under load, most", "MB", 0, nil},
		},
	},
	{
		title:   "Logins a second",
		columns: []string{direct, haproxy, asyncgate},
		rows: []row{
			{rowLoginTLSScram, "SCRAM-SHA-256 over TLS", "/s", 0, ratio},
			{rowLoginAnswer, "… and one answer of the broker", "/s", 0, ratio},
			{rowLoginTLSPlain, "PLAIN over TLS", "/s", 0, ratio},
			{rowLoginTLSToken, "OAUTHBEARER over TLS, JWT with RS256", "/s", 0, nil},
			{rowLoginScram, "SCRAM-SHA-256 in clear", "/s", 0, ratio},
		},
	},
	{
		title:   "Memory of an idle authenticated connection",
		columns: []string{haproxy, asyncgate},
		rows: []row{
			{rowIdleClear, "SCRAM-SHA-256 in clear", "KiB", 1, nil},
			{rowIdleTLS, "SCRAM-SHA-256 over TLS", "KiB", 1, nil},
		},
	},
	{
		title:   "Messages",
		mqtt:    true,
		columns: mqttColumns,
		rows: []row{
			{rowMQTTQoS0, "QoS 0, 50 pairs, 256 bytes", "/s", 0, ratio},
			{rowMQTTQoS0CPU, "… processor time of the proxy a message", "µs", 1, nil},
			{rowMQTTQoS1, "QoS 1, 50 pairs, 256 bytes", "/s", 0, ratio},
			{rowMQTTQoS1CPU, "… processor time of the proxy a message", "µs", 1, nil},
			{rowMQTTLatency50, "latency at 1,000 messages a second, median", "ms", 3, difference},
			{rowMQTTLatency99, "… 99 of 100", "ms", 3, difference},
			{rowMQTTMemory, "resident memory of the proxy under load, most", "MB", 0, nil},
		},
	},
	{
		title:   "Connections",
		mqtt:    true,
		columns: []string{direct, haproxy, asyncgate},
		rows: []row{
			{rowMQTTConnect, "CONNECT with a password", "/s", 0, ratio},
			{rowMQTTScram, "CONNECT with SCRAM-SHA-256", "/s", 0, nil},
			{rowMQTTIdle, "memory of an idle connection", "KiB", 1, nil},
			{rowMQTTIdleTLS, "… over TLS", "KiB", 1, nil},
		},
	},
}

// rowFormat writes a figure of a row with its unit.
func rowFormat(key string, value float64) string {
	for _, t := range tables {
		for _, r := range t.rows {
			if r.key == key {
				return fmt.Sprintf("%.*f %s", r.digits, value, r.unit)
			}
		}
	}
	return fmt.Sprint(value)
}
