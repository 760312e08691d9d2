package cluster_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

func TestTheGatewayIsItselfToTheBrokersInEveryWay(t *testing.T) {
	c := shared.Get(t)
	topic := topicOf(t, c, "upstream")
	// The brokers are dialled by address, and prove another name that their certificate has.
	byName := settings{"ca": c.Certificate("ca.crt"), "serverName": "test.mykafkacluster.org"}
	for name, up := range map[string]settings{
		"PLAIN inside TLS":         upstream(c, kafkatest.SASLTLS).with(as("PLAIN")).with(settings{"tls": byName}),
		"SCRAM-SHA-256 inside TLS": upstream(c, kafkatest.SASLTLS).with(as("SCRAM-SHA-256")).with(settings{"tls": byName}),
		"SCRAM-SHA-512 in clear":   upstream(c, kafkatest.SASL).with(as("SCRAM-SHA-512")),
		"a certificate": upstream(c, kafkatest.MTLS).with(settings{"tls": byName.with(settings{
			"certificate": c.Certificate("gateway.crt"), "key": c.Certificate("gateway.key")})}),
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, c, map[string]settings{"secure": secure(c, up)})
			g.works(t, "secure", alice, topic)
		})
	}
}

// watched puts a relay before a plaintext listener of every node. Brokers name each other's real addresses in answers,
// so the relays write their own there.
func watched(t *testing.T, c *kafkatest.Cluster, l kafkatest.Listener) ([]*relay, settings) {
	t.Helper()
	var relays []*relay
	var from, to [][]byte
	edit := func(frame []byte) {
		for i := range from {
			copy(frame, bytes.ReplaceAll(frame, from[i], to[i])) // of equal length
		}
	}
	var bootstrap []string
	for _, address := range c.Addresses(l) {
		r := newRelay(t, "127.0.0.1:0", address, edit)
		relays, bootstrap = append(relays, r), append(bootstrap, r.address())
		from, to = append(from, onTheWire(t, address)), append(to, onTheWire(t, r.address()))
	}
	return relays, settings{"bootstrap": bootstrap}
}

// onTheWire is an address as messages have it: the host, and the port as int32.
func onTheWire(t *testing.T, address string) []byte {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.AppendUint32([]byte(host), uint32(port))
}

func TestNothingOfAClientsLoginReachesABroker(t *testing.T) {
	c := shared.Get(t)
	relays, up := watched(t, c, kafkatest.SASL)
	g := start(t, c, map[string]settings{"secure": secure(c, up.with(as("PLAIN")))})
	topic := topicOf(t, c, "credentials")
	const unusual = "amelie" // nobody else is called so
	g.reloads(t, reloaded, func() { g.credentials.User(unusual, secret(unusual)) })
	scram := g.client(t, "secure", unusual)
	produce(t, scram, topic, numbered("scram", 30)...)
	plain := dialRaw(t, g.Address(t, "secure"), g.tls(t, ""))
	plain.login(unusual, secret(unusual))
	plain.ask(apiVersions())
	metadata(t, plain, topic)

	var sent []byte
	for _, r := range relays {
		sent = append(sent, r.sent()...)
	}
	for what, needle := range map[string]string{
		"the client's name": unusual, "its password": secret(unusual), "the password of all": "at the gate",
		"the password in base64": base64.StdEncoding.EncodeToString([]byte(secret(unusual)))[:16],
	} {
		if bytes.Contains(sent, []byte(needle)) {
			t.Errorf("%s reached a broker", what)
		}
	}
	// The relays see what they should: records of the client, and logins, the gateway's own alone.
	for what, needle := range map[string]string{"a record": "scram-0", "the gateway's own login": "\x00gateway\x00" + kafkatest.Password("gateway")} {
		if !bytes.Contains(sent, []byte(needle)) {
			t.Errorf("%s did not reach a broker", what)
		}
	}
	if bytes.Contains(sent, []byte("SCRAM-SHA-")) {
		t.Error("a mechanism that only the client used was named to a broker")
	}
}

// failing is the gateway's word on an upstream that it cannot use.
func failing(t *testing.T, g *gateway) []string {
	t.Helper()
	var reasons []string
	for _, r := range g.Records(func(r gatewaytest.Record) bool { return r.Text("msg") == "upstream unavailable" }) {
		reasons = append(reasons, r.Text("error"))
	}
	return reasons
}

func TestAnUpstreamThatCannotBeUsedIsToldOnceAndRecoveredFrom(t *testing.T) {
	c := shared.Get(t)
	topic := topicOf(t, c, "recovery")
	address := c.Addresses(kafkatest.SASLTLS)[0]
	trusting := settings{"tls": settings{"ca": c.Certificate("ca.crt")}}
	quick := settings{"limits": settings{"handshake": "2s"}}
	down := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1))

	for _, fault := range []struct {
		name     string
		upstream settings
		password string
		says     []string
		mend     func(*testing.T, *gateway)
	}{
		{
			name: "a broker that is down", upstream: upstream(c, kafkatest.Plaintext).with(settings{"bootstrap": []string{down}}),
			says: []string{down, "connection refused"},
			mend: func(t *testing.T, _ *gateway) { newRelay(t, down, c.Addresses(kafkatest.Plaintext)[0], nil) },
		}, {
			name:     "a broker of another authority",
			upstream: upstream(c, kafkatest.SASLTLS).with(as("PLAIN")).with(settings{"tls": settings{"ca": c.Certificate("other-ca.crt")}}),
			says:     []string{address, "TLS: ", "certificate signed by unknown authority"},
			mend: func(t *testing.T, g *gateway) {
				g.reloads(t, reloaded, func() {
					write(t, filepath.Join(g.options.Dir, "asyncgate.yaml"), g.written(t, map[string]settings{
						"secure": secure(c, upstream(c, kafkatest.SASLTLS).with(as("PLAIN")).with(trusting))}, quick))
				})
			},
		}, {
			name: "a wrong password of the gateway's own", upstream: upstream(c, kafkatest.SASLTLS).with(as("SCRAM-SHA-512")).with(trusting),
			password: "not-the-gateways-password", says: []string{address, `login as "gateway" with SCRAM-SHA-512`, "refused"},
			mend: func(t *testing.T, g *gateway) {
				g.reloads(t, reloaded, func() {
					write(t, filepath.Join(g.options.Dir, "gateway.password"), kafkatest.Password("gateway"))
				})
			},
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			g := prepare(t, c, map[string]settings{"secure": secure(c, fault.upstream)}, quick)
			if fault.password != "" {
				write(t, filepath.Join(g.options.Dir, "gateway.password"), fault.password)
			}
			g.Gateway = gatewaytest.Start(t, g.options)
			waiting := g.client(t, "secure", alice) // it tries on and on
			r := dialRaw(t, g.Address(t, "secure"), g.tls(t, ""))
			r.send(apiVersions())
			r.closed("a client that asks for versions that nobody knows")
			g.audit(t, map[string]string{"msg": "refused", "server": "secure", "stage": "upstream", "code": "upstream-unavailable"})
			if status, _ := g.get(t, "/livez"); status != 200 {
				t.Errorf("/livez answers %d", status)
			}
			reasons := failing(t, g)
			if len(reasons) != 1 {
				t.Errorf("it is told %d times: %q", len(reasons), reasons)
			}
			for _, text := range fault.says {
				if !strings.Contains(strings.Join(reasons, "\n"), text) {
					t.Errorf("the reason does not say %q: %q", text, reasons)
				}
			}
			if slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, "password") && strings.Contains(s, fault.password) }) {
				t.Errorf("the reason has the password: %q", reasons)
			}

			fault.mend(t, g)
			produce(t, waiting, topic, "it recovers")
			g.works(t, "secure", bob, topic)
		})
	}
}

// A broker's login lasts four seconds here, the client's for ever. The gateway logs in again two seconds before the end: a
// machine that keeps it from that for so long says nothing of it, and gets another chance.
func TestTheGatewayRenewsItsOwnLoginUnnoticed(t *testing.T) {
	for try := 1; ; try++ {
		err := renewsUnnoticed(t, fmt.Sprintf("renewal-%d", try))
		if err == nil {
			return
		}
		if try == 3 {
			t.Fatal(err)
		}
		t.Logf("another try: %v", err)
	}
}

// renewsUnnoticed reports a connection that was lost.
func renewsUnnoticed(t *testing.T, name string) error {
	t.Helper()
	c := shared.Get(t)
	relays, up := watched(t, c, kafkatest.Reauth)
	server := secure(c, up.with(as("PLAIN")))
	scram := secure(c, upstream(c, kafkatest.Reauth).with(as("SCRAM-SHA-256")))
	g := start(t, c, map[string]settings{"secure": server, "second": scram})
	topic := topicOf(t, c, name)
	other := topicOf(t, c, name+"-scram")
	client := func(server string) func(...kgo.Opt) *kgo.Client {
		return func(options ...kgo.Opt) *kgo.Client { return g.client(t, server, alice, options...) }
	}
	w, v := steadily(t, topic, client("secure")), steadily(t, other, client("second"))
	idle := g.raw(t, "secure", bob)
	metadata(t, idle, topic)
	err := lasts(11*time.Second, func() error {
		if lost := w.losses.Load() + v.losses.Load(); lost > 0 {
			return fmt.Errorf("%d connections were lost", lost)
		}
		return nil
	})
	w.goesOn(t, "with PLAIN")
	v.goesOn(t, "with SCRAM")
	w.halt(t)
	v.halt(t)
	if err != nil {
		return err
	}
	metadata(t, idle, topic) // the broker waits for a login that is overdue

	logins := 0
	for _, r := range relays {
		logins += bytes.Count(r.sent(), []byte("\x00gateway\x00"))
	}
	if dials := int(g.metric(t, "asyncgate_upstream_dials_total", `server="secure"`)); logins < dials+6 {
		t.Errorf("%d logins on %d connections: nothing was renewed", logins, dials)
	}
	if failures := g.metric(t, "asyncgate_upstream_failures_total"); failures > 0 {
		return fmt.Errorf("%v clients were lost to the upstream", failures)
	}
	return nil
}
