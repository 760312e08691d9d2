package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// demoBrokers is how many embedded brokers stand behind the gateway.
const demoBrokers = 3

// people are the credentials of the demo, good and bad. The passwords guard nothing: the world is made for one run.
type people struct {
	password, key, bobsKey, revokedKey string
}

// prepare starts the brokers and writes every file that the gateway needs.
func (d *demo) prepare(document []byte) error {
	if err := os.WriteFile(d.path(d.document), document, 0o600); err != nil {
		return err
	}
	one := makePlan(d.document, document, nil, nil, nil, compile.Options{})
	p, problems := one.plan, one.problems
	if p.AsyncAPI == "" || !slices.ContainsFunc(p.Servers, demonstrable) {
		if err := report.Problems(d.env.stderr, problems); err != nil {
			return err
		}
		return &exitError{exitProblem, fmt.Errorf("%s has no Kafka or MQTT server whose security can be shown", d.document)}
	}
	if err := d.assign(p); err != nil {
		return err
	}
	if err := d.startBrokers(p); err != nil {
		return fmt.Errorf("embedded brokers: %w", err)
	}
	if err := d.startIssuer(p); err != nil {
		return err
	}
	if err := d.writeCertificates(); err != nil {
		return err
	}
	if err := d.writeCredentials(); err != nil {
		return err
	}
	return d.writeSettings(p)
}

// startBrokers starts the brokers that the servers of a plan need. In each topic that alice consumes from there is
// something already.
func (d *demo) startBrokers(p *plan.Plan) (err error) {
	var kafka, mqtt []work
	for _, s := range p.Servers {
		switch w := d.works[s.Name]; {
		case !demonstrable(s):
		case s.MQTT != nil:
			mqtt = append(mqtt, w)
		default:
			kafka = append(kafka, w)
		}
	}
	if len(mqtt) > 0 {
		if d.mqtt, err = startMQTTBroker(); err != nil {
			return err
		}
	}
	for _, w := range mqtt {
		if w.consume == "" {
			continue
		}
		if err := d.mqtt.Publish(w.consume, []byte("hello"), true, 1); err != nil {
			return err
		}
	}
	if len(kafka) > 0 {
		topics, filled := []string{payroll}, []string{payroll}
		for _, w := range kafka {
			topics, filled = append(topics, w.produce, w.consume), append(filled, w.consume)
		}
		d.kafka, err = startKafkaBrokers(d.env.ctx, distinct(topics), distinct(filled))
	}
	return err
}

// startKafkaBrokers starts brokers on loopback that let everyone in: only the gateway knows where they are.
func startKafkaBrokers(ctx context.Context, topics, filled []string) (*kfake.Cluster, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(demoBrokers), kfake.SeedTopics(demoBrokers, topics...))
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		cluster.Close()
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	for _, topic := range filled {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("hello")}).FirstErr(); err != nil {
			cluster.Close()
			return nil, fmt.Errorf("topic %s: %w", topic, err)
		}
	}
	return cluster, nil
}

// distinct are the names without repetitions and empty ones.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// demonstrable reports whether the demo can run a server: it is Kafka or MQTT, and asks for something that is enforced.
func demonstrable(s plan.Server) bool {
	return (s.MQTT != nil || strings.HasPrefix(strings.ToLower(s.Protocol), "kafka")) && slices.ContainsFunc(s.Alternatives,
		func(a plan.Alternative) bool { return a.Enabled })
}

// writeCertificates makes the gateway's certificate, one for alice, one of the same authority that nobody knows, and one
// that says alice and comes from another authority.
func (d *demo) writeCertificates() error {
	const life = 24 * time.Hour
	ca, err := tlsconf.NewDevCA("demo", life)
	if err != nil {
		return err
	}
	other, err := tlsconf.NewDevCA("other", life)
	if err != nil {
		return err
	}
	if err := ca.WritePEM(d.path("ca.pem")); err != nil {
		return err
	}
	for name, issue := range map[string]func() (*tlsconf.Pair, error){
		"gateway":  func() (*tlsconf.Pair, error) { return ca.Server("localhost", "127.0.0.1") },
		"alice":    func() (*tlsconf.Pair, error) { return ca.Client("demo", "alice") },
		"stranger": func() (*tlsconf.Pair, error) { return ca.Client("demo", "stranger") },
		"mallory":  func() (*tlsconf.Pair, error) { return other.Client("demo", "alice") },
	} {
		pair, err := issue()
		if err != nil {
			return err
		}
		if err := pair.Write(d.path(name+".pem"), d.path(name+".key")); err != nil {
			return err
		}
	}
	return nil
}

// writeCredentials makes alice, whom every scheme lets in, bob, her neighbour, carol, whose password has expired, and a key of dave's that
// was revoked: with the same commands that an operator uses.
func (d *demo) writeCredentials() error {
	path := d.path(credentialsName)
	if err := credentials.Create(path); err != nil {
		return err
	}
	var err error
	manage := func(stdin string, args ...string) string {
		if err != nil {
			return ""
		}
		var stdout, stderr strings.Builder
		env := &environment{ctx: d.env.ctx, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
		args = append([]string{"credentials", "--file", path}, args...)
		if code := run(env, args); code != exitOK {
			err = fmt.Errorf("asyncgate %s: %s", strings.Join(args, " "), strings.TrimSpace(stderr.String()))
		}
		return strings.TrimSpace(stdout.String())
	}
	d.people.password = "streetlights"
	manage(d.people.password, "add", "alice", "--password-stdin")
	manage(d.people.password, "add", "bob", "--password-stdin")
	manage(d.people.password, "add", "carol", "--password-stdin")
	manage("", "add", "alice", "--kind", "certificate", "--match", "CN=alice")
	d.people.key = manage("", "add", "alice", "--kind", "key", "--generate")
	d.people.bobsKey = manage("", "add", "bob", "--kind", "key", "--generate")
	d.people.revokedKey = manage("", "add", "dave", "--kind", "key", "--generate")
	manage("", "revoke", "dave")
	if err != nil {
		return err
	}
	return credentials.Edit(path, func(f *credentials.File) error {
		for _, u := range f.Users {
			if u.Name == "carol" {
				u.Expires = time.Now().Add(-time.Hour)
			}
		}
		return nil
	})
}

// writeSettings writes the settings that an operator would write, with loopback for every host of the document.
func (d *demo) writeSettings(p *plan.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "credentials: %s\n", credentialsName)
	if d.enforce {
		b.WriteString("enforce: operations\nperspective: application\n")
	}
	if d.issuer != nil {
		fmt.Fprintf(&b, "tokens: { issuers: [{ issuer: %q, audience: %s }] }\n", d.issuer.URL(), demoAudience)
	}
	b.WriteString("limits: { exempt: [127.0.0.0/8] }   # the self-check fails more often than an address may\nservers:\n")
	taken := map[int]bool{}
	for i := range p.Servers {
		s := &p.Servers[i]
		if !demonstrable(*s) {
			fmt.Fprintf(&b, "  %s: { enabled: false }\n", s.Name)
			continue
		}
		port := freePorts(int(s.Advertise.Port), taken)
		fmt.Fprintf(&b, "  %s:\n    listen: 127.0.0.1:%d\n    advertise: 127.0.0.1:%d\n", s.Name, port, port)
		if s.MQTT != nil {
			fmt.Fprintf(&b, "    upstream: { address: %s }\n", d.mqtt.address)
		} else {
			fmt.Fprintf(&b, "    brokers: { ports: %d-%d }\n    upstream: { bootstrap: [%s] }\n",
				port+1, port+demoBrokers, strings.Join(d.kafka.ListenAddrs(), ", "))
		}
		certificates := proves(s, sasl.External)
		reusable := proves(s, sasl.Plain) || proves(s, sasl.Password) || proves(s, sasl.Basic) || proves(s, sasl.OAuthBearer) ||
			proves(s, sasl.Header) || proves(s, sasl.HTTPKey)
		if s.TLS != nil || certificates || reusable { // a password in clear is an error, and a certificate is at hand
			b.WriteString("    tls: { certificate: gateway.pem, key: gateway.key")
			if certificates {
				b.WriteString(", clientCA: ca.pem")
			}
			b.WriteString(" }\n")
		}
	}
	return os.WriteFile(d.path(settingsName), []byte(b.String()), 0o600)
}

// proves reports whether a mechanism can prove one of the server's schemes.
func proves(s *plan.Server, mechanism string) bool {
	return slices.ContainsFunc(s.Alternatives, func(a plan.Alternative) bool {
		return a.Enabled && slices.ContainsFunc(a.All, func(r plan.Requirement) bool {
			return slices.Contains(r.Mechanisms, mechanism)
		})
	})
}

// freePorts finds a port that is free with one for each broker after it: the document's own if it can be had.
func freePorts(wanted int, taken map[int]bool) int {
	free := func(port int) bool {
		for p := port; p <= port+demoBrokers; p++ {
			if taken[p] || p > 65535 {
				return false
			}
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
			if err != nil {
				return false
			}
			_ = l.Close()
		}
		return true
	}
	port := max(wanted, 1024)
	for !free(port) && port < 60000 {
		port += demoBrokers + 1
	}
	for p := port; p <= port+demoBrokers; p++ {
		taken[p] = true
	}
	return port
}
