// Package kafka is the Kafka front of the gateway.
//
// A connection passes three stages. In the login (login.go) the gateway is the broker: it answers ApiVersions and SASL
// itself, and nothing is dialled. With the first request of a principal it dials the broker whose address the client
// used (upstream.go). From then on two goroutines pump: requests.go decides on every request by its header and forwards
// it, responses.go matches every answer to its request and replaces the brokers' addresses by the gateway's.
//
// Where tokens are passed on (passing.go) the client is itself to that broker; elsewhere the gateway is, for everybody.
//
// Beside its connections a front follows the cluster (cluster.go), to know which brokers there are and what they
// support before a client asks.
package kafka

import (
	"context"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// New is the Kafka protocol.
func New() proxy.Protocol { return protocol{} }

type protocol struct{}

func (protocol) Name() string { return "kafka" }

// Speaks reports whether the server's protocol is kafka or kafka-secure.
func (protocol) Speaks(s *plan.Server) bool {
	p := strings.ToLower(s.Protocol)
	return p == "kafka" || p == "kafka-secure"
}

// Open makes the front of one server and begins to follow its cluster. It fails for what only the operator can mend: a
// certificate, key or password that cannot be read.
func (protocol) Open(server *proxy.Server) (proxy.Front, error) {
	p := server.State().Server
	up, err := newUpstream(p.Name, p.Upstream)
	if err != nil {
		return nil, err
	}
	addresses, err := newAddresses(server)
	if err != nil {
		return nil, err
	}
	f := &front{server: server, upstream: up, addresses: addresses, allowed: make(map[int16]prometheus.Counter)}
	for _, a := range api.All() {
		f.allowed[a.Key] = server.Metrics().Requests(a.Name(), "allow")
	}
	f.cluster = newCluster(up, p.Upstream.Bootstrap, server.Log(), func(id int32) { addresses.Broker(id) })
	f.topics = &topics{cluster: f.cluster, upstream: up}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.watching.Go(func() { f.cluster.watch(ctx) })
	return f, nil
}

// front is one Kafka server of the plan.
type front struct {
	server        *proxy.Server
	upstream      *upstream
	cluster       *cluster
	topics        *topics
	subscriptions subscriptions
	produces      budget // of those that must be read whole
	addresses     *addresses
	allowed       map[int16]prometheus.Counter // forwarded requests, by API key
	stop          context.CancelFunc
	watching      sync.WaitGroup
}

// Serve runs one connection.
func (f *front) Serve(ctx context.Context, s *proxy.Session) error {
	c := newConnection(f, s)
	defer c.close()
	return c.serve(ctx)
}

// Close stops following the cluster.
func (f *front) Close() {
	f.stop()
	f.watching.Wait()
	f.topics.close()
}
