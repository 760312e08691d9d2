package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
)

// Recheck judges the certificates that a connected client once showed, leaf first, by a newer configuration of the same
// server: whether a handshake would accept them today.
func Recheck(config *tls.Config, certificates []*x509.Certificate) error {
	if len(certificates) == 0 || config.ClientAuth == tls.NoClientCert {
		return nil
	}
	chains, err := certificates[0].Verify(x509.VerifyOptions{
		Roots:         config.ClientCAs,
		Intermediates: pool(certificates[1:]),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	return config.VerifyConnection(tls.ConnectionState{PeerCertificates: certificates, VerifiedChains: chains})
}
