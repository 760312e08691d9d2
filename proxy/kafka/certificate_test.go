package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// certified is a gateway on which a certificate or PLAIN will do, unless change says otherwise.
func certified(t *testing.T, change func(*plan.Plan)) (w *world, show func(commonName string) net.Conn) {
	t.Helper()
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pair, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	files := plan.TLS{Certificate: filepath.Join(dir, "server.crt"), Key: filepath.Join(dir, "server.key"),
		ClientCA: filepath.Join(dir, "ca.crt"), ClientAuth: plan.CertificateOptional}
	if err := errors.Join(pair.Write(files.Certificate, files.Key), ca.WritePEM(files.ClientCA)); err != nil {
		t.Fatal(err)
	}
	b := newBroker(t, nil)
	b.answer = func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		if h.Key == 3 {
			return b.metadata(h.Version), true
		}
		return []byte{0, 0, 0, 0}, true // heartbeats, and no topic created
	}
	w = startBefore(t, []string{b.address()}, func(p *plan.Plan) {
		p.Admins = []string{"ops"}
		s := &p.Servers[0]
		s.Protocol, s.TLS = "kafka-secure", &files
		s.Alternatives = []plan.Alternative{
			{Enabled: true, All: []plan.Requirement{{Type: "X509", Mechanisms: []string{sasl.External}}}},
			{Enabled: true, All: []plan.Requirement{{Type: "plain", Mechanisms: []string{sasl.Plain}}}},
		}
		if change != nil {
			change(p)
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	return w, func(commonName string) net.Conn {
		config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		if commonName != "" {
			client, err := ca.Client("", commonName)
			if err != nil {
				t.Fatal(err)
			}
			certificate, err := tls.X509KeyPair(client.Certificate, client.Key)
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{certificate}
		}
		conn, err := tls.Dial("tcp", w.address, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
}

var (
	heartbeat = ask(12, 0, 9, []byte("\x00\x01g\x00\x00\x00\x00\x00\x01m"))
	handshake = ask(17, 1, 1, []byte("\x00\x05PLAIN"))
)

func token(user, password string) []byte {
	p := []byte("\x00" + user + "\x00" + password)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...)
}

// ends checks that the gateway ends the connection, without a word more.
func ends(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := conn.Read(make([]byte, 1))
	if n > 0 {
		t.Error("the gateway goes on talking")
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}

// createsTopics reports the error that the connection's principal gets from an API for admins; 0 is none.
func createsTopics(t *testing.T, conn net.Conn) int16 {
	t.Helper()
	q := kmsg.NewPtrCreateTopicsRequest()
	q.Version = 0
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic = "x"
	q.Topics = append(q.Topics, topic)
	r := kmsg.NewPtrCreateTopicsResponse()
	if err := r.ReadFrom(roundTrip(t, conn, ask(19, 0, 7, q.AppendTo(nil)))[8:]); err != nil {
		t.Fatal(err)
	}
	if len(r.Topics) == 0 {
		return 0 // the broker's answer
	}
	return r.Topics[0].ErrorCode
}

func TestACertificateAllowsAnyRequestAndALoginReplacesIt(t *testing.T) {
	w, show := certified(t, nil)
	t.Run("no login", func(t *testing.T) {
		if err := code(9, 0)(roundTrip(t, show("alice"), heartbeat)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no login, after ApiVersions", func(t *testing.T) {
		conn := show("ops")
		if err := code(5, 0)(roundTrip(t, conn, askVersions(3, 5))); err != nil {
			t.Fatal(err)
		}
		if got := createsTopics(t, conn); got != 0 {
			t.Fatalf("error %d to an admin", got)
		}
	})
	t.Run("a login as somebody else", func(t *testing.T) {
		conn := show("ops")
		proveAlice(t, conn)
		if got := createsTopics(t, conn); got != 29 {
			t.Fatalf("error %d: the certificate's rights outlived the login", got)
		}
	})
	t.Run("a login with bare tokens", func(t *testing.T) {
		conn := show("ops")
		roundTrip(t, conn, ask(17, 0, 1, []byte("\x00\x05PLAIN")))
		if got := roundTrip(t, conn, token("alice", "alice-secret")); len(got) != 4 {
			t.Fatalf("answer %x", got)
		}
		if got := createsTopics(t, conn); got != 29 {
			t.Fatalf("error %d: the certificate's rights outlived the login", got)
		}
	})
	t.Run("a login that fails", func(t *testing.T) {
		conn := show("alice")
		roundTrip(t, conn, handshake)
		if err := code(2, 58)(roundTrip(t, conn, ask(36, 1, 2, token("alice", "guess")))); err != nil {
			t.Fatal(err)
		}
		ends(t, conn)
	})
	t.Run("a request in the middle of a login", func(t *testing.T) {
		conn := show("alice")
		roundTrip(t, conn, handshake)
		roundTrip(t, conn, heartbeat)
		ends(t, conn)
	})
	t.Run("a login too late", func(t *testing.T) {
		conn := show("alice")
		roundTrip(t, conn, heartbeat)
		if err := code(1, 34)(roundTrip(t, conn, handshake)); err != nil {
			t.Fatal(err)
		}
		if err := code(9, 0)(roundTrip(t, conn, heartbeat)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no frame at all", func(t *testing.T) {
		for _, length := range []string{"\xff\xff\xff\xff", "\x00\x00\x00\x00"} {
			conn := show("alice")
			conn.Write([]byte(length))
			ends(t, conn)
		}
	})
	t.Run("a certificate of nobody", func(t *testing.T) {
		conn := show("stranger")
		proveAlice(t, conn)
		conn = show("stranger")
		conn.Write(heartbeat)
		ends(t, conn)
		eventually(t, "an audit record", func() bool { return w.refused("login-required") == 1 })
	})
}

func TestRequireAllWantsBothOfOneName(t *testing.T) {
	w, show := certified(t, func(p *plan.Plan) { p.Servers[0].RequireAll = true })
	conn := show("alice")
	proveAlice(t, conn)
	if err := code(9, 0)(roundTrip(t, conn, heartbeat)); err != nil {
		t.Fatal(err)
	}
	for reason, name := range map[string]string{"names-differ": "ops", "no-certificate": "stranger"} {
		conn := show(name)
		roundTrip(t, conn, handshake)
		if err := code(2, 58)(roundTrip(t, conn, ask(36, 1, 2, token("alice", "alice-secret")))); err != nil {
			t.Errorf("the certificate of %s and a login as alice: %v", name, err)
		}
		ends(t, conn)
		eventually(t, "audit record "+reason, func() bool { return w.refused(reason) == 1 })
	}
	conn = show("alice")
	conn.Write(heartbeat)
	ends(t, conn)
}
