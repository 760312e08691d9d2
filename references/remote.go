package references

import (
	"context"
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

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/internet"
)

// Bounds of what is fetched: all remote files of a document together take no longer than remoteTime. A schema registry
// answers in milliseconds.
const (
	remoteTime   = 20 * time.Second
	maxRedirects = 5
)

// Remote is what may be fetched, and by what means. A nil Remote fetches nothing.
type Remote struct {
	allowed []*url.URL
	client  *http.Client
	end     time.Time // when no more is waited for; set by the first fetch
}

// Allow makes a Remote of hosts, reached by https on their usual port or the one given, and of beginnings of URLs, whose
// path ends at a slash or is the whole one. An empty list allows nothing.
func Allow(list []string) (*Remote, error) {
	if len(list) == 0 {
		return nil, nil
	}
	r := &Remote{}
	for _, one := range list {
		text := one
		if !strings.Contains(one, "://") {
			text = "https://" + one
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%q is no host, such as schemas.example.org, nor the beginning of a URL, such as https://example.org/schemas/", one)
		}
		r.allowed = append(r.allowed, u)
	}
	dialer := &net.Dialer{Timeout: remoteTime, Control: publicOnly}
	r.client = &http.Client{
		Transport: &http.Transport{ // no proxy: the address that is looked at has to be the one that is reached
			DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
			TLSHandshakeTimeout: remoteTime, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: r.redirect,
	}
	return r, nil
}

// name is the URL of a reference, if it may be fetched.
func (r *Remote) name(from, reference string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	if Local(from) {
		base = &url.URL{}
	}
	u, err := base.Parse(reference)
	if err != nil {
		return "", errors.New("it is no URL")
	}
	u.Scheme, u.Host, u.Fragment = strings.ToLower(u.Scheme), strings.ToLower(u.Host), ""
	if err := r.permits(u); err != nil {
		return "", err
	}
	return u.String(), nil
}

// permits holds a URL against the list.
func (r *Remote) permits(u *url.URL) error {
	hint := "allow it with --allow-remote " + u.Host + ", or keep a copy beside the document"
	if u.Scheme != "https" {
		hint = "allow it with --allow-remote " + u.Scheme + "://" + u.Host + "/, or keep a copy beside the document"
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return &asyncapi.Refused{Reason: "only http and https are", Hint: "keep a copy beside the document"}
	case u.User != nil:
		return &asyncapi.Refused{Reason: "it holds a password", Hint: "keep a copy beside the document"}
	case r == nil:
		return &asyncapi.Refused{Reason: "it is remote", Hint: hint}
	}
	for _, a := range r.allowed {
		if a.Scheme == u.Scheme && strings.EqualFold(a.Host, u.Host) && below(u.EscapedPath(), a.EscapedPath()) {
			return nil
		}
	}
	return &asyncapi.Refused{Reason: "nothing allows " + u.Scheme + "://" + u.Host + u.EscapedPath(), Hint: hint}
}

// below reports whether a path is another one, or lies in it. Dots would lead out again, on some servers also encoded.
func below(path, prefix string) bool {
	lower := strings.ToLower(path)
	if strings.Contains(lower, "/..") || strings.Contains(lower, "%2e") || strings.Contains(lower, "%2f") || strings.Contains(path, `\`) {
		return false
	}
	return prefix == "" || prefix == "/" || path == prefix ||
		strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

func (r *Remote) redirect(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("it is redirected more than %d times", maxRedirects)
	}
	return r.permits(to.URL)
}

// read fetches a URL that name has permitted.
func (r *Remote) read(name string, limit int) ([]byte, error) {
	if r.end.IsZero() {
		r.end = time.Now().Add(remoteTime)
	}
	ctx, cancel := context.WithDeadline(context.Background(), r.end)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, name, http.NoBody)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	request.Header.Set("Accept", "application/yaml, application/json, */*;q=0.1")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fetchError(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	if err != nil {
		return nil, fetchError(ctx, err)
	}
	return data, nil
}

// fetchError is what went wrong with a fetch, without the URL that the reader shows anyway.
func fetchError(ctx context.Context, err error) error {
	if refused := (*asyncapi.Refused)(nil); errors.As(err, &refused) {
		return refused
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the remote files of the document take longer than %v", remoteTime)
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// publicOnly refuses to dial addresses of this machine and of private networks. It sees the address that a name was
// resolved to, for every hop of a redirect.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !internet.Public(at.Addr()) {
		return &asyncapi.Refused{Reason: "the host is " + at.Addr().String() + ", which is no public address", Hint: "keep a copy beside the document"}
	}
	return nil
}
