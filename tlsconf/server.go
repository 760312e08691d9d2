// Package tlsconf makes TLS configurations from files: [Server] for clients of the gateway, [Client] for the brokers
// behind it. Both speak TLS 1.2 and 1.3 with the cipher suites of the standard library.
//
// A configuration never changes. To take changed files over, make a new one; session tickets of the old one, and of any
// other server's, are then worthless.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// ClientAuth is what a server wants of a client certificate. Whichever it is, a certificate that is shown and does not
// verify ends the handshake.
type ClientAuth int

// The modes, weakest first.
const (
	NoCertificate       ClientAuth = iota // not asked for
	OptionalCertificate                   // asked for
	RequiredCertificate                   // no handshake without one
)

// ServerOptions are the files of one server, as paths.
type ServerOptions struct {
	Certificate string // PEM chain, leaf first
	Key         string // PEM private key of the leaf
	ClientCA    string // PEM bundle of the CAs that issue client certificates
	CRL         string // PEM or DER revocation list of those CAs; empty: revocation is not checked
	ClientAuth  ClientAuth

	// Expiry is told when each part ends: kind is "certificate", "clientCA" or "crl". It may be nil.
	Expiry func(kind string, end time.Time)
}

// maxChain bounds the certificates that a client may send, leaf included. Public hierarchies have three, Go's own
// verification stops after 100 signatures.
const maxChain = 8

// Why a client certificate that chains to a trusted CA is refused all the same.
var (
	ErrRevoked      = errors.New("certificate is revoked")
	ErrStaleCRL     = errors.New("revocation list has expired")
	ErrNoCRL        = errors.New("no revocation list of the certificate's issuer")
	ErrChainTooLong = errors.New("certificate chain is too long")
)

// Server loads a server's files. An error names the file it is about.
func Server(o ServerOptions) (*tls.Config, error) {
	pair, err := loadPair(o.Certificate, o.Key)
	if err != nil {
		return nil, err
	}
	expiry := o.Expiry
	if expiry == nil {
		expiry = func(string, time.Time) {}
	}
	expiry("certificate", pair.Leaf.NotAfter)
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Small records at first are for browsers that draw a page; here they would only be more work.
		DynamicRecordSizingDisabled: true,
		Certificates:                []tls.Certificate{pair},
	}
	switch o.ClientAuth {
	case NoCertificate:
		return config, nil
	case OptionalCertificate:
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case RequiredCertificate:
		config.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil, fmt.Errorf("unknown client authentication mode %d", o.ClientAuth)
	}
	if o.ClientCA == "" { // the standard library would trust every public CA
		return nil, errors.New("client certificates are asked for, but no client CA says whose to believe")
	}
	cas, err := loadBundle(o.ClientCA)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = pool(cas)
	expiry("clientCA", earliest(cas))
	var revoked *revocations
	if o.CRL != "" {
		if revoked, err = loadRevocations(o.CRL, cas); err != nil {
			return nil, err
		}
		expiry("crl", revoked.nextUpdate())
	}
	// Unlike VerifyPeerCertificate this is called on resumed sessions too. The chain itself, with the extended key
	// usage clientAuth, has been verified by then.
	config.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) > maxChain {
			return ErrChainTooLong
		}
		if len(s.PeerCertificates) == 0 || revoked == nil {
			return nil
		}
		return revoked.check(s.VerifiedChains, time.Now())
	}
	return config, nil
}

// Covers reports whether a certificate is valid for a host, a DNS name or an IP address.
func Covers(certificate *x509.Certificate, host string) bool {
	return certificate.VerifyHostname(host) == nil
}
