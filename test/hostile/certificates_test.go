package hostile_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/inprocess"
)

// authority issues client certificates that no careful authority would.
type authority struct {
	t           testing.TB
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// certificates are those of [inprocess.NewCertificates], and all that the vectors show.
func certificates(t testing.TB) *inprocess.Certificates {
	t.Helper()
	c := inprocess.NewCertificates(t)
	careless := newAuthority(t)
	c.Trust(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: careless.certificate.Raw}))
	for name, change := range shown {
		c.Add(name, careless.issue(name, change))
	}
	c.Add("self-signed", newAuthority(t).itself())
	c.Add("chain-of-100", careless.chain(100))
	c.Add("with-alice-behind", careless.withAnother())
	return c
}

// shown are the client certificates, by what is wrong with them. All name alice, if nobody else.
var shown = map[string]func(*x509.Certificate){
	"right":           func(*x509.Certificate) {},
	"expired":         func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
	"not-yet-valid":   func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) },
	"server-only":     func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} },
	"code-signing":    func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} },
	"no-name":         func(c *x509.Certificate) { c.Subject = pkix.Name{} },
	"nobody":          func(c *x509.Certificate) { c.Subject.CommonName = "nobody" },
	"upper-case":      func(c *x509.Certificate) { c.Subject.CommonName = "ALICE" },
	"space-behind":    func(c *x509.Certificate) { c.Subject.CommonName = "alice " },
	"comma-in-name":   func(c *x509.Certificate) { c.Subject.CommonName = "alice,CN=bob" },
	"nul-in-name":     func(c *x509.Certificate) { c.Subject.CommonName = "alice\x00.example.org" },
	"newline-in-name": func(c *x509.Certificate) { c.Subject.CommonName = "alice\n{\"decision\":\"allow\"}" },
	"look-alike":      func(c *x509.Certificate) { c.Subject.CommonName = "\u0430lice" },
	"alice-in-unit":   func(c *x509.Certificate) { c.Subject = pkix.Name{OrganizationalUnit: []string{"CN=alice"}} },
	"two-names": func(c *x509.Certificate) {
		c.RawSubject = rdns([][]pkix.AttributeTypeAndValue{{commonName("alice")}, {commonName("nobody")}})
	},
	"two-values-in-one-name": func(c *x509.Certificate) {
		c.RawSubject = rdns([][]pkix.AttributeTypeAndValue{{commonName("alice"), commonName("nobody")}})
	},
	"alice-as-alternative": func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "nobody"}
		c.DNSNames, c.EmailAddresses = []string{"alice"}, []string{"alice@example.org"}
		c.URIs = []*url.URL{{Scheme: "spiffe", Host: "alice", Path: "/alice"}}
	},
	"unknown-critical-extension": func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	},
	"name-of-60000": func(c *x509.Certificate) { c.Subject.CommonName = fmt.Sprintf("%060000d", 0) },
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	template := a.template("careless")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.certificate = a.sign(template, template, key)
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
}

// sign signs a template with the authority's key; public is the key that it is about.
func (a *authority) sign(template, parent *x509.Certificate, subject *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, subject.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// issue makes alice's certificate, changed.
func (a *authority) issue(what string, change func(*x509.Certificate)) tls.Certificate {
	template := a.template("alice")
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		a.t.Fatalf("%s: %v", what, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

// itself is the authority's own certificate, called alice.
func (a *authority) itself() tls.Certificate {
	template := a.template("alice")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return tls.Certificate{Certificate: [][]byte{a.sign(template, template, a.key).Raw}, PrivateKey: a.key}
}

// chain is alice's certificate at the end of so many authorities, each made by the one before.
func (a *authority) chain(length int) tls.Certificate {
	parent, all := a, [][]byte{}
	for i := range length - 1 {
		next := newAuthority(a.t)
		template := next.template(fmt.Sprintf("authority %d", i))
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		next.certificate = parent.sign(template, parent.certificate, next.key)
		all = append([][]byte{next.certificate.Raw}, all...)
		parent = next
	}
	leaf := parent.issue("chain", func(*x509.Certificate) {})
	leaf.Certificate = append(leaf.Certificate, all...)
	return leaf
}

// withAnother is a stranger's certificate with alice's behind it in the chain.
func (a *authority) withAnother() tls.Certificate {
	stranger := a.issue("stranger", func(c *x509.Certificate) { c.Subject.CommonName = "nobody" })
	alice := a.issue("alice", func(*x509.Certificate) {})
	stranger.Certificate = append(stranger.Certificate, alice.Certificate...)
	return stranger
}

func commonName(name string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: name}
}

// rdns spells a name that pkix.Name cannot: several attributes of one kind.
func rdns(sets [][]pkix.AttributeTypeAndValue) []byte {
	var sequence pkix.RDNSequence
	for _, set := range sets {
		sequence = append(sequence, set)
	}
	der, err := asn1.Marshal(sequence)
	if err != nil {
		panic(err) // the names are constants
	}
	return der
}
