package proxy

import "sync/atomic"

// Counter is a number that only grows. Its methods are safe for concurrent use and allocate nothing.
type Counter struct{ n atomic.Int64 }

// Add adds n.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Inc adds one.
func (c *Counter) Inc() { c.n.Add(1) }

// Gauge is a number that goes up and down. Its methods are safe for concurrent use and allocate nothing.
type Gauge struct{ n atomic.Int64 }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.n.Add(n) }

// Metrics are the counters of one server that protocols may bump.
type Metrics struct {
	FromClient    Counter // bytes
	ToClient      Counter // bytes
	UpstreamDials Counter // attempts
	UpstreamOpen  Gauge   // connections to brokers
}

// Requests counts the requests of one API with one decision: "allow" or "deny". Keep it where it is needed often.
func (m *Metrics) Requests(api, decision string) *Counter { return nil }

// UpstreamFailures counts failed dials and logins by a code that says why.
func (m *Metrics) UpstreamFailures(code string) *Counter { return nil }
