package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// vector is a certificate, the rules of a store, and whose it is.
type vector struct {
	Name    string
	Subject [][][2]string // in the order of the certificate; a part with several attributes joins them
	DNS     []string
	URIs    []string
	Emails  []string
	Rules   map[string][]string
	Revoked []string
	Want    string // principal; empty: refused
	Error   string // part of why
}

func TestCertificates(t *testing.T) {
	data, err := os.ReadFile("testdata/certificates.json")
	must(t, err)
	var vectors []vector
	must(t, json.Unmarshal(data, &vectors))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			account, err := v.store(t).Certificate(v.certificate(t, key))
			switch {
			case v.Want != "" && (err != nil || account.Name != v.Want):
				t.Errorf("%v, %v", account, err)
			case v.Want == "" && (err == nil || !strings.Contains(err.Error(), v.Error)):
				t.Errorf("%v, %v", account, err)
			case v.Want == "" && !errors.Is(err, sasl.ErrUnknown) && !errors.Is(err, sasl.ErrRevoked):
				t.Errorf("%v is neither unknown nor revoked", err)
			}
		})
	}
}

func (v vector) store(t *testing.T) *Store {
	f := &File{}
	for name, rules := range v.Rules {
		must(t, f.AddCertificate(name, rulesOf(t, rules...), Grant{}))
	}
	for _, name := range v.Revoked {
		must(t, f.Revoke(name))
	}
	return storeOf(t, f)
}

func rulesOf(t *testing.T, texts ...string) []Rule {
	t.Helper()
	var rules []Rule
	for _, text := range texts {
		r, err := ParseRule(text)
		must(t, err)
		rules = append(rules, r)
	}
	return rules
}

// certificate makes a real one, so that it is Go's parser whose reading is judged.
func (v vector) certificate(t *testing.T, key *ecdsa.PrivateKey) *x509.Certificate {
	var subject pkix.RDNSequence
	for _, part := range v.Subject {
		var set pkix.RelativeDistinguishedNameSET
		for _, a := range part {
			var oid asn1.ObjectIdentifier
			for _, n := range strings.Split(attributeTypes[a[0]], ".") {
				number, err := strconv.Atoi(n)
				must(t, err)
				oid = append(oid, number)
			}
			set = append(set, pkix.AttributeTypeAndValue{Type: oid, Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(a[1])}})
		}
		subject = append(subject, set)
	}
	raw, err := asn1.Marshal(subject)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), RawSubject: raw, NotAfter: time.Now().Add(time.Hour),
		DNSNames: v.DNS, EmailAddresses: v.Emails}
	for _, text := range v.URIs {
		uri, err := url.Parse(text)
		must(t, err)
		template.URIs = append(template.URIs, uri)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert
}

func TestARevokedCertificateEndsSessions(t *testing.T) {
	f := &File{}
	must(t, f.AddCertificate("alice", rulesOf(t, "CN=alice"), Grant{}))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	cert := vector{Subject: [][][2]string{{{"CN", "alice"}}}}.certificate(t, key)
	s := storeOf(t, f)
	p, err := sasl.Certificate(s, cert)
	must(t, err)
	must(t, s.Check(p))
	must(t, f.Revoke("alice"))
	if err := storeOf(t, f).Check(p); !errors.Is(err, sasl.ErrRevoked) {
		t.Error(err)
	}
	must(t, f.AddCertificate("alice2", rulesOf(t, "CN=alice"), Grant{})) // the rule is free again
	s = storeOf(t, f)
	if p, err := sasl.Certificate(s, cert); err != nil || p.Name != "alice2" {
		t.Errorf("%v, %v", p, err)
	}
	slices.Reverse(f.Certificates) // and it does not matter which stands first
	if p, err := sasl.Certificate(storeOf(t, f), cert); err != nil || p.Name != "alice2" {
		t.Errorf("%v, %v", p, err)
	}
}

// FuzzRule checks that a rule means the same once it has been written and read again.
func FuzzRule(f *testing.F) {
	for _, text := range []string{"CN=alice", "cn = a\\, b , O=x", "CN=a+UID=7,O=\\ x\\ ", "DNS:a.b", "uri:spiffe://a/b", "EMAIL:a@B", "DN:CN=a",
		"1.2.3=x", "CN=\\C4\\8D", "CN=#04", "=", "CN=\\", "DN:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again.key() != r.key() || again.String() != r.String() {
			t.Errorf("%q is %q is %q (%v)", text, r, again, err)
		}
	})
}
