package proxy

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/tlsconf"
)

// tlsPair is a server's end as [wrap] makes it, and the client that reads from it.
func tlsPair(t testing.TB, wrap func(*net.TCPConn, *tls.Config) net.Conn) (server net.Conn, client *tls.Conn) {
	t.Helper()
	ca, err := tlsconf.NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server = wrap(accepted.(*net.TCPConn), &tls.Config{Certificates: []tls.Certificate{certificate}})
	client = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- the certificate is not what is tested
	t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	return server, client
}

func joined(tcp *net.TCPConn, config *tls.Config) net.Conn { return newTLSConn(tcp, config) }

func TestLargeWritesArriveWholeAndInOrder(t *testing.T) {
	server, client := tlsPair(t, joined)
	var sent []byte
	for _, size := range []int{1, maxRecord, maxRecord + 1, 3 * batch, 100, batch - 1, 0, batch} {
		p := make([]byte, size)
		_, _ = rand.Read(p)
		sent = append(sent, p...)
	}
	failed := make(chan error, 1)
	go func() {
		for p := sent; len(p) > 0; {
			n := min(len(p), 300_001)
			if _, err := server.Write(p[:n]); err != nil {
				failed <- err
				return
			}
			p = p[n:]
		}
		failed <- nil
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what arrives is not what was written (%v)", err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func TestALargeWriteToAClosedConnectionFails(t *testing.T) {
	server, client := tlsPair(t, joined)
	go func() { _ = client.Handshake() }()
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = server.(*tlsConn).records.Conn.Close()
	if n, err := server.Write(make([]byte, batch)); err == nil || n != 0 {
		t.Fatalf("%d bytes written, %v", n, err)
	}
}

func BenchmarkTLSWrite(b *testing.B) {
	for name, wrap := range map[string]func(*net.TCPConn, *tls.Config) net.Conn{
		"record by record": func(c *net.TCPConn, config *tls.Config) net.Conn { return tls.Server(c, config) },
		"joined":           joined,
	} {
		b.Run(name, func(b *testing.B) {
			server, client := tlsPair(b, wrap)
			go func() { _, _ = io.Copy(io.Discard, client) }()
			p := make([]byte, 256<<10)
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, err := server.Write(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
