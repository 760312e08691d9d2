package tlsconf

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is what the tests start from: an authority, and files in a directory.
type world struct {
	t   *testing.T
	dir string
	ca  *DevCA
	ServerOptions
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), ca: newCA(t)}
	pair, err := w.ca.Server("gateway.test", "*.brokers.test", "127.0.0.1", "2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	w.Certificate, w.Key = w.path("gw.pem"), w.path("gw.key")
	if err := pair.Write(w.Certificate, w.Key); err != nil {
		t.Fatal(err)
	}
	w.ClientCA = w.path("ca.pem")
	if err := w.ca.WritePEM(w.ClientCA); err != nil {
		t.Fatal(err)
	}
	w.ClientAuth = RequiredCertificate
	return w
}

func newCA(t *testing.T) *DevCA {
	t.Helper()
	ca, err := NewDevCA("test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) file(name string, content []byte) string {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.path(name)
}

func (w *world) revoke(next time.Time, certificates ...*x509.Certificate) []byte {
	w.t.Helper()
	crl, err := w.ca.Revoke(next, certificates...)
	if err != nil {
		w.t.Fatal(err)
	}
	return crl
}

func (w *world) client(ca *DevCA) *x509.Certificate {
	w.t.Helper()
	pair, err := ca.Client("people", "alice")
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Leaf
}

func TestServer(t *testing.T) {
	w := newWorld(t)
	ends := map[string]time.Time{}
	w.Expiry = func(kind string, end time.Time) { ends[kind] = end }
	next := time.Now().Add(time.Minute).Truncate(time.Second)
	w.CRL = w.file("ca.crl", w.revoke(next))
	config, err := Server(w.ServerOptions)
	if err != nil {
		t.Fatal(err)
	}
	if config.MinVersion != tls.VersionTLS12 || config.ClientAuth != tls.RequireAndVerifyClientCert || config.VerifyConnection == nil || config.InsecureSkipVerify {
		t.Errorf("configuration: %+v", config)
	}
	if len(ends) != 3 || !ends["crl"].Equal(next) || time.Until(ends["certificate"]) > time.Hour || time.Until(ends["clientCA"]) > time.Hour {
		t.Errorf("ends: %v", ends)
	}
}

func TestServerRefuses(t *testing.T) {
	w := newWorld(t)
	other := newCA(t)
	otherPair, err := other.Server("gateway.test")
	if err != nil {
		t.Fatal(err)
	}
	caPEM, key := w.ca.PEM(), must(os.ReadFile(w.Key))
	delta := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}}
	deltaDER := must(x509.CreateRevocationList(rand.Reader, delta, w.ca.certificate, w.ca.key))
	otherCRL := must(other.Revoke(time.Now().Add(time.Hour)))
	good := w.revoke(time.Now().Add(time.Hour))
	for _, c := range []struct {
		name   string
		change func(*ServerOptions)
		want   string
	}{
		{"no key", func(o *ServerOptions) { o.Key = "" }, "one of the two is not set"},
		{"no certificate", func(o *ServerOptions) { o.Certificate = "" }, "one of the two is not set"},
		{"a missing file", func(o *ServerOptions) { o.Certificate = w.path("none.pem") }, "no such file"},
		{"another's key", func(o *ServerOptions) { o.Key = w.file("other.key", otherPair.Key) }, "private key does not match public key"},
		{"an empty certificate file", func(o *ServerOptions) { o.Certificate = w.file("empty.pem", nil) }, "empty.pem with key"},
		{"half a certificate file", func(o *ServerOptions) {
			b := must(os.ReadFile(w.Certificate))
			o.Certificate = w.file("half.pem", b[:len(b)/2])
		}, "half.pem"},
		{"certificates asked for, and nobody believed", func(o *ServerOptions) { o.ClientCA = "" }, "no client CA says whose to believe"},
		{"a mode that does not exist", func(o *ServerOptions) { o.ClientAuth = 7 }, "unknown client authentication mode 7"},
		{"an empty bundle", func(o *ServerOptions) { o.ClientCA = w.file("empty.ca", nil) }, "holds no PEM certificate"},
		{"a bundle with a key in it", func(o *ServerOptions) { o.ClientCA = w.file("key.ca", slices.Concat(caPEM, key)) }, `holds a "PRIVATE KEY"`},
		{"a bundle with half a certificate", func(o *ServerOptions) { o.ClientCA = w.file("half.ca", slices.Concat(caPEM, caPEM[:100])) }, "does not decode"},
		{"a bundle with a broken certificate", func(o *ServerOptions) {
			o.ClientCA = w.file("broken.ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no")}))
		}, "broken.ca"},
		{"a revocation list of another CA", func(o *ServerOptions) { o.CRL = w.file("other.crl", otherCRL) }, "not signed by any of the client CAs"},
		{"a delta list", func(o *ServerOptions) { o.CRL = w.file("delta.crl", encode("X509 CRL", deltaDER)) }, "critical extension 2.5.29.27"},
		{"a changed list", func(o *ServerOptions) {
			block, _ := pem.Decode(good)
			block.Bytes[len(block.Bytes)-1] ^= 1
			o.CRL = w.file("changed.crl", block.Bytes)
		}, "not signed by any of the client CAs"},
		{"an empty list", func(o *ServerOptions) { o.CRL = w.file("empty.crl", nil) }, "empty.crl"},
		{"half a list", func(o *ServerOptions) { o.CRL = w.file("half.crl", good[:len(good)/2]) }, "does not decode"},
		{"a certificate for a list", func(o *ServerOptions) { o.CRL = w.ClientCA }, `holds a "CERTIFICATE"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := w.ServerOptions
			c.change(&o)
			if config, err := Server(o); err == nil || !strings.Contains(err.Error(), c.want) || config != nil {
				t.Errorf("error: %v, want %q", err, c.want)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRevocation(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.client(w.ca), w.client(w.ca)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	other := newCA(t)
	otherAlice := w.client(other)
	both := slices.Concat(w.ca.PEM(), other.PEM())
	older := w.revoke(soon, bob)
	for _, c := range []struct {
		name  string
		crl   []byte
		who   *x509.Certificate
		want  error
		other error // wanted of the other CA's client
	}{
		{"nobody is revoked", w.revoke(soon), alice, nil, ErrNoCRL},
		{"somebody else is", w.revoke(soon, bob), alice, nil, ErrNoCRL},
		{"alice is", w.revoke(soon, bob, alice), alice, ErrRevoked, ErrNoCRL},
		{"alice is, as DER", der(w.revoke(soon, alice)), alice, ErrRevoked, ErrNoCRL},
		{"an expired list", w.revoke(past), alice, ErrStaleCRL, ErrNoCRL},
		{"lists of both CAs", slices.Concat(w.revoke(soon, alice), must(other.Revoke(soon))), alice, ErrRevoked, nil},
		{"the later of two lists counts, first", slices.Concat(w.revoke(soon, alice), older), bob, nil, ErrNoCRL},
		{"the later of two lists counts, second", slices.Concat(older, w.revoke(soon, alice)), bob, nil, ErrNoCRL},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := w.ServerOptions
			o.ClientCA, o.CRL = w.file("both.pem", both), w.file("list.crl", c.crl)
			config, err := Server(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := Recheck(config, []*x509.Certificate{c.who}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err := Recheck(config, []*x509.Certificate{otherAlice}); !errors.Is(err, c.other) {
				t.Errorf("of the other CA: got %v, want %v", err, c.other)
			}
		})
	}
}

func der(p []byte) []byte {
	block, _ := pem.Decode(p)
	return block.Bytes
}

func TestAnIntermediateMayBeRevokedToo(t *testing.T) {
	w := newWorld(t)
	key := must(ecdsa.GenerateKey(w.ca.key.Curve, rand.Reader))
	template := w.ca.template(pkix.Name{CommonName: "intermediate"})
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	intermediate := &DevCA{key: key, valid: time.Hour}
	intermediate.der = must(x509.CreateCertificate(rand.Reader, template, w.ca.certificate, key.Public(), w.ca.key))
	intermediate.certificate = must(x509.ParseCertificate(intermediate.der))
	leaf := w.client(intermediate)
	chain := []*x509.Certificate{leaf, intermediate.certificate}
	soon := time.Now().Add(time.Hour)
	check := func(crls ...[]byte) error {
		o := w.ServerOptions
		o.ClientCA = w.file("both.pem", slices.Concat(w.ca.PEM(), intermediate.PEM()))
		o.CRL = w.file("list.crl", slices.Concat(crls...))
		return Recheck(must(Server(o)), chain)
	}
	own := must(intermediate.Revoke(soon))
	if err := check(own); err != nil {
		t.Errorf("the root has no list: %v", err)
	}
	// As a trusted CA itself, the intermediate ends a chain of its own that nobody can revoke.
	if err := check(own, w.revoke(soon, intermediate.certificate)); err != nil {
		t.Errorf("a trusted intermediate: %v", err)
	}
	if err := check(w.revoke(soon)); !errors.Is(err, ErrNoCRL) {
		t.Errorf("the leaf's issuer has no list: %v", err)
	}
	r := &revocations{lists: map[string]*revocationList{}}
	for _, crl := range [][]byte{own, w.revoke(soon, intermediate.certificate)} {
		if err := r.add(der(crl), []*x509.Certificate{w.ca.certificate, intermediate.certificate}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.check([][]*x509.Certificate{{leaf, intermediate.certificate, w.ca.certificate}}, time.Now()); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked intermediate below the root: %v", err)
	}
}

func TestRecheckAsksWhatAHandshakeAsks(t *testing.T) {
	w := newWorld(t)
	config := must(Server(w.ServerOptions))
	if err := Recheck(config, []*x509.Certificate{w.client(w.ca)}); err != nil {
		t.Error(err)
	}
	if err := Recheck(config, []*x509.Certificate{w.client(newCA(t))}); err == nil {
		t.Error("a foreign certificate passes")
	}
	server := must(tls.LoadX509KeyPair(w.Certificate, w.Key))
	if err := Recheck(config, []*x509.Certificate{server.Leaf}); err == nil {
		t.Error("a server's certificate passes")
	}
}

func TestCovers(t *testing.T) {
	w := newWorld(t)
	leaf := must(tls.LoadX509KeyPair(w.Certificate, w.Key)).Leaf
	for host, want := range map[string]bool{
		"gateway.test": true, "GATEWAY.test": true, "b1.brokers.test": true, "127.0.0.1": true, "2001:db8::1": true,
		"other.test": false, "brokers.test": false, "a.b1.brokers.test": false, "127.0.0.2": false, "": false,
	} {
		if got := Covers(leaf, host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestClient(t *testing.T) {
	w := newWorld(t)
	mine := must(w.ca.Client("", "gateway"))
	if err := mine.Write(w.path("me.pem"), w.path("me.key")); err != nil {
		t.Fatal(err)
	}
	server := must(Server(w.ServerOptions))
	for _, c := range []struct {
		name string
		o    ClientOptions
		want string // a part of the error
	}{
		{"all is well", ClientOptions{CA: w.ClientCA, ServerName: "gateway.test", Certificate: w.path("me.pem"), Key: w.path("me.key")}, ""},
		{"another name", ClientOptions{CA: w.ClientCA, ServerName: "other.test", Certificate: w.path("me.pem"), Key: w.path("me.key")}, "not other.test"},
		{"the system's CAs", ClientOptions{ServerName: "gateway.test", Certificate: w.path("me.pem"), Key: w.path("me.key")}, "unknown authority"},
		{"no certificate", ClientOptions{CA: w.ClientCA, ServerName: "gateway.test"}, "certificate required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := Client(c.o)
			if err != nil {
				t.Fatal(err)
			}
			err = shake(t, server, config)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error: %v", err)
			}
		})
	}
	if _, err := Client(ClientOptions{CA: w.path("none")}); err == nil {
		t.Error("a missing CA is no error")
	}
	if _, err := Client(ClientOptions{Key: w.path("me.key")}); err == nil {
		t.Error("a key alone is no error")
	}
}

// shake shakes hands and lets the server say one byte, so that a refusal reaches the client.
func shake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = tls.Server(conn, server).Write([]byte{1})
		_, _ = conn.Read(make([]byte, 1))
	}()
	conn, err := tls.Dial("tcp", l.Addr().String(), client)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
	}
	<-done
	return err
}

func TestDevCAWritesAndNeverOverwrites(t *testing.T) {
	w := newWorld(t)
	pair := must(w.ca.Client("people", "alice"))
	if block, _ := pem.Decode(pair.Key); block.Type != "PRIVATE KEY" {
		t.Errorf("the key is a %s", block.Type)
	} else if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		t.Error(err)
	}
	c, k := w.path("alice.pem"), w.path("alice.key")
	if err := pair.Write(c, k); err != nil {
		t.Fatal(err)
	}
	if info := must(os.Stat(k)); info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v", info.Mode())
	}
	if leaf := must(tls.LoadX509KeyPair(c, k)).Leaf; leaf.Subject.String() != "CN=alice,O=people" {
		t.Errorf("subject %v", leaf.Subject)
	}
	before := must(os.ReadFile(k))
	if err := pair.Write(w.path("new.pem"), k); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("overwriting: %v", err)
	}
	if err := w.ca.WritePEM(c); err == nil {
		t.Error("the authority overwrites")
	}
	if string(must(os.ReadFile(k))) != string(before) {
		t.Error("the key was overwritten")
	}
	if _, err := w.ca.Server(); err == nil {
		t.Error("a server certificate for no host")
	}
}

// FuzzRevocationList looks for files that panic. Nothing in them may be believed unless a CA has signed it.
func FuzzRevocationList(f *testing.F) {
	ca := must(NewDevCA("fuzz", time.Hour))
	crl := must(ca.Revoke(time.Now().Add(time.Hour), ca.certificate))
	f.Add(crl)
	f.Add(der(crl))
	f.Add([]byte("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := revocationBlocks(b)
		if err != nil {
			return
		}
		r := &revocations{lists: map[string]*revocationList{}}
		for _, block := range blocks {
			if r.add(block, []*x509.Certificate{ca.certificate}) == nil && len(r.lists) == 0 {
				t.Fatal("a list was accepted and forgotten")
			}
		}
	})
}
