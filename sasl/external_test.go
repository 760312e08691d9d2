package sasl

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCertificate(t *testing.T) {
	b, now := newBook(t), time.Now()
	cert := func(name string, from, to time.Duration) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(from), NotAfter: now.Add(to)}
	}
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		code string
	}{
		{"of a known principal", cert("alice", -time.Hour, time.Hour), ""},
		{"none", nil, CodeNoCertificate},
		{"of nobody", cert("stranger", -time.Hour, time.Hour), CodeUnknownCert},
		{"of an account that has ended", cert("carol", -time.Hour, time.Hour), CodeExpired},
		{"that has ended itself", cert("alice", -2*time.Hour, -time.Hour), CodeExpired},
		{"of tomorrow", cert("alice", time.Hour, 2*time.Hour), CodeExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Certificate(b, c.cert)
			if c.code == "" {
				want := &Principal{Name: "alice", Mechanism: External, Kind: KindCertificate, Expires: c.cert.NotAfter}
				if diff := cmp.Diff(want, p); diff != "" || err != nil {
					t.Errorf("%v %s", err, diff)
				}
				return
			}
			reject := (*Reject)(nil)
			if !errors.As(err, &reject) || p != nil {
				t.Fatalf("%v, %v", p, err)
			}
			wantReject(t, Step{Reject: reject}, c.code, publicCertificate)
		})
	}
}

func TestCertificateEndsWithItsAccount(t *testing.T) {
	b := newBook(t)
	b.certs["alice"].Expires = time.Now().Add(time.Minute)
	p, err := Certificate(b, &x509.Certificate{Subject: pkix.Name{CommonName: "alice"}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil || !p.Expires.Equal(b.certs["alice"].Expires) {
		t.Errorf("%+v, %v", p, err)
	}
}
