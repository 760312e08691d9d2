package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxFile bounds the files that are read: a revocation list of a large public CA has some 30 MB.
const maxFile = 64 << 20

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	return b, nil
}

// loadPair reads a certificate chain and its private key.
func loadPair(certificate, key string) (tls.Certificate, error) {
	var none tls.Certificate
	if certificate == "" || key == "" {
		return none, errors.New("a certificate needs its key, and a key its certificate: one of the two is not set")
	}
	chain, err := readFile(certificate)
	if err != nil {
		return none, err
	}
	private, err := readFile(key)
	if err != nil {
		return none, err
	}
	pair, err := tls.X509KeyPair(chain, private)
	if err != nil {
		return none, fmt.Errorf("%s with key %s: %w", certificate, key, err)
	}
	return pair, nil
}

// loadBundle reads a PEM bundle of one or more CA certificates. Anything in it that does not parse refuses the file:
// skipping it would silently change who is trusted.
func loadBundle(path string) ([]*x509.Certificate, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var cas []*x509.Certificate
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if bytes.Contains(rest, []byte("-----BEGIN")) {
				return nil, fmt.Errorf("%s: a PEM block does not decode", path)
			}
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s: holds a %q where only certificates belong", path, block.Type)
		}
		ca, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		cas = append(cas, ca)
	}
	if len(cas) == 0 {
		return nil, fmt.Errorf("%s: holds no PEM certificate", path)
	}
	return cas, nil
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}

// earliest is when the first of the certificates ends.
func earliest(certificates []*x509.Certificate) time.Time {
	end := certificates[0].NotAfter
	for _, c := range certificates[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}
