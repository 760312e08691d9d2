package proxy

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Counter is a number that only grows. Its methods are safe for concurrent use and allocate nothing.
type Counter struct{ n atomic.Int64 }

// Add adds n.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Inc adds one.
func (c *Counter) Inc() { c.n.Add(1) }

// Gauge is a number that goes up and down. Its methods are safe for concurrent use and allocate nothing.
type Gauge struct{ n atomic.Int64 }

// Inc adds one.
func (g *Gauge) Inc() { g.n.Add(1) }

// Dec takes one off.
func (g *Gauge) Dec() { g.n.Add(-1) }

// Metrics are the numbers of one server. The exported ones are for its protocol to bump; the rest are the gateway's.
type Metrics struct {
	FromClient    Counter // bytes
	ToClient      Counter // bytes
	UpstreamDials Counter // attempts
	UpstreamOpen  Gauge   // connections to brokers

	accepted Counter
	open     Gauge
	panics   Counter

	requests counters // by api and decision
	failures counters // of the upstream, by code
	logins   counters // by mechanism
	refusals counters // by stage and code

	ends atomic.Pointer[map[string]time.Time] // when the files of TLS end, by kind
}

// Requests counts the requests of one API with one decision: "allow" or "deny". Keep it where it is needed often.
func (m *Metrics) Requests(api, decision string) *Counter { return m.requests.of(api, decision) }

// UpstreamFailures counts failed dials and logins by a code that says why. Codes are constants.
func (m *Metrics) UpstreamFailures(code string) *Counter { return m.failures.of(code, "") }

// counters are counters by one or two labels, whose values must come from small fixed sets: nothing that a peer sends
// may become a label.
type counters struct{ byLabel sync.Map }

type labels [2]string

func (c *counters) of(first, second string) *Counter {
	key := labels{first, second}
	if n, ok := c.byLabel.Load(key); ok {
		return n.(*Counter)
	}
	n, _ := c.byLabel.LoadOrStore(key, new(Counter))
	return n.(*Counter)
}

// gatewayMetrics are the numbers of the whole gateway, and those of each server there has been.
type gatewayMetrics struct {
	acceptErrors   Counter
	reloads        Counter
	reloadFailures Counter
	reloadOK       atomic.Bool  // whether the last reload succeeded
	reloadTime     atomic.Int64 // of the last one that did, or of the start: Unix seconds
	draining       atomic.Bool
	cut            Counter // connections that were cut because the drain time ran out

	mu      sync.Mutex
	servers map[string]*Metrics
}

func newGatewayMetrics() *gatewayMetrics {
	g := &gatewayMetrics{servers: make(map[string]*Metrics)}
	g.reloadOK.Store(true)
	g.reloadTime.Store(time.Now().Unix())
	return g
}

// server returns the metrics of a server. They outlive reloads.
func (g *gatewayMetrics) server(name string) *Metrics {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.servers[name] == nil {
		g.servers[name] = new(Metrics)
	}
	return g.servers[name]
}

// each calls f for every server, by name.
func (g *gatewayMetrics) each(f func(name string, m *Metrics)) {
	g.mu.Lock()
	servers := maps.Clone(g.servers)
	g.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		f(name, servers[name])
	}
}
