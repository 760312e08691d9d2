package sasl

import (
	"crypto/x509"
	"errors"
	"time"
)

// Certificate returns the principal of a client certificate that the TLS handshake has verified: chain, purpose and
// revocation are its business, who it is is ours. The principal ends when the certificate does, or its account before.
//
// The error is a [*Reject].
func Certificate(dir Directory, cert *x509.Certificate) (*Principal, error) {
	if cert == nil {
		return nil, newReject(CodeNoCertificate, publicCertificate, "no client certificate")
	}
	subject := quote(cert.Subject.String())
	now := time.Now() // again: a session that was resumed may have been verified long ago
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, newReject(CodeExpired, publicCertificate, "certificate %s: not valid before %s or after %s", subject,
			cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339))
	}
	account, err := dir.Certificate(cert)
	if err == nil && account == nil {
		err = errors.New("the directory answered nothing")
	}
	if err != nil {
		return nil, newReject(codeOf(err, CodeUnknownCert), publicCertificate, "certificate %s: %v", subject, err)
	}
	p := account.principal(External, KindCertificate)
	p.Expires = earliest(p.Expires, cert.NotAfter)
	return p, nil
}
