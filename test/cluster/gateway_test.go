package cluster_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// Users of the gateway. Their passwords there are none that the cluster knows.
const (
	alice = "alice"
	bob   = "bob"
	ops   = "ops" // may use admin APIs
)

func secret(user string) string { return user + " at the gate" }

// settings are of one server of testdata/cluster.yml, or of something in it.
type settings map[string]any

func (s settings) with(more settings) settings {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

// secure are the settings of a server with TLS.
func secure(c *kafkatest.Cluster, upstream settings) settings {
	return settings{"listen": "127.0.0.1:0", "advertise": "localhost:0", "upstream": upstream, "tls": settings{
		"certificate": c.Certificate("gateway-server.crt"), "key": c.Certificate("gateway-server.key"),
	}}
}

// plain are the settings of a server without TLS.
func plain(upstream settings) settings {
	return settings{"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0", "upstream": upstream, "unsafePlaintextCredentials": true}
}

// upstream is a listener of the cluster. It need not be told who the gateway is where it asks for nothing.
func upstream(c *kafkatest.Cluster, l kafkatest.Listener) settings {
	return settings{"bootstrap": c.Addresses(l)}
}

// as is the gateway's own login by a mechanism. The password is in the file gateway.password beside the settings.
func as(mechanism string) settings {
	return settings{"sasl": settings{"mechanism": mechanism, "username": "gateway", "password": "file:gateway.password"}}
}

// gateway is a running gateway in front of the shared cluster.
type gateway struct {
	*gatewaytest.Gateway
	cluster     *kafkatest.Cluster
	credentials *gatewaytest.Credentials
	options     gatewaytest.Options
	authorities *x509.CertPool // beside the cluster's, whom clients believe
}

// users are the credentials that every gateway begins with, made once.
var users struct {
	sync.Once
	file []byte
}

// newCredentials begins a credentials file with alice, bob, ops and alice's certificate.
func newCredentials(t testing.TB) *gatewaytest.Credentials {
	t.Helper()
	users.Do(func() {
		c := gatewaytest.NewCredentials(t)
		for _, user := range []string{alice, bob, ops} {
			c.User(user, secret(user))
		}
		c.Certificate(alice, "CN=alice")
		users.file, _ = os.ReadFile(c.Path)
	})
	c := gatewaytest.NewCredentials(t)
	write(t, c.Path, string(users.file))
	return c
}

// write replaces a file as an operator should: all of it at once.
func write(t testing.TB, path, content string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// prepare writes what a gateway needs and does not start it.
func prepare(t testing.TB, c *kafkatest.Cluster, servers map[string]settings, more ...settings) *gateway {
	t.Helper()
	g := &gateway{cluster: c, credentials: newCredentials(t)}
	g.options.Document = filepath.Join("testdata", "cluster.yml")
	g.options.Dir = t.TempDir()
	write(t, filepath.Join(g.options.Dir, "gateway.password"), kafkatest.Password("gateway"))
	for name := range servers {
		g.options.Args = append(g.options.Args, "--server", name)
	}
	g.options.Settings = g.written(t, servers, more...)
	return g
}

// written are the settings of these servers, as a file.
func (g *gateway) written(t testing.TB, servers map[string]settings, more ...settings) string {
	t.Helper()
	all := settings{
		"servers": servers, "credentials": g.credentials.Path,
		"admins": []string{ops}, "admin": settings{"listen": "127.0.0.1:0"},
	}
	for _, m := range more {
		all = all.with(m)
	}
	content, err := json.Marshal(all) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// start runs a gateway with these servers of testdata/cluster.yml.
func start(t testing.TB, c *kafkatest.Cluster, servers map[string]settings, more ...settings) *gateway {
	t.Helper()
	g := prepare(t, c, servers, more...)
	g.Gateway = gatewaytest.Start(t, g.options)
	return g
}

// restart stops the gateway and starts it again with what it had.
func (g *gateway) restart(t testing.TB) {
	t.Helper()
	if code := g.Stop(t); code != 0 {
		t.Errorf("the gateway ended with %d, want 0", code)
	}
	g.Gateway = gatewaytest.Start(t, g.options)
}

// tls is a client's side of TLS.
func (g *gateway) tls(t testing.TB, certificate string) *tls.Config {
	t.Helper()
	config := g.cluster.TLS(t, certificate)
	if g.authorities != nil {
		config.RootCAs = g.authorities
	}
	return config
}

// audit waits for an audit record that says this.
func (g *gateway) audit(t testing.TB, want map[string]string) gatewaytest.Record {
	t.Helper()
	return g.Wait(t, patience, fmt.Sprintf("audit record %v", want), func(r gatewaytest.Record) bool {
		return r.Text("logger") == "audit" && r.Has(want)
	})
}

// messages counts the log records with this message.
func (g *gateway) messages(text string) int {
	return len(g.Records(func(r gatewaytest.Record) bool { return r.Text("msg") == text }))
}

// reloads waits until a reload has been taken over, or refused, after do.
func (g *gateway) reloads(t testing.TB, message string, do func()) {
	t.Helper()
	before := g.messages(message)
	do()
	eventually(t, message, func() error {
		if g.messages(message) == before {
			return errNotYet
		}
		return nil
	})
}

const (
	reloaded     = "reloaded"
	reloadFailed = "reload failed, the old state stays"
)

// get asks the admin address.
func (g *gateway) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	ready := g.Records(func(r gatewaytest.Record) bool { return r.Text("msg") == "ready" })
	r, err := http.Get("http://" + ready[0].Text("admin") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// metric is the sum of a metric's samples that have all of these labels, each written name="value".
func (g *gateway) metric(t testing.TB, name string, labels ...string) (sum float64) {
	t.Helper()
	_, body := g.get(t, "/metrics")
	lines := bufio.NewScanner(strings.NewReader(body))
next:
	for lines.Scan() {
		sample, value, _ := strings.Cut(lines.Text(), " ")
		found, of, _ := strings.Cut(sample, "{")
		if found != name {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(of, label) {
				continue next
			}
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("metric %q: %v", lines.Text(), err)
		}
		sum += v
	}
	return sum
}

// properties writes what Java's tools need to log a user in with SCRAM, in clear.
func (g *gateway) properties(t testing.TB, user string, more ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.properties")
	write(t, path, strings.Join(append([]string{
		"security.protocol=SASL_PLAINTEXT",
		"sasl.mechanism=SCRAM-SHA-256",
		`sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="` + user + `" password="` + secret(user) + `";`,
	}, more...), "\n"))
	return path
}

// atLeast is nil once there are so many audit records that say this.
func (g *gateway) atLeast(n int, want map[string]string) error {
	found := g.Records(func(r gatewaytest.Record) bool { return r.Text("logger") == "audit" && r.Has(want) })
	if len(found) < n {
		return fmt.Errorf("%d audit records %v, want %d", len(found), want, n)
	}
	return nil
}
