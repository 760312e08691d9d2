package sasl

import (
	"errors"
	"fmt"
	"time"
)

// Codes of the refusals of this package, as [Reject.Code] carries them into the audit record. Scripts match on them:
// add to them, never rename one.
const (
	CodeTooLarge         = "token-too-large"              // a message beyond its bound
	CodeMalformed        = "malformed-token"              // a message that is not what its mechanism defines
	CodeOutOfOrder       = "out-of-order"                 // a message after the end of the exchange
	CodeAuthzID          = "authzid-mismatch"             // the client wants to act as somebody else
	CodeChannelBinding   = "channel-binding"              // channel binding asked for, or not the one agreed on
	CodeExtension        = "unsupported-extension"        // a mandatory SCRAM extension (m=)
	CodeDelegationToken  = "delegation-token-unsupported" // a SCRAM login with tokenauth=true
	CodeNonce            = "nonce-mismatch"               // the final message is of another exchange
	CodeDoubledNonce     = "doubled-nonce"                // the final message of librdkafka before 2.6.1
	CodeProofLength      = "proof-length"                 // a proof that no key of the hash can give
	CodeUnknownUser      = "unknown-user"                 // nobody of that name, or without a verifier for the mechanism
	CodeWrongPassword    = "wrong-password"               // the user is known, the password is not theirs
	CodeUnknownKey       = "unknown-key"                  // no such API key
	CodeKeyNotAccepted   = "key-not-accepted"             // an API key where the server takes none
	CodeKeyRequired      = "key-required"                 // no API key where the server takes nothing else
	CodeUnknownCert      = "unknown-certificate"          // a certificate that maps to no principal, or to several
	CodeNoCertificate    = "no-certificate"               // the client showed none
	CodeExpired          = "expired"                      // the credential has ended
	CodeRevoked          = "revoked"                      // the credential was withdrawn
	CodeBusy             = "busy"                         // no turn to check a password before the deadline
	CodeDirectoryFailure = "credentials-unavailable"      // the directory failed

	CodeEncryptedToken    = "token-encrypted"           // a JWE: nothing here could open it
	CodeTokenHeader       = "token-header"              // a header that asks for what is not understood (crit, b64, zip)
	CodeTokenType         = "token-type"                // a JWT that is no access token
	CodeTokenAlgorithm    = "token-algorithm"           // #nosec G101 -- a code; an algorithm that the issuer's tokens must not have
	CodeTokenSignature    = "token-signature"           // #nosec G101 -- a code; the signature is not the issuer's
	CodeUnknownIssuer     = "unknown-issuer"            // no issuer of that name is configured
	CodeUnknownSigningKey = "unknown-signing-key"       // the issuer has no such key
	CodeTokenAudience     = "token-audience"            // the token is for somebody else
	CodeTokenClaim        = "token-claim"               // a claim that is needed is missing or another
	CodeTokenNotYet       = "not-yet-valid"             // nbf or iat lies in the future
	CodeTokenInactive     = "token-inactive"            // the issuer says so
	CodeTokenBinding      = "token-binding"             // bound to a certificate that the client has not shown
	CodeIssuerUnavailable = "token-issuer-unavailable"  // keys or an answer of the issuer cannot be had
	CodeOpaqueToken       = "opaque-token-not-accepted" // #nosec G101 -- a code; not a JWT, and no issuer is asked about others
)

// Texts for clients, word for word a Kafka broker's: clients and their operators know them, and they are the same for
// an unknown user and a wrong password.
const (
	publicPlain       = "Authentication failed: Invalid username or password"
	publicNoUser      = "Authentication failed: username not specified"
	publicNoPassword  = "Authentication failed: password not specified"
	publicAuthzID     = "Authentication failed: Client requested an authorization id that is different from username"
	publicPlainFields = "Invalid SASL/PLAIN response: expected 3 tokens, got %d"
	publicCertificate = "Authentication failed: the client certificate is not known here"
)

// publicInvalid is what a Kafka broker says whenever a mechanism fails without a text of its own.
func publicInvalid(mechanism string) string {
	return "Authentication failed during authentication due to invalid credentials with SASL mechanism " + mechanism
}

// refuse builds the step that ends an exchange.
func refuse(code, public, format string, args ...any) Step {
	return Step{Reject: newReject(code, public, format, args...)}
}

func newReject(code, public, format string, args ...any) *Reject {
	return &Reject{Stage: StageLogin, Code: code, Public: public, Private: fmt.Sprintf(format, args...)}
}

// by completes a refusal: the mechanism that was under way, and who the client has said it is. An API key in the place
// of a user name says nothing of that kind.
func (s Step) by(mechanism, user string) Step {
	if s.Reject != nil {
		s.Reject.Mechanism = mechanism
		if !IsKey(user) {
			s.Reject.Claimed = user
		}
	}
	return s
}

// afterEnd is the answer to a message that comes when the exchange is over.
func afterEnd(mechanism string) Step {
	return refuse(CodeOutOfOrder, publicInvalid(mechanism), "a message after the end of the exchange")
}

// codeOf is the code for an error of a [Directory]; unknown is the one for [ErrUnknown].
func codeOf(err error, unknown string) string {
	switch {
	case errors.Is(err, ErrUnknown):
		return unknown
	case errors.Is(err, ErrExpired):
		return CodeExpired
	case errors.Is(err, ErrRevoked):
		return CodeRevoked
	}
	return CodeDirectoryFailure
}

// quote shows a peer's text to an operator: escaped, and cut at 64 characters.
func quote(s string) string {
	cut := fmt.Sprintf("%.64s", s)
	if len(cut) < len(s) {
		return fmt.Sprintf("%q…", cut)
	}
	return fmt.Sprintf("%q", s)
}

// earliest is the first of the moments that are set; zero if none is.
func earliest(moments ...time.Time) (first time.Time) {
	for _, t := range moments {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
