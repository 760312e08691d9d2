package tokens

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/asyncgate/asyncgate/internal/internet"
)

// Bounds of what an issuer may answer.
const (
	maxBody      = 1 << 20 // bytes; JWK sets have 2 to 20 KiB
	maxRedirects = 3
	maxURL       = 2048
)

// client speaks HTTP with one issuer. It goes where the settings say; where an answer leads it elsewhere it goes to
// public addresses only, so that an issuer cannot make the gateway talk to its own network. An issuer on loopback, which
// has nothing to hide there, is an exception.
type client struct {
	home     string // host:port of the settings' URL
	loopback bool
	plain    *http.Client
	strict   *http.Client // for wherever answers lead
}

func newClient(issuer Issuer, home string) (*client, error) {
	u, err := checkURL(home)
	if err != nil {
		return nil, err
	}
	config, err := issuer.tls()
	if err != nil {
		return nil, err
	}
	c := &client{home: u.Host, loopback: loopback(u)}
	made := func(control func(string, string, syscall.RawConn) error, proxy func(*http.Request) (*url.URL, error)) *http.Client {
		dialer := &net.Dialer{Timeout: fetchTimeout, Control: control}
		return &http.Client{
			Timeout: fetchTimeout,
			Transport: &http.Transport{
				Proxy: proxy, DialContext: dialer.DialContext, TLSClientConfig: config, ForceAttemptHTTP2: true,
				TLSHandshakeTimeout: fetchTimeout, ResponseHeaderTimeout: fetchTimeout, MaxResponseHeaderBytes: 64 << 10,
				MaxIdleConnsPerHost: maxAsked, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	c.plain = made(nil, http.ProxyFromEnvironment)
	c.strict = c.plain
	if !c.loopback {
		c.strict = made(onlyPublic, nil)
	}
	return c, nil
}

// tls is how an issuer is recognised, and what is shown to it.
func (i *Issuer) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(i.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(i.CA) {
			return nil, errors.New("ca has no certificate in it")
		}
	}
	if len(i.Certificate) > 0 {
		pair, err := tls.X509KeyPair(i.Certificate, i.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// get fetches a document, following redirects.
func (c *client) get(ctx context.Context, target string) ([]byte, error) {
	for range maxRedirects + 1 {
		u, err := checkURL(target)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, errors.New("an address that cannot be asked")
		}
		request.Header.Set("Accept", "application/json")
		response, err := c.clientFor(u).Do(request)
		if err != nil {
			return nil, cause(err)
		}
		if next := response.Header.Get("Location"); next != "" && response.StatusCode/100 == 3 {
			_ = response.Body.Close()
			to, err := u.Parse(next)
			if err != nil {
				return nil, errors.New("it redirects to what is no address")
			}
			target = to.String()
			continue
		}
		return read(response)
	}
	return nil, fmt.Errorf("more than %d redirects", maxRedirects)
}

// clientFor is the client for an address: the strict one wherever the settings have not sent us.
func (c *client) clientFor(u *url.URL) *http.Client {
	if u.Host == c.home {
		return c.plain
	}
	return c.strict
}

// post sends a form, and follows no redirect: it has a token and a secret in it. A user without a secret is proved by the
// certificate, and the form says whose it is (RFC 8705 section 2).
func (c *client) post(ctx context.Context, target string, form url.Values, user, secret string) ([]byte, error) {
	if user != "" && secret == "" {
		form.Set("client_id", user)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("an address that cannot be asked")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if secret != "" { // RFC 6749 section 2.3.1: both are form-encoded first
		request.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(secret))
	}
	response, err := c.plain.Do(request)
	if err != nil {
		return nil, cause(err)
	}
	return read(response)
}

// read takes the body of a good answer, up to its bound.
func read(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("it answers with more than %d bytes", maxBody)
	}
	return body, nil
}

// cause is an error of the HTTP client without the address in front of it, which may be a stranger's.
func cause(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		if e.Timeout() {
			return errors.New("it does not answer in time")
		}
		return e.Err
	}
	return err
}

// checkURL takes https, and http to loopback.
func checkURL(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	switch {
	case err != nil || len(target) > maxURL || u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("no https:// address")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u):
		return u, nil
	}
	return nil, fmt.Errorf("an address of scheme %s: only https is safe, and http on loopback", quote(u.Scheme))
}

// loopback reports whether an address never leaves this machine.
func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback() || u.Hostname() == "localhost"
}

// onlyPublic refuses to dial anything but a public address. It sees what a name has been resolved to, so that no name
// leads around it.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !internet.Public(target.Addr()) {
		return errors.New("it leads to an address that is not public")
	}
	return nil
}
