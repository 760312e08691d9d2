package proxy

import (
	"bytes"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metricsHandler writes the metrics in the Prometheus text format, version 0.0.4. docs/running.md describes each.
func (g *Gateway) metricsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var e exposition
		g.metrics.expose(&e)
		exposeProcess(&e)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(e.Bytes())
	})
}

// exposition is metrics as text.
type exposition struct{ bytes.Buffer }

// family begins a metric: its samples follow.
func (e *exposition) family(name, kind, help string) {
	e.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// escape writes a label's value as the format wants it.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes one value; labels are pairs of name and value.
func (e *exposition) sample(name string, value float64, labels ...string) {
	e.WriteString(name)
	separator := "{"
	for pair := range slices.Chunk(labels, 2) {
		e.WriteString(separator + pair[0] + `="` + escape.Replace(pair[1]) + `"`)
		separator = ","
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func (e *exposition) single(name, kind, help string, value float64) {
	e.family(name, kind, help)
	e.sample(name, value)
}

// counters writes all values of a counter by labels, in a stable order.
func (e *exposition) counters(name, server string, c *counters, label ...string) {
	var keys []labels
	c.byLabel.Range(func(key, _ any) bool {
		keys = append(keys, key.(labels))
		return true
	})
	slices.SortFunc(keys, func(a, b labels) int { return slices.Compare(a[:], b[:]) })
	for _, key := range keys {
		pairs := []string{"server", server}
		for i, l := range label {
			pairs = append(pairs, l, key[i])
		}
		e.sample(name, float64(c.of(key[0], key[1]).n.Load()), pairs...)
	}
}

// Kinds of metrics.
const (
	counterKind = "counter"
	gaugeKind   = "gauge"
)

// expose writes the gateway's own metrics.
func (g *gatewayMetrics) expose(e *exposition) {
	g.exposeServers(e)
	e.single("asyncgate_accept_errors_total", counterKind, "Failed accepts, for want of file descriptors or memory.", float64(g.acceptErrors.n.Load()))
	e.family("asyncgate_reloads_total", counterKind, "Reloads by result.")
	e.sample("asyncgate_reloads_total", float64(g.reloads.n.Load()), "result", "success")
	e.sample("asyncgate_reloads_total", float64(g.reloadFailures.n.Load()), "result", "failure")
	e.single("asyncgate_last_reload_success", gaugeKind, "1 if the last reload succeeded, or there was none; 0 if the old state had to stay.", flag(g.reloadOK.Load()))
	e.single("asyncgate_last_reload_timestamp_seconds", gaugeKind, "Time of the last successful reload, or of the start.", float64(g.reloadTime.Load()))
	e.single("asyncgate_draining", gaugeKind, "1 while the gateway drains.", flag(g.draining.Load()))
	e.single("asyncgate_connections_cut_total", counterKind, "Connections that were cut because the drain time ran out.", float64(g.cut.n.Load()))
}

func (g *gatewayMetrics) exposeServers(e *exposition) {
	each := func(name, kind, help string, f func(server string, m *Metrics)) {
		e.family(name, kind, help)
		g.each(f)
	}
	number := func(name, kind, help string, of func(*Metrics) int64) {
		each(name, kind, help, func(server string, m *Metrics) { e.sample(name, float64(of(m)), "server", server) })
	}
	labelled := func(name, help string, of func(*Metrics) *counters, label ...string) {
		each(name, counterKind, help, func(server string, m *Metrics) { e.counters(name, server, of(m), label...) })
	}
	number("asyncgate_connections", gaugeKind, "Open client connections.", func(m *Metrics) int64 { return m.open.n.Load() })
	number("asyncgate_connections_accepted_total", counterKind, "Accepted client connections, whatever became of them.", func(m *Metrics) int64 { return m.accepted.n.Load() })
	labelled("asyncgate_connections_refused_total", "Connections that were refused or ended by the gateway.", func(m *Metrics) *counters { return &m.refusals }, "stage", "code")
	labelled("asyncgate_logins_total", "Successful logins, re-authentications included. The mechanism is empty where nobody has to log in.", func(m *Metrics) *counters { return &m.logins }, "mechanism")
	labelled("asyncgate_requests_total", "Requests.", func(m *Metrics) *counters { return &m.requests }, "api", "decision")
	each("asyncgate_bytes_total", counterKind, "Bytes of admitted connections.", func(server string, m *Metrics) {
		e.sample("asyncgate_bytes_total", float64(m.FromClient.n.Load()), "server", server, "direction", "from_client")
		e.sample("asyncgate_bytes_total", float64(m.ToClient.n.Load()), "server", server, "direction", "to_client")
	})
	number("asyncgate_upstream_connections", gaugeKind, "Open connections to brokers on behalf of clients.", func(m *Metrics) int64 { return m.UpstreamOpen.n.Load() })
	number("asyncgate_upstream_dials_total", counterKind, "Attempts to connect to a broker on behalf of a client.", func(m *Metrics) int64 { return m.UpstreamDials.n.Load() })
	labelled("asyncgate_upstream_failures_total", "Clients that lost their connection to a fault of the upstream.", func(m *Metrics) *counters { return &m.failures }, "code")
	number("asyncgate_panics_total", counterKind, "Connections that ended by a fault of the gateway.", func(m *Metrics) int64 { return m.panics.n.Load() })
	each("asyncgate_certificate_expiry_timestamp_seconds", gaugeKind, "When the server's certificate, the first of its client CAs, or its revocation list ends.", func(server string, m *Metrics) {
		if ends := m.ends.Load(); ends != nil {
			for _, kind := range slices.Sorted(maps.Keys(*ends)) {
				e.sample("asyncgate_certificate_expiry_timestamp_seconds", float64((*ends)[kind].Unix()), "server", server, "kind", kind)
			}
		}
	})
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// exposeProcess writes what every Go program's metrics are called.
func exposeProcess(e *exposition) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	e.single("go_goroutines", gaugeKind, "Goroutines.", float64(runtime.NumGoroutine()))
	e.single("go_memstats_heap_alloc_bytes", gaugeKind, "Bytes of heap objects.", float64(m.HeapAlloc))
	e.single("go_memstats_sys_bytes", gaugeKind, "Bytes obtained from the system.", float64(m.Sys))
	e.single("process_start_time_seconds", gaugeKind, "When the process started.", float64(started.Unix()))
	for _, p := range processNumbers() {
		e.single(p.name, p.kind, p.help, p.value)
	}
}

// started is when the process did, nearly.
var started = time.Now()

// processNumber is something the system knows about the process.
type processNumber struct {
	name, kind, help string
	value            float64
}
