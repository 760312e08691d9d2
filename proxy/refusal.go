package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// tlsReject says in one word why a TLS handshake failed, and whose certificate it was if one was shown.
func tlsReject(err error) *sasl.Reject {
	reject := &sasl.Reject{Stage: sasl.StageTLS, Code: tlsCode(err), Private: err.Error()}
	if failed := (*tls.CertificateVerificationError)(nil); errors.As(err, &failed) && len(failed.UnverifiedCertificates) > 0 {
		reject.Claimed = failed.UnverifiedCertificates[0].Subject.String()
	}
	return reject
}

func tlsCode(err error) string {
	var (
		record  tls.RecordHeaderError
		alert   tls.AlertError
		invalid x509.CertificateInvalidError
		foreign x509.UnknownAuthorityError
	)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, errUnknownName):
		return "unknown-server-name"
	case errors.Is(err, tlsconf.ErrRevoked):
		return "certificate-revoked"
	case errors.Is(err, tlsconf.ErrStaleCRL):
		return "crl-expired"
	case errors.Is(err, tlsconf.ErrNoCRL):
		return "crl-missing"
	case errors.Is(err, tlsconf.ErrChainTooLong):
		return "certificate-chain"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate-expired"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "certificate-usage"
	case errors.As(err, &foreign):
		return "certificate-authority"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "certificate-invalid"
	case errors.As(err, &record):
		return "not-tls"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error"):
		return "client-alert"
	case strings.Contains(err.Error(), "didn't provide a certificate"):
		return "certificate-missing"
	case strings.Contains(err.Error(), "unsupported versions"):
		return "tls-version"
	case left(err):
		return "left"
	}
	return "handshake"
}

// left reports whether the peer went away.
func left(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || disconnected(err)
}
