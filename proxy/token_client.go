package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// tokenTimeout bounds one question to a token endpoint: half of what the login at a broker may take.
const tokenTimeout = 5 * time.Second

// maxTokenHeader bounds the header of its answer, in bytes. The library bounds the body by 1 MiB.
const maxTokenHeader = 64 << 10

// tokenClient is the gateway at a token endpoint (RFC 6749 section 3.2). It is safe for concurrent use.
type tokenClient struct {
	plan.TokenClient
	secret string // empty: the certificate says who asks
	http   *http.Client
	style  atomic.Int64 // the [oauth2.AuthStyle] that has worked; zero: none has yet
}

// newTokenClient reads what it takes to ask, and asks nobody yet.
func newTokenClient(c plan.TokenClient) (*tokenClient, error) {
	t := &tokenClient{TokenClient: c}
	if c.ClientSecret != "" {
		secret, err := ReadSecret(c.ClientSecret)
		if err != nil {
			return nil, fmt.Errorf("clientSecret: %w", err)
		}
		t.secret = string(secret)
	}
	config, err := tlsconf.Client(tlsconf.ClientOptions{CA: c.CA, Certificate: c.Certificate, Key: c.Key})
	if err != nil {
		return nil, err
	}
	t.http = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, IdleConnTimeout: tokenTimeout,
			MaxResponseHeaderBytes: maxTokenHeader, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it has a secret in it
	}
	return t, nil
}

// ask asks for a token. No error repeats what the issuer has sent, beyond its error code.
func (t *tokenClient) ask(ctx context.Context, scopes []string, parameters url.Values) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, t.http), tokenTimeout)
	defer cancel()
	token, err := t.askIn(ctx, t.styles()[0], scopes, parameters)
	if len(t.styles()) > 1 && notRecognised(err) {
		token, err = t.askIn(ctx, t.styles()[1], scopes, parameters)
	}
	switch {
	case err == nil:
		return token, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, errors.New("it does not answer in time")
	}
	return nil, answerOf(err)
}

// styles are the ways to say who asks that are to be tried. By HTTP Basic is the one that every issuer should take; some take
// the secret in the form alone. With a certificate the form says whose it is (RFC 8705 section 2).
func (t *tokenClient) styles() []oauth2.AuthStyle {
	switch known := oauth2.AuthStyle(t.style.Load()); {
	case t.secret == "":
		return []oauth2.AuthStyle{oauth2.AuthStyleInParams}
	case known != oauth2.AuthStyleAutoDetect:
		return []oauth2.AuthStyle{known}
	}
	return []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams}
}

func (t *tokenClient) askIn(ctx context.Context, style oauth2.AuthStyle, scopes []string, parameters url.Values) (*oauth2.Token, error) {
	grant := clientcredentials.Config{ClientID: t.ClientID, ClientSecret: t.secret, TokenURL: t.Endpoint, Scopes: scopes,
		EndpointParams: parameters, AuthStyle: style}
	token, err := grant.Token(ctx)
	if err == nil {
		t.style.Store(int64(style))
	}
	return token, err
}

// notRecognised reports whether an issuer may not have seen who asks.
func notRecognised(err error) bool {
	var refused *oauth2.RetrieveError
	return errors.As(err, &refused) && (refused.Response.StatusCode == http.StatusUnauthorized ||
		refused.ErrorCode == "invalid_client" || refused.ErrorCode == "invalid_request")
}

// refusedError is the no of an issuer that has been asked for a token.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// answerOf is what there is to say about a question that failed. Where an issuer has answered, its words stay unsaid: they may
// hold a token.
func answerOf(err error) error {
	var refused *oauth2.RetrieveError
	var network *net.OpError
	var unproved *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused) && isErrorCode(refused.ErrorCode):
		return &refusedError{fmt.Sprintf("it answers with status %d, error %s", refused.Response.StatusCode, refused.ErrorCode)}
	case errors.As(err, &refused):
		return fmt.Errorf("it answers with status %d", refused.Response.StatusCode)
	case errors.As(err, &network):
		return network
	case errors.As(err, &unproved):
		return unproved
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends the connection without an answer")
	}
	return errors.New("its answer is no token")
}

// isErrorCode reports whether a text has the form of the codes that are registered for errors (RFC 6749 section 11.4).
func isErrorCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}
