package credentials

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// identitiesOf lists the keys of all rules that a certificate meets. It reads the subject's bytes itself: Go's own
// [pkix.Name] no longer tells one common name from two, nor a part with two attributes from two parts.
func identitiesOf(cert *x509.Certificate) ([]string, error) {
	subject, err := subjectOf(cert.RawSubject)
	if err != nil {
		return nil, err
	}
	var identities []string
	if len(subject) > 0 {
		identities = append(identities, identity(ruleDN, subject.canonical()))
	}
	if cn, ok := subject.onlyCN(); ok {
		identities = append(identities, identity(ruleCN, cn))
	}
	for _, name := range cert.DNSNames {
		if hasControl(name) {
			return nil, errors.New("an alternative name with control characters")
		}
		identities = append(identities, identity(ruleDNS, strings.ToLower(name)))
	}
	for _, address := range cert.EmailAddresses {
		if hasControl(address) {
			return nil, errors.New("an alternative name with control characters")
		}
		identities = append(identities, identity(ruleEmail, foldDomain(address)))
	}
	for _, uri := range cert.URIs {
		if uri.Scheme == "spiffe" && len(cert.URIs) > 1 {
			continue // a SPIFFE certificate has one URI, and with two it is nobody's (X509-SVID section 2)
		}
		identities = append(identities, identity(ruleURI, uri.String()))
	}
	return identities, nil
}

// subjectOf reads a subject, and turns its order round to that of RFC 2253.
func subjectOf(raw []byte) (distinguished, error) {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &sequence); err != nil || len(rest) > 0 {
		return nil, errors.New("a subject that cannot be read")
	}
	slices.Reverse(sequence)
	name := make(distinguished, 0, len(sequence))
	for _, set := range sequence {
		var part []attribute
		for _, a := range set {
			value, ok := a.Value.(string)
			if !ok || !utf8.ValidString(value) || hasControl(value) {
				return nil, fmt.Errorf("a subject whose attribute %s is not text, or has control characters", a.Type)
			}
			part = append(part, attribute{oid: a.Type.String(), value: value})
		}
		name = append(name, part)
	}
	return name, nil
}

// onlyCN returns the common name if there is one of it, alone in its part: of two names no one is the principal's, and
// one that is joined to another attribute (CN=alice+UID=7) is not the whole of what tells its bearer apart.
func (d distinguished) onlyCN() (cn string, ok bool) {
	for _, part := range d {
		for _, a := range part {
			switch {
			case a.oid != oidCN:
			case ok || len(part) > 1 || cn != "":
				return "", false
			default:
				cn, ok = a.value, true
			}
		}
	}
	return cn, ok
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }
