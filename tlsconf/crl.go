package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// revocations are the current revocation lists (RFC 5280 section 5) of a set of CAs, by the CA that signed each.
type revocations struct {
	lists map[string]*revocationList
}

type revocationList struct {
	number  *big.Int // grows with each list of a CA (RFC 5280 section 5.2.3); nil if the list has none
	issued  time.Time
	next    time.Time
	serials map[string]struct{} // big-endian bytes of the serial numbers
}

// loadRevocations reads a file of revocation lists, each of which must be signed by one of the CAs.
func loadRevocations(path string, cas []*x509.Certificate) (*revocations, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	ders, err := revocationBlocks(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &revocations{lists: make(map[string]*revocationList)}
	for _, der := range ders {
		if err := r.add(der, cas); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return r, nil
}

// revocationBlocks splits a file into DER revocation lists: the PEM blocks, or the whole file if it is not PEM.
func revocationBlocks(b []byte) ([][]byte, error) {
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		return [][]byte{b}, nil
	}
	var ders [][]byte
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if len(ders) == 0 || bytes.Contains(rest, []byte("-----BEGIN")) {
				return nil, errors.New("a PEM block does not decode")
			}
			return ders, nil
		}
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("holds a %q where only revocation lists belong", block.Type)
		}
		ders = append(ders, block.Bytes)
	}
}

// add parses and verifies one list. Of several lists of one CA the latest counts.
func (r *revocations) add(der []byte, cas []*x509.Certificate) error {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	if crl.NextUpdate.IsZero() {
		return errors.New("revocation list does not say when the next one is due")
	}
	for _, e := range crl.Extensions {
		if e.Critical { // a delta or indirect list, or one of some certificates only: it means less than it seems to
			return fmt.Errorf("revocation list has the critical extension %v, which is not supported", e.Id)
		}
	}
	var signers []*x509.Certificate
	for _, ca := range cas {
		if bytes.Equal(ca.RawSubject, crl.RawIssuer) && crl.CheckSignatureFrom(ca) == nil {
			signers = append(signers, ca)
		}
	}
	if len(signers) == 0 {
		return fmt.Errorf("revocation list of %q is not signed by any of the client CAs", crl.Issuer)
	}
	list := &revocationList{number: crl.Number, issued: crl.ThisUpdate, next: crl.NextUpdate,
		serials: make(map[string]struct{}, len(crl.RevokedCertificateEntries))}
	for _, entry := range crl.RevokedCertificateEntries {
		list.serials[string(entry.SerialNumber.Bytes())] = struct{}{}
	}
	for _, ca := range signers {
		if old := r.lists[signer(ca)]; old == nil || old.before(list) {
			r.lists[signer(ca)] = list
		}
	}
	return nil
}

// before reports whether another list of the same CA is the later one.
func (l *revocationList) before(other *revocationList) bool {
	if l.number != nil && other.number != nil {
		return l.number.Cmp(other.number) < 0
	}
	return l.issued.Before(other.issued)
}

// signer identifies a CA by name and key: a CA that changed its key signs two series of lists.
func signer(ca *x509.Certificate) string {
	return string(ca.RawSubject) + string(ca.RawSubjectPublicKeyInfo)
}

// nextUpdate is when the first of the lists expires.
func (r *revocations) nextUpdate() time.Time {
	var first time.Time
	for _, list := range r.lists {
		if first.IsZero() || list.next.Before(first) {
			first = list.next
		}
	}
	return first
}

// check accepts a certificate if one of its verified chains, leaf first, holds nothing that is revoked. The issuer of
// the leaf must have a current list; CAs above it are looked up where they have one.
func (r *revocations) check(chains [][]*x509.Certificate, now time.Time) error {
	err := ErrNoCRL
	for _, chain := range chains {
		if err = r.checkChain(chain, now); err == nil {
			return nil
		}
	}
	return err
}

func (r *revocations) checkChain(chain []*x509.Certificate, now time.Time) error {
	if len(chain) == 1 { // the certificate is itself a trusted one: nobody could revoke it
		return nil
	}
	for i, c := range chain[:len(chain)-1] {
		list := r.lists[signer(chain[i+1])]
		switch {
		case list == nil && i == 0:
			return ErrNoCRL
		case list == nil:
			continue
		case now.After(list.next):
			return ErrStaleCRL
		}
		if _, revoked := list.serials[string(c.SerialNumber.Bytes())]; revoked {
			return ErrRevoked
		}
	}
	return nil
}
