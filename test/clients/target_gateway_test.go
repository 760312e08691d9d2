package clients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// front is a scheme and the server of a document that is to be dialled for it.
type front struct {
	scheme
	server   string
	upstream string // who the gateway is to the cluster: "" on the listener without security, a mechanism, or EXTERNAL
}

// gateway is a target: a gateway in front of the cluster.
type gateway struct {
	target
	*gatewaytest.Gateway
	fronts []front
}

// alicesPassword is hers at the gateway, and not the one she has at the cluster.
const alicesPassword = "alice at the gate"

// startGateway runs a document, unedited, in front of a cluster. Alice may log in with every scheme.
func startGateway(t *testing.T, c *kafkatest.Cluster, document string, fronts func(*gatewaytest.Credentials) []front) *gateway {
	t.Helper()
	credentials := gatewaytest.NewCredentials(t)
	credentials.User("alice", alicesPassword)
	credentials.Certificate("alice-certificate", "CN=alice")
	g := &gateway{fronts: fronts(credentials)}

	dir := t.TempDir()
	writeGatewayPassword(t, dir)
	servers := map[string]any{}
	for _, f := range g.fronts {
		servers[f.server] = serverSettings(c, f)
	}
	settings, err := json.Marshal(map[string]any{ // JSON is YAML
		"servers":     servers,
		"credentials": credentials.Path,
		"limits":      map[string]any{"exempt": []string{"127.0.0.0/8", "::1/128"}}, // a hundred refusals are the point here
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Gateway = gatewaytest.Start(t, gatewaytest.Options{Document: document, Settings: string(settings), Dir: dir})
	g.target = target{cluster: c, addresses: map[string]string{}}
	for _, f := range g.fronts {
		g.schemes = append(g.schemes, f.scheme)
		g.addresses[f.name] = g.Address(t, f.server)
	}
	return g
}

// writeGatewayPassword writes what the gateway's settings point to for its own login.
func writeGatewayPassword(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "gateway.password"), []byte(kafkatest.Password("gateway")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// audited fails the test unless the gateway's audit log says that somebody made this mistake.
func (g *gateway) audited(t *testing.T, s scheme, wrong mistake) {
	t.Helper()
	i := slices.IndexFunc(g.fronts, func(f front) bool { return f.name == s.name })
	want := map[string]string{"logger": "audit", "decision": "deny", "server": g.fronts[i].server}
	g.Wait(t, auditTimeout, fmt.Sprintf("audit record %v with one of %v", want, wrong.codes), func(r gatewaytest.Record) bool {
		return r.Has(want) && slices.Contains(wrong.codes, r.Text("code"))
	})
}

// auditTimeout bounds the time between a client's end and the gateway's record of it.
const auditTimeout = 30 * time.Second

// serverSettings are the settings of one server, on free ports of loopback.
func serverSettings(c *kafkatest.Cluster, f front) map[string]any {
	upstream := map[string]any{"bootstrap": c.Addresses(kafkatest.Plaintext)}
	switch f.upstream {
	case "":
	case "EXTERNAL":
		upstream["bootstrap"] = c.Addresses(kafkatest.MTLS)
		upstream["tls"] = map[string]string{
			"ca": c.Certificate("ca.crt"), "certificate": c.Certificate("gateway.crt"), "key": c.Certificate("gateway.key"),
		}
	default:
		upstream["bootstrap"] = c.Addresses(kafkatest.SASLTLS)
		upstream["tls"] = map[string]string{"ca": c.Certificate("ca.crt")}
		upstream["sasl"] = map[string]string{"mechanism": f.upstream, "username": "gateway", "password": "file:gateway.password"}
	}
	tls := map[string]string{
		"certificate": c.Certificate("gateway-server.crt"), "key": c.Certificate("gateway-server.key"),
	}
	if f.right["cert"] != "" {
		tls["clientCA"] = c.Certificate("ca.crt")
	}
	return map[string]any{"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0", "tls": tls, "upstream": upstream}
}

// everyScheme are the servers of testdata/schemes.yml. Between them they use every way of being somebody to a cluster.
func everyScheme(c *kafkatest.Cluster) func(*gatewaytest.Credentials) []front {
	return func(credentials *gatewaytest.Credentials) []front {
		key := credentials.Key("alice-key")
		wrongKey := key[:len(key)-4] + "0000"
		return []front{
			{sasl("SCRAM-256", "SCRAM-SHA-256", "alice", alicesPassword, wrongPassword, unknownUser), "scram256", "SCRAM-SHA-512"},
			{sasl("SCRAM-512", "SCRAM-SHA-512", "alice", alicesPassword, wrongPassword, unknownUser), "scram512", "SCRAM-SHA-256"},
			{sasl("PLAIN", "PLAIN", "alice", alicesPassword, wrongPassword, unknownUser), "plain", "PLAIN"},
			{sasl("password", "SCRAM-SHA-512", "alice", alicesPassword, wrongPassword), "password", ""},
			{sasl("key in user", "PLAIN", key, "ignored", mistake{map[string]string{"user": wrongKey}, []string{"unknown-key"}}), "keyInUser", "EXTERNAL"},
			{sasl("key in password", "PLAIN", "ignored", key, mistake{map[string]string{"password": wrongKey}, []string{"unknown-key"}}), "keyInPassword", "EXTERNAL"},
			{mtls(c), "certificate", "SCRAM-SHA-512"},
		}
	}
}

// streetlights are the two servers of the specification's Kafka example.
func streetlights(c *kafkatest.Cluster) func(*gatewaytest.Credentials) []front {
	return func(*gatewaytest.Credentials) []front {
		return []front{
			{sasl("SCRAM-256", "SCRAM-SHA-256", "alice", alicesPassword, wrongPassword, unknownUser), "scram-connections", "SCRAM-SHA-512"},
			{mtls(c), "mtls-connections", "EXTERNAL"},
		}
	}
}
