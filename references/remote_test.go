package references

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/asyncapi"
)

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		allow, reference string
		want             bool
	}{
		{"example.org", "https://example.org/a.yaml", true},
		{"example.org", "https://EXAMPLE.org/a.yaml", true},
		{"example.org", "https://example.org/a/b/c.yaml", true},
		{"example.org", "http://example.org/a.yaml", false},
		{"example.org", "https://example.org:8443/a.yaml", false},
		{"example.org:8443", "https://example.org:8443/a.yaml", true},
		{"example.org", "https://example.org.evil.net/a.yaml", false},
		{"example.org", "https://sub.example.org/a.yaml", false},
		{"example.org", "https://user:pass@example.org/a.yaml", false},
		{"example.org", "https://example.org@evil.net/a.yaml", false},
		{"https://example.org/schemas/", "https://example.org/schemas/a.yaml", true},
		{"https://example.org/schemas", "https://example.org/schemas/a.yaml", true},
		{"https://example.org/schemas", "https://example.org/schemas-of-others/a.yaml", false},
		{"https://example.org/schemas/", "https://example.org/other/a.yaml", false},
		{"https://example.org/schemas/", "https://example.org/schemas/../other/a.yaml", false},
		{"https://example.org/schemas/", "https://example.org/schemas/%2e%2e/other/a.yaml", false},
		{"https://example.org/schemas/", "https://example.org/schemas/..%2fother/a.yaml", false},
		{"http://example.org/", "http://example.org/a.yaml", true},
		{"http://example.org/", "https://example.org/a.yaml", false},
		{"example.org", "ftp://example.org/a.yaml", false},
	} {
		r, err := Allow([]string{c.allow})
		if err != nil {
			t.Fatal(err)
		}
		files := Beside("d.yml", r)
		if _, err := files.Name("d.yml", c.reference); (err == nil) != c.want {
			t.Errorf("%s with %s allowed: %v", c.reference, c.allow, err)
		}
	}
	for _, bad := range []string{"", "https://", "ftp://example.org/", "https://user@example.org/", "https://example.org/?a", "https://example.org/#a", "https://a b/"} {
		if _, err := Allow([]string{bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if r, err := Allow(nil); r != nil || err != nil {
		t.Errorf("nothing allowed: %v, %v", r, err)
	}
}

// A remote file leads to other remote ones, and never back to this machine's.
func TestReferencesOfRemoteFiles(t *testing.T) {
	r, err := Allow([]string{"example.org"})
	if err != nil {
		t.Fatal(err)
	}
	files := Beside("d.yml", r)
	for reference, want := range map[string]string{
		"b.yaml": "https://example.org/x/b.yaml", "../b.yaml": "https://example.org/b.yaml", "/b.yaml": "https://example.org/b.yaml",
		"//other.net/b.yaml": "", "file:///etc/passwd": "", "http://example.org/b.yaml": "",
	} {
		if got, err := files.Name("https://example.org/x/a.yaml", reference); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, %v", reference, got, err)
		}
	}
}

// served starts a web server and a Remote that may reach it although it is on loopback.
func served(t *testing.T, handler http.HandlerFunc) (*Remote, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r, err := Allow([]string{server.URL + "/schemas/"})
	if err != nil {
		t.Fatal(err)
	}
	r.client.Transport = &http.Transport{DialContext: (&net.Dialer{}).DialContext, DisableKeepAlives: true}
	return r, server.URL
}

func TestFetch(t *testing.T) {
	r, url := served(t, func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/schemas/a.yaml":
			fmt.Fprint(w, "0123456789")
		case "/schemas/moved.yaml":
			http.Redirect(w, request, "/schemas/a.yaml", http.StatusFound)
		case "/schemas/astray.yaml":
			http.Redirect(w, request, "/other/a.yaml", http.StatusFound)
		case "/schemas/round.yaml":
			http.Redirect(w, request, "/schemas/round.yaml", http.StatusFound)
		case "/schemas/to-file.yaml":
			http.Redirect(w, request, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, request)
		}
	})
	for path, want := range map[string]string{
		"a.yaml": "01234", "moved.yaml": "01234", "absent.yaml": "the server answers 404", "astray.yaml": "nothing allows",
		"round.yaml": "it is redirected more than 5 times", "to-file.yaml": "only http and https are",
	} {
		data, err := r.read(url+"/schemas/"+path, 4)
		got := string(data)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// All remote files of a document share one deadline.
func TestFetchesShareTheirTime(t *testing.T) {
	release := make(chan struct{})
	r, url := served(t, func(_ http.ResponseWriter, request *http.Request) {
		select {
		case <-release:
		case <-request.Context().Done():
		}
	})
	defer close(release)
	r.end = time.Now().Add(time.Millisecond)
	for range 2 {
		if _, err := r.read(url+"/schemas/a.yaml", 100); err == nil || !strings.Contains(err.Error(), "take longer than") {
			t.Errorf("%v", err)
		}
	}
}

// The address is looked at when it is dialled: a name that means this machine gets no further than its number.
func TestPrivateAddressesAreRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		r, err := Allow([]string{"http://" + net.JoinHostPort(host, port) + "/"})
		if err != nil {
			t.Fatal(err)
		}
		name, err := Beside("d.yml", r).Name("d.yml", "http://"+net.JoinHostPort(host, port)+"/a.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var refused *asyncapi.Refused
		if _, err := r.read(name, 100); !errors.As(err, &refused) || !strings.Contains(err.Error(), "no public address") {
			t.Errorf("%s: %v", host, err)
		}
	}
}
