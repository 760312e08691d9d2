package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// onPorts puts a server's bootstrap on a port and the brokers on the nine after it, the broker with id 1 first.
func onPorts(s settings, first int) settings {
	return s.with(settings{
		"listen": fmt.Sprintf("127.0.0.1:%d", first), "advertise": fmt.Sprintf("localhost:%d", first),
		"brokers": settings{"ports": fmt.Sprintf("%d-%d", first+1, first+9), "firstId": 1},
	})
}

func TestEveryBrokerHasAPortOfItsOwnThatNeverChanges(t *testing.T) {
	c := shared.Get(t)
	first := freePorts(t, 10)
	g := start(t, c, map[string]settings{"secure": onPorts(secure(c, upstream(c, kafkatest.Plaintext)), first)})
	topic := topicOf(t, c, "ports")
	want := map[int32]string{}
	for _, n := range c.Nodes {
		want[int32(n.ID)] = fmt.Sprintf("localhost:%d", first+n.ID)
	}

	var by dialled
	config := g.tls(t, "")
	overTLS := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := by.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := config.Clone()
		config.ServerName = "localhost"
		return tls.Client(conn, config), nil
	}
	client := newClient(t, login(alice), kgo.SeedBrokers(g.Address(t, "secure")), kgo.Dialer(overTLS),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ConsumerGroup("alice-ports"),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if got := brokers(t, client); !maps.Equal(got, want) {
		t.Errorf("brokers are at %v, want %v", got, want)
	}
	before := numbered("before", 60)
	produce(t, client, topic, before...)
	consume(t, client, before)
	for id, address := range want {
		if !slices.Contains(by.addresses(), address) {
			t.Errorf("broker %d was not dialled at %s; dialled were %v", id, address, by.addresses())
		}
	}
	if n := len(by.addresses()); n > len(want)+1 {
		t.Errorf("dialled were %v: more than the bootstrap and the brokers", by.addresses())
	}
	t.Run("a transaction spans them", func(t *testing.T) { transaction(t, g, "secure", c) })

	t.Run("a client goes on where it was when the gateway has restarted", func(t *testing.T) {
		g.restart(t)
		after := numbered("after", 60)
		produce(t, client, topic, after...)
		consume(t, client, after)
		if got := brokers(t, client); !maps.Equal(got, want) {
			t.Errorf("brokers are at %v, want %v", got, want)
		}
		client.Close() // while there is a gateway to leave the group through
	})
}

// transaction commits some records over all partitions and aborts others.
func transaction(t *testing.T, g *gateway, server string, c *kafkatest.Cluster, options ...kgo.Opt) {
	t.Helper()
	topic := topicOf(t, c, "transaction")
	producer := g.client(t, server, alice, append(options, kgo.TransactionalID("alice-"+topic),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	want := numbered("committed", 12)
	for _, round := range []struct {
		values []string
		end    kgo.TransactionEndTry
	}{{numbered("aborted", 12), kgo.TryAbort}, {want, kgo.TryCommit}} {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, producer, topic, round.values...)
		if err := producer.EndTransaction(within(t), round.end); err != nil {
			t.Fatal(err)
		}
	}
	consume(t, g.client(t, server, alice, append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...), want)
}

// byName are the settings of a server on one port with a name for each broker, and a certificate for these hosts.
func byName(t *testing.T, c *kafkatest.Cluster, hosts ...string) (settings, *x509.CertPool) {
	t.Helper()
	ca, err := tlsconf.NewDevCA("by name", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := secure(c, upstream(c, kafkatest.Plaintext)).with(settings{
		"advertise": "kafka.gateway.test:0", "brokers": settings{"sni": "broker-{id}.gateway.test"}, "tls": issue(t, ca, hosts...),
	})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	return s, pool
}

// issue writes a new server certificate and returns the settings that name it.
func issue(t *testing.T, ca *tlsconf.DevCA, hosts ...string) settings {
	t.Helper()
	pair, err := ca.Server(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	if err := pair.Write(certificate, key); err != nil {
		t.Fatal(err)
	}
	return settings{"certificate": certificate, "key": key}
}

func TestEveryBrokerHasANameOfItsOwnOnOnePort(t *testing.T) {
	c := shared.Get(t)
	s, authority := byName(t, c, "*.gateway.test")
	g := prepare(t, c, map[string]settings{"secure": s}, settings{"limits": settings{"handshake": "5s"}})
	g.authorities = authority
	g.Gateway = gatewaytest.Start(t, g.options)
	_, port, err := net.SplitHostPort(g.Address(t, "secure"))
	if err != nil {
		t.Fatal(err)
	}

	// Names lead nowhere here, but to the gateway.
	var by dialled
	config := g.tls(t, "")
	here := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, p, _ := net.SplitHostPort(address)
		if p != port {
			return nil, fmt.Errorf("a broker is advertised at %s, not on port %s", address, port)
		}
		by.note(address)
		conn, err := (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		if err != nil {
			return nil, err
		}
		config := config.Clone()
		config.ServerName = host
		return tls.Client(conn, config), nil
	}
	topic := topicOf(t, c, "names")
	client := newClient(t, login(alice), kgo.SeedBrokers("kafka.gateway.test:"+port), kgo.Dialer(here),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ConsumerGroup("alice-names"),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	want := map[int32]string{}
	for _, n := range c.Nodes {
		want[int32(n.ID)] = fmt.Sprintf("broker-%d.gateway.test:%s", n.ID, port)
	}
	if got := brokers(t, client); !maps.Equal(got, want) {
		t.Errorf("brokers are at %v, want %v", got, want)
	}
	values := numbered("by-name", 60)
	produce(t, client, topic, values...)
	consume(t, client, values)
	for id, address := range want {
		if !slices.Contains(by.addresses(), address) {
			t.Errorf("broker %d was not dialled at %s; dialled were %v", id, address, by.addresses())
		}
	}

	t.Run("a name that is nobody's is refused", func(t *testing.T) {
		for _, name := range []string{"broker-01.gateway.test", "broker-x.gateway.test", "other.gateway.test"} {
			config := config.Clone()
			config.ServerName = name
			conn, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
			if err == nil {
				conn.Close()
				t.Errorf("%s: the handshake succeeded", name)
			}
			g.Wait(t, patience, "audit record of "+name, func(r gatewaytest.Record) bool {
				return r.Text("code") == "unknown-server-name" && strings.Contains(r.Text("reason"), name)
			})
		}
	})
	t.Run("the name of a broker that the cluster does not have serves nobody", func(t *testing.T) {
		config := config.Clone()
		config.ServerName = "broker-77.gateway.test"
		r := dialRaw(t, "127.0.0.1:"+port, config)
		// What it supports is not known, so nothing is answered until the deadline of the handshake.
		r.send(apiVersions())
		r.closed("broker 77")
	})
}

func TestACertificateThatDoesNotCoverTheBrokersNamesStopsTheStart(t *testing.T) {
	c := shared.Get(t)
	for _, wrong := range []struct{ hosts, says []string }{
		{[]string{"kafka.gateway.test"}, []string{"broker-{id}.gateway.test", `issue one with the wildcard "*.gateway.test"`}},
		{[]string{"broker-1.gateway.test"}, []string{`"kafka.gateway.test"`, "issue one with that name"}},
	} {
		s, _ := byName(t, c, wrong.hosts...)
		said := refusesToStart(t, prepare(t, c, map[string]settings{"secure": s}), 1)
		for _, text := range wrong.says {
			if !strings.Contains(strings.ReplaceAll(said, `\"`, `"`), text) {
				t.Errorf("a certificate for %v: it does not say %q:\n%s", wrong.hosts, text, said)
			}
		}
	}
}

// refusesToStart runs a gateway that has to end with this code, and returns what it said.
func refusesToStart(t *testing.T, g *gateway, code int) string {
	t.Helper()
	path := filepath.Join(g.options.Dir, "asyncgate.yaml")
	write(t, path, g.options.Settings)
	command := exec.CommandContext(within(t), gatewaytest.Binary(t), append([]string{"run", g.options.Document, "-c", path}, g.options.Args...)...)
	out, _ := command.CombinedOutput()
	if got := command.ProcessState.ExitCode(); got != code {
		t.Errorf("it ended with %d, want %d:\n%s", got, code, out)
	}
	return string(out)
}
