package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// DevCA is a certificate authority for development and tests, with ECDSA P-256 keys. It lives in memory only: what it
// has issued can be kept, its own key cannot.
type DevCA struct {
	certificate *x509.Certificate
	der         []byte
	key         *ecdsa.PrivateKey
	valid       time.Duration
}

// Pair is a certificate with its private key (PKCS #8), both PEM.
type Pair struct {
	Certificate []byte
	Key         []byte
}

// NewDevCA makes an authority of that common name. It and all that it issues are valid from five minutes ago, for
// clocks that differ, for the given time from now.
func NewDevCA(name string, valid time.Duration) (*DevCA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &DevCA{key: key, valid: valid}
	template := ca.template(pkix.Name{Organization: []string{"asyncgate development"}, CommonName: name})
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	if ca.der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		return nil, err
	}
	ca.certificate, err = x509.ParseCertificate(ca.der)
	return ca, err
}

// PEM is the authority's certificate.
func (ca *DevCA) PEM() []byte { return encode("CERTIFICATE", ca.der) }

// Server issues a server certificate for DNS names and IP addresses, of which there must be one at least.
func (ca *DevCA) Server(hosts ...string) (*Pair, error) {
	if len(hosts) == 0 {
		return nil, errors.New("a server certificate needs a host")
	}
	template := ca.template(pkix.Name{CommonName: hosts[0]})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return ca.issue(template)
}

// Client issues a client certificate for a subject. The organization may be empty.
func (ca *DevCA) Client(organization, commonName string) (*Pair, error) {
	name := pkix.Name{CommonName: commonName}
	if organization != "" {
		name.Organization = []string{organization}
	}
	template := ca.template(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return ca.issue(template)
}

// Revoke returns a PEM revocation list that names the certificates and is good until next.
func (ca *DevCA) Revoke(next time.Time, certificates ...*x509.Certificate) ([]byte, error) {
	template := &x509.RevocationList{
		Number:     big.NewInt(time.Now().UnixNano()),
		ThisUpdate: time.Now().Add(-skew),
		NextUpdate: next,
	}
	for _, c := range certificates {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: template.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.certificate, ca.key)
	if err != nil {
		return nil, err
	}
	return encode("X509 CRL", der), nil
}

// skew is how far the clocks of a development setup may differ.
const skew = 5 * time.Minute

// template is what all certificates of the authority have in common. CreateCertificate draws the serial number.
func (ca *DevCA) template(subject pkix.Name) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   subject,
		NotBefore: now.Add(-skew),
		NotAfter:  now.Add(ca.valid),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}

func (ca *DevCA) issue(template *x509.Certificate) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Pair{Certificate: encode("CERTIFICATE", der), Key: encode("PRIVATE KEY", private)}, nil
}

// Write writes the pair to two new files, the key with mode 0600. It never overwrites.
func (p *Pair) Write(certificate, key string) error {
	if err := writeNew(key, p.Key, 0o600); err != nil {
		return err
	}
	return writeNew(certificate, p.Certificate, 0o644)
}

// WritePEM writes the authority's certificate to a new file. It never overwrites.
func (ca *DevCA) WritePEM(path string) error { return writeNew(path, ca.PEM(), 0o644) }

// writeNew writes a file that must not exist yet.
func writeNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
