package cluster_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// longPoll asks for records that do not come: the broker answers after the wait.
func longPoll(t *testing.T, c *kafkatest.Cluster, r *raw, topic string, wait time.Duration) (answer func() (kmsg.Response, error)) {
	t.Helper()
	_, found, err := leaders(within(t), c.Client(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	request := kmsg.NewPtrFetchRequest()
	request.Version, request.MaxWaitMillis, request.MinBytes, request.MaxBytes, request.SessionEpoch = 13, int32(wait.Milliseconds()), 1, 1<<20, -1
	of := kmsg.NewFetchRequestTopic()
	of.TopicID = found.TopicID
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes, partition.CurrentLeaderEpoch = 1<<20, -1
	of.Partitions = append(of.Partitions, partition)
	request.Topics = append(request.Topics, of)
	r.send(request)
	return func() (kmsg.Response, error) { return r.answer(request.Key(), request.Version) }
}

func TestSIGTERMWaitsForALongPollAndTheSecondDoesNot(t *testing.T) {
	c := shared.Get(t)
	topic := topicOf(t, c, "drain")
	const wait = 4 * time.Second
	polling := func(t *testing.T) (*gateway, func() (kmsg.Response, error)) {
		g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext))})
		if status, _ := g.get(t, "/readyz"); status != 200 {
			t.Errorf("/readyz answers %d", status)
		}
		r := g.raw(t, "secure", alice)
		metadata(t, r, topic) // the connection to the broker is there
		answer := longPoll(t, c, r, topic, wait)
		eventually(t, "the poll is on its way", func() error {
			if g.metric(t, "asyncgate_requests_total", `api="Fetch"`, `decision="allow"`) == 0 {
				return errNotYet
			}
			return nil
		})
		g.Signal(t, syscall.SIGTERM)
		g.Wait(t, patience, "the begin of the drain", func(r gatewaytest.Record) bool { return r.Text("msg") == "draining" })
		if status, _ := g.get(t, "/readyz"); status != 503 {
			t.Errorf("/readyz answers %d while the gateway drains", status)
		}
		if conn, err := net.Dial("tcp", g.Address(t, "secure")); err == nil {
			conn.Close()
			t.Error("a connection was accepted during the drain")
		}
		return g, answer
	}
	t.Run("once", func(t *testing.T) {
		g, answer := polling(t)
		if response, err := answer(); err != nil || response.(*kmsg.FetchResponse).ErrorCode != 0 {
			t.Errorf("the poll got %+v, %v", response, err)
		}
		eventually(t, "it stops", func() error {
			if g.messages("stopped") == 0 {
				return errNotYet
			}
			return nil
		})
		if code := g.Stop(t); code != 0 {
			t.Errorf("it ended with %d, want 0", code)
		}
	})
	t.Run("twice", func(t *testing.T) {
		g, answer := polling(t)
		g.Signal(t, syscall.SIGTERM)
		if _, err := answer(); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the poll got %v, want an end", err)
		}
		if code := g.Stop(t); code != 3 {
			t.Errorf("it ended with %d, want 3", code)
		}
	})
}

func TestAReloadUnderLoadDisturbsNobody(t *testing.T) {
	c := shared.Get(t)
	g := start(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext))})
	w := steadily(t, topicOf(t, c, "reload"), func(options ...kgo.Opt) *kgo.Client { return g.client(t, "secure", alice, options...) })
	for range 5 {
		g.reloads(t, reloaded, func() { g.Signal(t, syscall.SIGHUP) })
		g.raw(t, "secure", bob) // nor is anybody refused
		w.goesOn(t, "after a reload")
	}
	if lost := w.losses.Load(); lost > 0 {
		t.Errorf("%d connections were lost", lost)
	}
	w.halt(t)
	if refused := g.metric(t, "asyncgate_connections_refused_total"); refused > 0 {
		t.Errorf("%v connections were refused", refused)
	}
	if n := g.metric(t, "asyncgate_reloads_total", `result="success"`); n < 5 {
		t.Errorf("asyncgate_reloads_total is %v", n)
	}
	for _, metric := range []string{"asyncgate_logins_total", "asyncgate_bytes_total", "asyncgate_connections_accepted_total", "process_open_fds"} {
		if g.metric(t, metric) == 0 {
			t.Errorf("%s is 0", metric)
		}
	}
}

// authority is one that issues the gateway's certificates and those of its clients.
func authority(t *testing.T) *tlsconf.DevCA {
	t.Helper()
	ca, err := tlsconf.NewDevCA("cluster test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestAReplacedCertificateIsShownToNewConnections(t *testing.T) {
	c := shared.Get(t)
	ca := authority(t)
	files := issue(t, ca, "localhost")
	g := prepare(t, c, map[string]settings{"secure": secure(c, upstream(c, kafkatest.Plaintext)).with(settings{"tls": files})})
	g.authorities = x509.NewCertPool()
	g.authorities.AppendCertsFromPEM(ca.PEM())
	g.Gateway = gatewaytest.Start(t, g.options)
	topic := topicOf(t, c, "replaced")
	shown := func(r *raw) string {
		return r.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
	}

	old := g.raw(t, "secure", alice)
	before := shown(old)
	next, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	g.reloads(t, reloadFailed, func() { write(t, files["certificate"].(string), string(next.Certificate)) }) // of another key
	if now := shown(g.raw(t, "secure", alice)); now != before {
		t.Error("half of a new pair was taken over")
	}
	g.reloads(t, reloaded, func() { write(t, files["key"].(string), string(next.Key)) })
	if now := shown(g.raw(t, "secure", alice)); now == before {
		t.Error("the old certificate is still shown")
	}
	metadata(t, old, topic) // who is in stays in
}

func TestARevokedCertificateIsRefusedAndItsConnectionEnded(t *testing.T) {
	c := shared.Get(t)
	ca := authority(t)
	dir := t.TempDir()
	authorities, list := filepath.Join(dir, "clients.crt"), filepath.Join(dir, "clients.crl")
	if err := ca.WritePEM(authorities); err != nil {
		t.Fatal(err)
	}
	revoke := func(certificates ...*x509.Certificate) {
		crl, err := ca.Revoke(time.Now().Add(time.Hour), certificates...)
		if err != nil {
			t.Fatal(err)
		}
		write(t, list, string(crl))
	}
	revoke()
	server := secure(c, upstream(c, kafkatest.Plaintext))
	server["tls"] = server["tls"].(settings).with(settings{"clientCA": authorities, "crl": list})
	g := start(t, c, map[string]settings{"certificate": server})
	topic := topicOf(t, c, "revoked")

	pair, err := ca.Client("", alice)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	config := g.tls(t, "")
	config.Certificates = []tls.Certificate{certificate}
	open := dialRaw(t, g.Address(t, "certificate"), config)
	metadata(t, open, topic)
	g.audit(t, map[string]string{"msg": "login", "principal": alice, "mechanism": "EXTERNAL"})

	g.reloads(t, reloaded, func() { revoke(certificate.Leaf) })
	open.closed("a connection of a revoked certificate")
	g.audit(t, map[string]string{"principal": alice, "stage": "session", "code": "certificate-revoked"})
	again, err := tls.Dial("tcp", g.Address(t, "certificate"), config)
	if err == nil { // in TLS 1.3 a client learns of it with its first read
		again.Close()
	}
	g.audit(t, map[string]string{"stage": "tls", "code": "certificate-revoked"})
}

func TestTheAddressInAPROXYHeaderIsTheClients(t *testing.T) {
	parts.Need(t, "haproxy")
	c := shared.Get(t)
	topic := topicOf(t, c, "proxied")
	first := freePorts(t, 30)
	version := map[string]int{"send-proxy": first + 10, "send-proxy-v2": first + 20} // where HAProxy listens
	server := plain(upstream(c, kafkatest.Plaintext)).with(settings{
		"proxyProtocol": true, "listen": fmt.Sprintf("127.0.0.1:%d", first),
		"brokers": settings{"ports": fmt.Sprintf("%d-%d", first+1, first+9), "firstId": 1},
	})
	for option, front := range version {
		t.Run(option, func(t *testing.T) {
			g := start(t, c, map[string]settings{"clear": server.with(settings{"advertise": fmt.Sprintf("127.0.0.1:%d", first)})})
			balance(t, option, front, first, len(c.Nodes))
			// The brokers' ports are advertised as the gateway has them, the client finds HAProxy's.
			var by dialled
			client := newClient(t, login(alice), kgo.SeedBrokers(fmt.Sprintf("127.0.0.1:%d", first)), kgo.Dialer(by.shifted(front-first)),
				kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			produce(t, client, topic, option)
			consume(t, client, []string{option})
			remote := g.audit(t, map[string]string{"msg": "login", "principal": alice}).Text("remote")
			if !slices.Contains(by.addresses(), remote) {
				t.Errorf("the audit record says %s, the client came from %v", remote, by.addresses())
			}

			direct := dialRaw(t, g.Address(t, "clear"), nil)
			direct.send(apiVersions())
			direct.closed("without a header")
			g.audit(t, map[string]string{"msg": "refused", "stage": "proxy", "code": "proxy-header-missing"})
		})
	}
}

// balance runs HAProxy before a bootstrap and the brokers after it, until the test ends.
func balance(t *testing.T, option string, front, back, brokers int) {
	t.Helper()
	var config strings.Builder
	config.WriteString("defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n")
	for i := range brokers + 1 {
		fmt.Fprintf(&config, "listen to-%d\n  bind 127.0.0.1:%d\n  server gateway 127.0.0.1:%d %s\n", i, front+i, back+i, option)
	}
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	write(t, path, config.String())
	command := exec.CommandContext(t.Context(), "haproxy", "-q", "-db", "-f", path)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	eventually(t, "HAProxy listens", func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", front))
		if err == nil {
			conn.Close()
		}
		return err
	})
}
