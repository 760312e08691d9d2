package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Servers of the document that the gateway before Mosquitto enforces.
const (
	MQTTPassword = "password"       // no TLS, a user and a password
	MQTTTLS      = "password-tls"   // the same inside TLS
	MQTTScram    = "scram"          // no TLS, SCRAM-SHA-256 by enhanced authentication
	mqttPassword = User + "-secret" // at Mosquitto too: examples/mosquitto
)

// mqttServers are those of the document, in the order of their ports.
var mqttServers = []struct{ name, protocol, security string }{
	{MQTTPassword, "mqtt", "userPassword"},
	{MQTTTLS, "mqtts", "userPassword"},
	{MQTTScram, "mqtt", "scramSha256"},
}

// Consecutive ports: those of Mosquitto's listeners, in the order of its configuration, then HAProxy's, then two
// gateways'.
const (
	mosquittoPorts = 6
	mqttPorts      = mosquittoPorts + 2*(1+3)
)

// MQTT is Mosquitto and what stands in front of it. Everyone logs in with [User] and the same password.
type MQTT struct {
	Direct  string // host:port of Mosquitto's listener for passwords
	Broker  *Process
	HAProxy *HAProxy // nil if it is not installed or not wanted; its Clear goes to Direct
	Gateway *Gateway // nil if it is not wanted

	rig   *Rig
	ports int // the first behind Mosquitto's
}

// MQTTPasswordOf is the password of [User].
func MQTTPasswordOf() string { return mqttPassword }

// startMQTT starts Mosquitto and what is wanted in front of it.
func (r *Rig) startMQTT(ctx context.Context, o Options) (_ *MQTT, err error) {
	ports, err := freePorts(mqttPorts)
	if err != nil {
		return nil, err
	}
	m := &MQTT{Direct: fmt.Sprintf("127.0.0.1:%d", ports), rig: r, ports: ports + mosquittoPorts}
	defer func() {
		if err != nil {
			m.stop()
		}
	}()
	if err := m.startBroker(ctx, o.Root, ports); err != nil {
		return nil, err
	}
	if o.HAProxy {
		m.HAProxy, err = m.haproxy(ctx, m.ports)
		if err != nil && !errors.Is(err, exec.ErrNotFound) {
			return nil, err
		}
	}
	if o.Gateway {
		if m.Gateway, err = m.gateway(ctx, m.ports+2); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *MQTT) startBroker(ctx context.Context, root string, ports int) (err error) {
	var listed []string
	for i := range mosquittoPorts {
		listed = append(listed, fmt.Sprint(ports+i))
	}
	dir := filepath.Join(m.rig.dir, "mosquitto")
	m.Broker, err = launch(m.rig.dir, "env", "MOSQUITTO_PORTS="+strings.Join(listed, " "),
		"MOSQUITTO_CERTIFICATES="+m.rig.certificates, "MOSQUITTO_SETTINGS=connection_messages false",
		"bash", filepath.Join(root, "test", "mosquitto", "up.sh"), dir)
	if err != nil {
		return err
	}
	return m.Broker.wait(ctx, func() bool { return accepts(m.Direct) })
}

func (m *MQTT) haproxy(ctx context.Context, port int) (*HAProxy, error) {
	h := newHAProxy()
	h.Clear = h.listen(port, "", m.Direct)
	dir, err := os.MkdirTemp(m.rig.dir, "haproxy-")
	if err == nil {
		err = h.start(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// FreshHAProxy starts another HAProxy, which has done nothing yet; the caller stops it. Only one runs at a time.
func (m *MQTT) FreshHAProxy(ctx context.Context) (*HAProxy, error) { return m.haproxy(ctx, m.ports+1) }

// FreshGateway starts another gateway, which has done nothing yet; the caller stops it. Only one runs at a time.
func (m *MQTT) FreshGateway(ctx context.Context) (*Gateway, error) {
	return m.gateway(ctx, m.ports+2+len(mqttServers))
}

// gateway starts a gateway on consecutive ports in front of Mosquitto, to which it logs in as itself.
func (m *MQTT) gateway(ctx context.Context, ports int) (*Gateway, error) {
	dir, err := os.MkdirTemp(m.rig.dir, "gateway-")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway.password"), []byte("gateway-secret"), 0o600); err != nil {
		return nil, err
	}
	g := &Gateway{Addresses: map[string]string{}}
	document, settings := strings.Builder{}, strings.Builder{}
	document.WriteString("asyncapi: 3.0.0\ninfo: { title: Benchmark, version: 1.0.0 }\nservers:\n")
	settings.WriteString("credentials: credentials.yaml\n" + limits + "servers:\n")
	for i, server := range mqttServers {
		g.Addresses[server.name] = fmt.Sprintf("127.0.0.1:%d", ports+i)
		fmt.Fprintf(&document, "  %s:\n    host: %s\n    protocol: %s\n    security: [{ type: %s }]\n",
			server.name, g.Addresses[server.name], server.protocol, server.security)
		fmt.Fprintf(&settings, "  %s:\n    listen: %s\n    upstream: { address: %q, username: gateway, password: file:gateway.password }\n",
			server.name, g.Addresses[server.name], m.Direct)
		switch {
		case server.protocol == "mqtts":
			fmt.Fprintf(&settings, "    tls: { certificate: %q, key: %q }\n",
				m.rig.Certificate("gateway-server.crt"), m.rig.Certificate("gateway-server.key"))
		case server.security == "userPassword":
			settings.WriteString("    unsafePlaintextCredentials: true\n")
		}
	}
	g.Process, err = enforce(ctx, m.rig.program, dir, document.String(), settings.String(), mqttPassword)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// processes are those that run.
func (m *MQTT) processes() []*Process {
	var all []*Process
	if m.Gateway != nil {
		all = append(all, m.Gateway.Process)
	}
	if m.HAProxy != nil {
		all = append(all, m.HAProxy.Process)
	}
	if m.Broker != nil {
		all = append(all, m.Broker)
	}
	return all
}

func (m *MQTT) pids() []int {
	var all []int
	for _, p := range m.processes() {
		all = append(all, p.PID())
	}
	return all
}

func (m *MQTT) stop() {
	for _, p := range m.processes() {
		p.Stop()
	}
}
