package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// Server names of the document that the gateway enforces.
const (
	Clear     = "clear"      // no TLS, nothing to prove
	TLS       = "tls"        // TLS, nothing to prove
	TLSSCRAM  = "tls-scram"  // TLS, SCRAM-SHA-256
	TLSPlain  = "tls-plain"  // TLS, PLAIN
	TLSToken  = "tls-token"  // TLS, OAUTHBEARER
	SASLScram = "sasl-scram" // no TLS, SCRAM-SHA-256
)

// servers are those of the document, in the order of their ports.
var servers = []struct{ name, protocol, security string }{
	{Clear, "kafka", ""},
	{TLS, "kafka-secure", ""},
	{TLSSCRAM, "kafka-secure", "scramSha256"},
	{TLSPlain, "kafka-secure", "plain"},
	{SASLScram, "kafka", "scramSha256"},
	{TLSToken, "kafka-secure", "http, scheme: bearer"},
}

// portsEach is how many ports a server takes: its own, and that of the only broker.
const portsEach = 2

// gatewayPorts is how many consecutive ports a gateway takes.
var gatewayPorts = portsEach * len(servers)

// audience is what tokens for the gateway are for.
const audience = "bench"

// limits are generous where the default would be what is measured: all load comes from one address and one user.
const limits = `limits:
  exempt: [127.0.0.0/8]
  perPrincipal: 10000
`

// Gateway is a running asyncgate.
type Gateway struct {
	*Process

	Addresses map[string]string // by the name of the server, as host:port
}

// build builds the gateway from the source in root and returns the path of the program.
func build(ctx context.Context, root, dir string) (string, error) {
	program := filepath.Join(dir, "asyncgate")
	_, err := run(ctx, nil, nil, "go", "build", "-C", root, "-o", program, "./cmd/asyncgate")
	return program, err
}

// operations are what the document of a gateway that enforces operations says besides: every topic, by one template that
// every topic's name is held against.
const operations = `channels:
  all:
    address: '{topic}'
    parameters: { topic: {} }
    messages: { any: {} }
operations:
  write: { action: send, channel: { $ref: '#/channels/all' } }
  read: { action: receive, channel: { $ref: '#/channels/all' } }
`

// operationsSettings go with it. Java's consumer makes up its group.
const operationsSettings = `enforce: operations
grants:
  - { principal: "*", group: "perf*" }
`

// startGateway starts the gateway on consecutive ports in front of the broker's plaintext listener. It enforces operations
// besides connections if it is told to.
func startGateway(ctx context.Context, program, dir string, ports int, b *Broker, issuer string, enforced bool) (*Gateway, error) {
	dir, err := os.MkdirTemp(dir, "gateway-")
	if err != nil {
		return nil, err
	}
	g := &Gateway{Addresses: map[string]string{}}
	document := strings.Builder{}
	document.WriteString("asyncapi: 3.0.0\ninfo: { title: Benchmark, version: 1.0.0 }\nservers:\n")
	settings := strings.Builder{}
	settings.WriteString("credentials: credentials.yaml\n" + limits)
	fmt.Fprintf(&settings, "tokens: { issuers: [ { issuer: %q, audience: %s } ] }\n", issuer, audience)
	if enforced {
		settings.WriteString(operationsSettings)
	}
	settings.WriteString("servers:\n")
	for i, server := range servers {
		port := ports + portsEach*i
		g.Addresses[server.name] = fmt.Sprintf("127.0.0.1:%d", port)
		fmt.Fprintf(&document, "  %s:\n    host: 127.0.0.1:%d\n    protocol: %s\n", server.name, port, server.protocol)
		fmt.Fprintf(&settings, "  %s:\n    listen: 127.0.0.1:%d\n    upstream: { bootstrap: [%q] }\n"+
			"    brokers: { ports: %d-%d, firstId: 1 }\n", server.name, port, b.Address(kafkatest.Plaintext), port+1, port+1)
		if enforced {
			settings.WriteString("    parameters: { topic: { dots: true } }\n")
		}
		if server.security == "" {
			settings.WriteString("    allowAnonymous: true\n")
		} else {
			fmt.Fprintf(&document, "    security: [{ type: %s }]\n", server.security)
		}
		if server.protocol == "kafka-secure" {
			fmt.Fprintf(&settings, "    tls: { certificate: %q, key: %q }\n",
				b.Certificate("gateway-server.crt"), b.Certificate("gateway-server.key"))
		}
	}
	if enforced {
		document.WriteString(operations)
	}
	g.Process, err = enforce(ctx, program, dir, document.String(), settings.String(), kafkatest.Password(User))
	if err != nil {
		return nil, err
	}
	return g, nil
}

// enforce runs a gateway in dir with a document, its settings, and credentials for the user, and waits until it is ready.
func enforce(ctx context.Context, program, dir, document, settings, password string) (*Process, error) {
	file := filepath.Join(dir, "bench.yaml")
	for name, content := range map[string]string{file: document, filepath.Join(dir, "asyncgate.yaml"): settings} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	_, err := run(ctx, strings.NewReader(password+"\n"), nil,
		program, "credentials", "--file", filepath.Join(dir, "credentials.yaml"), "add", User, "--password-stdin")
	if err != nil {
		return nil, err
	}
	p, err := launch(dir, program, "run", file)
	if err != nil {
		return nil, err
	}
	if err := p.wait(ctx, p.ready); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// ready reports whether the log has the record that every listener accepts.
func (p *Process) ready() bool {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(log)) {
		var record struct {
			Message string `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.Message == "ready" {
			return true
		}
	}
	return false
}
