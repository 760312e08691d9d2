package proxy

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one server. The exported ones are for its protocol to bump; the rest are the gateway's.
type Metrics struct {
	FromClient    prometheus.Counter // bytes
	ToClient      prometheus.Counter // bytes
	UpstreamDials prometheus.Counter // attempts
	UpstreamOpen  prometheus.Gauge   // connections to brokers

	accepted prometheus.Counter
	open     prometheus.Gauge
	panics   prometheus.Counter

	requests *prometheus.CounterVec // by api and decision
	failures *prometheus.CounterVec // of the upstream, by code
	logins   *prometheus.CounterVec // by mechanism
	refusals *prometheus.CounterVec // by stage and code
	expiry   *prometheus.GaugeVec   // by kind of file, in Unix seconds
}

// Requests counts the requests of one API with one decision: "allow" or "deny". Keep it where it is needed often.
func (m *Metrics) Requests(api, decision string) prometheus.Counter {
	return m.requests.WithLabelValues(api, decision)
}

// UpstreamFailures counts failed dials and logins by a code that says why. Codes are constants.
func (m *Metrics) UpstreamFailures(code string) prometheus.Counter {
	return m.failures.WithLabelValues(code)
}

// ends says when the files of TLS end, by kind. Files that there are no longer are forgotten.
func (m *Metrics) ends(files map[string]time.Time) {
	m.expiry.Reset()
	for kind, end := range files {
		m.expiry.WithLabelValues(kind).Set(float64(end.Unix()))
	}
}

// gatewayMetrics are the numbers of the whole gateway, and those of each server there has been. Labels come from small
// fixed sets: nothing that a peer sends may become one. docs/running.md describes each metric.
type gatewayMetrics struct {
	registry *prometheus.Registry

	acceptErrors   prometheus.Counter
	reloads        prometheus.Counter
	reloadFailures prometheus.Counter
	reloadOK       prometheus.Gauge // 1 if the last reload succeeded
	reloadTime     prometheus.Gauge // of the last one that did, or of the start
	cut            prometheus.Counter
	draining       atomic.Bool // the health endpoint asks for it too

	perServer struct {
		connections, upstream                *prometheus.GaugeVec
		accepted, bytes, dials, panics       *prometheus.CounterVec
		refusals, logins, requests, failures *prometheus.CounterVec
		expiry                               *prometheus.GaugeVec
	}
}

func newGatewayMetrics() *gatewayMetrics {
	g := &gatewayMetrics{registry: prometheus.NewRegistry()}
	g.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reloads := g.counters("reloads_total", "Reloads by result.", "result")
	g.reloads, g.reloadFailures = reloads.WithLabelValues("success"), reloads.WithLabelValues("failure")
	g.reloadOK = g.gauges("last_reload_success", "1 if the last reload succeeded, or there was none; 0 if the old state had to stay.").WithLabelValues()
	g.reloadTime = g.gauges("last_reload_timestamp_seconds", "Time of the last successful reload, or of the start.").WithLabelValues()
	g.acceptErrors = g.counters("accept_errors_total", "Failed accepts, for want of file descriptors or memory.").WithLabelValues()
	g.cut = g.counters("connections_cut_total", "Connections that were cut because the drain time ran out.").WithLabelValues()
	g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "asyncgate", Name: "draining", Help: "1 while the gateway drains."},
		func() float64 {
			if g.draining.Load() {
				return 1
			}
			return 0
		}))
	s := &g.perServer
	s.connections = g.gauges("connections", "Open client connections.", "server")
	s.accepted = g.counters("connections_accepted_total", "Accepted client connections, whatever became of them.", "server")
	s.refusals = g.counters("connections_refused_total", "Connections that were refused or ended by the gateway.", "server", "stage", "code")
	s.logins = g.counters("logins_total", "Successful logins, re-authentications included. The mechanism is empty where nobody has to log in.", "server", "mechanism")
	s.requests = g.counters("requests_total", "Requests.", "server", "api", "decision")
	s.bytes = g.counters("bytes_total", "Bytes of admitted connections.", "server", "direction")
	s.upstream = g.gauges("upstream_connections", "Open connections to brokers on behalf of clients.", "server")
	s.dials = g.counters("upstream_dials_total", "Attempts to connect to a broker on behalf of a client.", "server")
	s.failures = g.counters("upstream_failures_total", "Clients that lost their connection to a fault of the upstream.", "server", "code")
	s.panics = g.counters("panics_total", "Connections that ended by a fault of the gateway.", "server")
	s.expiry = g.gauges("certificate_expiry_timestamp_seconds", "When the server's certificate, the first of its client CAs, or its revocation list ends.", "server", "kind")
	g.reloaded(time.Now())
	return g
}

func (g *gatewayMetrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "asyncgate", Name: name, Help: help}, labels)
	g.registry.MustRegister(v)
	return v
}

func (g *gatewayMetrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "asyncgate", Name: name, Help: help}, labels)
	g.registry.MustRegister(v)
	return v
}

// reloaded notes that the state in force is of that time.
func (g *gatewayMetrics) reloaded(now time.Time) {
	g.reloadOK.Set(1)
	g.reloadTime.Set(float64(now.Unix()))
}

// server returns the metrics of a server. They outlive reloads.
func (g *gatewayMetrics) server(name string) *Metrics {
	s, label := &g.perServer, prometheus.Labels{"server": name}
	return &Metrics{
		FromClient:    s.bytes.WithLabelValues(name, "from_client"),
		ToClient:      s.bytes.WithLabelValues(name, "to_client"),
		UpstreamDials: s.dials.WithLabelValues(name),
		UpstreamOpen:  s.upstream.WithLabelValues(name),
		accepted:      s.accepted.WithLabelValues(name),
		open:          s.connections.WithLabelValues(name),
		panics:        s.panics.WithLabelValues(name),
		requests:      s.requests.MustCurryWith(label),
		failures:      s.failures.MustCurryWith(label),
		logins:        s.logins.MustCurryWith(label),
		refusals:      s.refusals.MustCurryWith(label),
		expiry:        s.expiry.MustCurryWith(label),
	}
}

// metricsHandler answers with the metrics in the format that the scraper asks for.
func (g *Gateway) metricsHandler() http.Handler {
	return promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{})
}
