// Package throwaway is a throwaway issuer of tokens on loopback: the one of `asyncgate demo` and of the tests. It signs
// whatever it is asked to sign, and must not be part of anything that runs.
//
// It has what a client and a gateway need of an OpenID provider: discovery, keys, the client credentials grant,
// introspection and revocation.
package throwaway

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is a running issuer.
type Issuer struct {
	// Lifetime of tokens that clients fetch. Client is called for each, and returns their claims beside iss, iat and exp;
	// nil claims refuse the client. Both are set before the first request.
	Lifetime time.Duration
	Client   func(id, secret string) map[string]any
	// Fault answers a request in place of the issuer if it returns true. It may be replaced with [Issuer.SetFault].
	fault func(http.ResponseWriter, *http.Request) bool

	url    string
	server *http.Server

	mu      sync.Mutex
	keys    []jose.JSONWebKey // newest first; all are published
	count   int
	revoked map[string]bool // hashes
	asked   map[string]int  // requests, by path
}

// Start makes an issuer that listens on a free port of loopback, with one RSA key.
func Start() (*Issuer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &Issuer{Lifetime: 5 * time.Minute, url: "http://" + listener.Addr().String(),
		revoked: map[string]bool{}, asked: map[string]int{}}
	if _, err := i.AddKey("RS256"); err != nil {
		_ = listener.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.configuration)
	mux.HandleFunc("GET /jwks", i.jwks)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("POST /introspect", i.introspect)
	i.server = &http.Server{Handler: i.counted(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = i.server.Serve(listener) }()
	return i, nil
}

// Close ends it.
func (i *Issuer) Close() { _ = i.server.Close() }

// URL is its name, and where it is.
func (i *Issuer) URL() string { return i.url }

// AddKey makes a key for an algorithm and publishes it. From now on it signs with it. It returns the key's id.
func (i *Issuer) AddKey(algorithm string) (id string, err error) {
	var private crypto.Signer
	switch algorithm[:2] {
	case "RS", "PS":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES":
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm]
		private, err = ecdsa.GenerateKey(curve, rand.Reader)
	default:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	id = "key-" + strconv.Itoa(i.count)
	i.keys = append([]jose.JSONWebKey{{Key: private, KeyID: id, Algorithm: algorithm, Use: "sig"}}, i.keys...)
	return id, nil
}

// DropKeys withdraws all keys but the newest.
func (i *Issuer) DropKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[:1]
}

// Keys are the published keys, as a JWK set.
func (i *Issuer) Keys() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	b, _ := json.Marshal(set) // public keys of known types
	return b
}

// Sign signs claims with the newest key. Those that are nil are left out.
func (i *Issuer) Sign(claims map[string]any) (string, error) {
	return i.SignWith(claims, map[string]any{"typ": "at+jwt"})
}

// SignWith signs with further headers.
func (i *Issuer) SignWith(claims, headers map[string]any) (string, error) {
	i.mu.Lock()
	k := i.keys[0]
	i.mu.Unlock()
	options := &jose.SignerOptions{}
	for name, value := range headers {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k}, options)
	if err != nil {
		return "", err
	}
	stated := maps.Clone(claims)
	maps.DeleteFunc(stated, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(stated)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Claims are those of an ordinary access token that lives for so long. Others may be added.
func (i *Issuer) Claims(subject, audience string, lifetime time.Duration) map[string]any {
	now := time.Now()
	return map[string]any{"iss": i.url, "sub": subject, "aud": audience, "iat": now.Unix(), "exp": now.Add(lifetime).Unix()}
}

// Revoke makes a token inactive for who asks.
func (i *Issuer) Revoke(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked[hash(token)] = true
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Asked is how many requests there were for a path, such as "/jwks".
func (i *Issuer) Asked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

// SetFault replaces what answers in the issuer's place; nil: nothing does.
func (i *Issuer) SetFault(fault func(http.ResponseWriter, *http.Request) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = fault
}

func (i *Issuer) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.asked[r.URL.Path]++
		fault := i.fault
		i.mu.Unlock()
		if fault == nil || !fault(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// Fetch gets a token by the client credentials grant, as a client would.
func (i *Issuer) Fetch(ctx context.Context, id, secret string) (string, error) {
	return fetch(ctx, i.url+"/token", id, secret)
}

var errRefused = errors.New("the issuer refused the client")
