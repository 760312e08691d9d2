package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/sasl"
)

// provider is a running issuer, and a directory that believes it; change edits its settings first.
func provider(t testing.TB, change func(*Issuer)) (*throwaway.Issuer, *Directory) {
	t.Helper()
	p, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, believing(t, p, nil, change)
}

func believing(t testing.TB, p *throwaway.Issuer, previous *Directory, change func(*Issuer)) *Directory {
	t.Helper()
	i := Issuer{Name: p.URL(), Audiences: []string{audience}, Discovery: p.URL() + "/.well-known/openid-configuration"}
	if change != nil {
		change(&i)
	}
	d, err := New(Options{Issuers: []Issuer{i}, Previous: previous})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tokenOf is a fresh token of alice's.
func tokenOf(t testing.TB, p *throwaway.Issuer, more ...func(map[string]any)) string {
	t.Helper()
	claims := p.Claims("alice", audience, time.Minute)
	for _, change := range more {
		change(claims)
	}
	token, err := p.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func accepted(t testing.TB, d *Directory, token string) *sasl.Principal {
	t.Helper()
	p, r := d.Verify(t.Context(), token, sasl.Peer{})
	if r != nil {
		t.Fatalf("refused: %v", r)
	}
	return p
}

func refused(t testing.TB, d *Directory, token, code string) *sasl.Reject {
	t.Helper()
	p, r := d.Verify(t.Context(), token, sasl.Peer{})
	if r == nil || r.Code != code {
		t.Fatalf("want %s, got %v and %+v", code, r, p)
	}
	checkReason(t, r, token)
	return r
}

func TestKeysAreDiscoveredOnce(t *testing.T) {
	p, d := provider(t, nil)
	for range 100 {
		accepted(t, d, tokenOf(t, p))
	}
	if p.Asked("/.well-known/openid-configuration") != 1 || p.Asked("/jwks") != 1 {
		t.Errorf("%d configurations and %d key sets were fetched", p.Asked("/.well-known/openid-configuration"), p.Asked("/jwks"))
	}
}

func TestEveryAlgorithmWithARealIssuer(t *testing.T) {
	p, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, algorithm := range Algorithms() {
		if _, err := p.AddKey(algorithm); err != nil {
			t.Fatal(err)
		}
		accepted(t, believing(t, p, nil, nil), tokenOf(t, p))
		accepted(t, believing(t, p, nil, func(i *Issuer) { i.Algorithms = []string{algorithm} }), tokenOf(t, p))
	}
}

// Ten thousand tokens with key ids that nobody has: the issuer is asked once.
func TestAStormOfUnknownKeysIsOneFetch(t *testing.T) {
	p, d := provider(t, func(i *Issuer) { i.MinInterval = time.Hour })
	token := tokenOf(t, p)
	_, rest, _ := strings.Cut(token, ".")
	before := p.Asked("/jwks")
	var clients sync.WaitGroup
	for n := range 16 {
		clients.Go(func() {
			for k := range 625 {
				header := part(jsonObject{"alg": "RS256", "kid": fmt.Sprintf("storm-%d-%d", n, k)})
				if _, r := d.Verify(t.Context(), header+"."+rest, sasl.Peer{}); r == nil || r.Code != sasl.CodeUnknownSigningKey {
					t.Errorf("%v", r)
				}
			}
		})
	}
	clients.Wait()
	if got := p.Asked("/jwks") - before; got != 1 {
		t.Errorf("%d fetches", got)
	}
	accepted(t, d, token) // and everybody else's are good
}

func TestARotatedKeyIsFoundAndAWithdrawnOneEndsSessions(t *testing.T) {
	p, d := provider(t, func(i *Issuer) { i.MinInterval = time.Nanosecond })
	old := accepted(t, d, tokenOf(t, p))
	if _, err := p.AddKey("ES256"); err != nil {
		t.Fatal(err)
	}
	rotated := accepted(t, d, tokenOf(t, p))
	if err := d.Check(old); err != nil {
		t.Errorf("both keys are published: %v", err)
	}
	p.DropKeys()
	if _, err := p.AddKey("EdDSA"); err != nil {
		t.Fatal(err)
	}
	accepted(t, d, tokenOf(t, p)) // has the keys fetched
	if err := d.Check(old); !errors.Is(err, sasl.ErrRevoked) {
		t.Errorf("its key was withdrawn: %v", err)
	}
	if err := d.Check(rotated); err != nil {
		t.Errorf("its key was not: %v", err)
	}
}

// What an issuer can answer in place of its keys, and what becomes of a first login then.
func TestAnIssuerThatLies(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"100 MB": func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.CopyN(w, endless{}, 100<<20)
			return true
		},
		"500": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, "<html>sign in</html>")
			return true
		},
		"no keys": func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.WriteString(w, `{"keys":[]}`)
			return r.URL.Path == "/jwks"
		},
		"symmetric keys": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/jwks" {
				_, _ = io.WriteString(w, `{"keys":[{"kty":"oct","kid":"key-1","k":"c2VjcmV0"}]}`)
			}
			return r.URL.Path == "/jwks"
		},
		"nested": func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, strings.Repeat(`{"keys":[`, 10000))
			return true
		},
		"another issuer's configuration": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/jwks" {
				_, _ = io.WriteString(w, `{"issuer":"https://evil.example.org","jwks_uri":"http://`+r.Host+`/jwks"}`)
			}
			return r.URL.Path != "/jwks"
		},
		"a configuration that leads to a file": func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.WriteString(w, `{"issuer":"http://`+r.Host+`","jwks_uri":"file:///etc/passwd"}`)
			return true
		},
		"redirects without end": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, d := provider(t, nil)
			token := tokenOf(t, p)
			p.SetFault(fault)
			refused(t, d, token, sasl.CodeIssuerUnavailable)
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte(" "), len(p)))
	return len(p), nil
}

// An issuer that was reached once may be down for as long as keys are good.
func TestKeysOutliveTheirIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int32
		var down atomic.Bool
		set, err := parseKeys(theRing().public(t, "rsa"))
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		s := &source{name: us, refresh: 5 * time.Minute, interval: 10 * time.Second, maxAge: time.Hour,
			fetch: func(context.Context) (*keySet, error) {
				fetches.Add(1)
				if down.Load() {
					return nil, errors.New("connection refused")
				}
				return set, nil
			},
			failed: func(_ string, err error) { told = append(told, fmt.Sprint(err)) },
		}
		rs256 := algorithmOf("RS256", Algorithms())
		find := func() error {
			if _, r := s.find(t.Context(), "rsa", rs256); r != nil {
				return r
			}
			synctest.Wait() // a fetch in the background has ended
			return nil
		}
		if err := find(); err != nil || fetches.Load() != 1 {
			t.Fatalf("%v after %d fetches", err, fetches.Load())
		}
		<-time.After(5 * time.Minute)
		down.Store(true)
		if err := find(); err != nil || fetches.Load() != 2 {
			t.Fatalf("old keys are renewed behind: %v after %d fetches", err, fetches.Load())
		}
		for range 54 * 60 { // every second until an hour has passed
			<-time.After(time.Second)
			if err := find(); err != nil {
				t.Fatalf("after %d fetches: %v", fetches.Load(), err)
			}
		}
		if n := fetches.Load(); n < 200 || n > 400 {
			t.Errorf("%d fetches of an issuer that is down for 54 minutes: more than one in ten seconds, or hardly any", n)
		}
		<-time.After(2 * time.Minute)
		if err := find(); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("keys that are too old: %v", err)
		}
		if !s.holds(set.keys[0].thumbprint) {
			t.Error("an issuer that is down has withdrawn nothing")
		}
		down.Store(false)
		<-time.After(10 * time.Second)
		if err := find(); err != nil {
			t.Errorf("it is up again: %v", err)
		}
		if fmt.Sprint(told) != "[connection refused <nil>]" {
			t.Errorf("the operator was told %q", told)
		}
	})
}

// Retries begin soon and become rarer.
func TestAFailedFetchIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		s := &source{name: us, refresh: time.Minute, interval: 10 * time.Second, maxAge: time.Hour,
			fetch: func(context.Context) (*keySet, error) {
				at = append(at, time.Since(begin))
				return nil, errors.New("down")
			}}
		for range 400 {
			_, _ = s.find(t.Context(), "a", algorithmOf("RS256", Algorithms()))
			<-time.After(100 * time.Millisecond)
		}
		if want := "[0s 100ms 300ms 700ms 1.5s 3.1s 6.3s 12.7s 22.7s 32.7s]"; fmt.Sprint(at) != want {
			t.Errorf("tried at %v, not at %s", at, want)
		}
	})
}

// A slow issuer holds nobody beyond the login's own deadline, and what it says in the end is kept.
func TestASlowIssuer(t *testing.T) {
	p, d := provider(t, nil)
	token := tokenOf(t, p)
	release := make(chan struct{})
	p.SetFault(func(http.ResponseWriter, *http.Request) bool { <-release; return false })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, r := d.Verify(ctx, token, sasl.Peer{}); r == nil || r.Code != sasl.CodeIssuerUnavailable {
		t.Errorf("%v", r)
	}
	close(release)
	accepted(t, d, token)
	if p.Asked("/jwks") != 1 {
		t.Errorf("%d fetches", p.Asked("/jwks"))
	}
}

func TestAnswersLeadToPublicAddressesOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true,
		"127.0.0.1:443": false, "10.1.2.3:443": false, "192.168.1.1:443": false, "172.16.0.1:80": false, "169.254.169.254:80": false,
		"0.0.0.0:80": false, "100.64.0.1:443": false, "[::1]:443": false, "[fe80::1%eth0]:443": false, "[fd00::1]:443": false,
		"[::ffff:10.0.0.1]:443": false, "[64:ff9b::a00:1]:443": false, "224.0.0.1:443": false, "255.255.255.255:1": false,
	} {
		if err := onlyPublic("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	c, err := newClient(Issuer{}, "https://id.example.org/jwks")
	if err != nil {
		t.Fatal(err)
	}
	if c.strict == c.plain {
		t.Error("an issuer elsewhere leads anywhere")
	}
	p, _ := provider(t, nil)
	if _, err := c.get(t.Context(), p.URL()+"/jwks"); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a redirect to loopback: %v", err)
	}
}

func TestOnlyHTTPSAndLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"https://id.example.org/jwks": true, "http://127.0.0.1:1/jwks": true, "http://localhost:1/": true, "http://[::1]:1/": true,
		"http://id.example.org/jwks": false, "http://10.0.0.1/": false, "ftp://id.example.org/": false, "https:///jwks": false,
		"https://user:pass@id.example.org/": false, "id.example.org": false, "http://127.0.0.1.example.org/": false, "": false,
	} {
		if _, err := checkURL(address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAReloadKeepsWhatIsKnown(t *testing.T) {
	p, d := provider(t, nil)
	who := accepted(t, d, tokenOf(t, p))
	same := believing(t, p, d, nil)
	if err := same.Check(who); err != nil {
		t.Errorf("nothing has changed: %v", err)
	}
	accepted(t, same, tokenOf(t, p))
	if p.Asked("/jwks") != 1 {
		t.Errorf("%d fetches", p.Asked("/jwks"))
	}
	other := believing(t, p, d, func(i *Issuer) { i.Audiences = []string{"other"} })
	if err := other.Check(who); !errors.Is(err, sasl.ErrRevoked) {
		t.Errorf("another audience: %v", err)
	}
	none, err := New(Options{Previous: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := none.Check(who); !errors.Is(err, sasl.ErrRevoked) {
		t.Errorf("no issuer: %v", err)
	}
}

// A file of keys may change without ending the sessions of those that stay.
func TestAReloadTakesKeysFromTheirFile(t *testing.T) {
	made := func(previous *Directory, ids ...string) *Directory {
		d, err := New(Options{Previous: previous, Now: func() time.Time { return now }, Issuers: []Issuer{
			{Name: us, Audiences: []string{audience}, Keys: theRing().public(t, ids...)}}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := made(nil, "rsa")
	who := accepted(t, d, good(t, nil))
	if err := made(d, "ec", "rsa").Check(who); err != nil {
		t.Errorf("its key is still there: %v", err)
	}
	if err := made(d, "ec").Check(who); !errors.Is(err, sasl.ErrRevoked) {
		t.Errorf("its key is gone: %v", err)
	}
}

func TestFilesOfKeys(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		keys int
		err  string
	}{
		"JWK set":                           {data: string(theRing().public(t, "rsa", "ec", "ed")), keys: 3},
		"PEM":                               {data: pemOf(t, "rsa") + pemOf(t, "ec"), keys: 2},
		"nothing":                           {err: "no public key"},
		"a private key":                     {data: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", err: "public keys and certificates are expected"},
		"broken PEM":                        {data: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", err: "cannot be read"},
		"no set":                            {data: `{"keys":7}`, err: "no JWK set"},
		"a key of unknown type beside ours": {data: `{"keys":[{"kty":"PQC","x":"AA"},` + string(theRing().public(t, "ec"))[len(`{"keys":[`):], keys: 1},
		"a weak key":                        {data: `{"keys":[{"kty":"RSA","n":"AMzIqUQ2","e":"AQAB"}]}`, err: "no public key"},
	} {
		set, err := parseKeys([]byte(c.data))
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v", name, err)
		case c.err == "" && (err != nil || len(set.keys) != c.keys):
			t.Errorf("%s: %v, %v", name, set, err)
		}
	}
}
