package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/asyncgate/asyncgate/sasl"
)

// now is when the tests take place.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// us is the issuer of the tests, and its audience.
const (
	us       = "https://id.example.org"
	audience = "kafka"
)

// ring has the issuer's keys by their ids, and one of a stranger.
type ring map[string]crypto.Signer

var theRing = sync.OnceValue(func() ring {
	r := ring{}
	r["rsa"], _ = rsa.GenerateKey(rand.Reader, 2048)
	r["other"], _ = rsa.GenerateKey(rand.Reader, 2048)
	r["ec"], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, r["ed"], _ = ed25519.GenerateKey(rand.Reader)
	return r
})

// public is the issuer's JWK set.
func (r ring) public(t testing.TB, ids ...string) []byte {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, id := range ids {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: r[id].Public(), KeyID: id, Use: "sig"})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// directory knows one issuer, by a file of its keys; change edits it first.
func directory(t testing.TB, change func(*Issuer)) *Directory {
	t.Helper()
	i := Issuer{Name: us, Audiences: []string{audience}, Keys: theRing().public(t, "rsa", "ec", "ed")}
	if change != nil {
		change(&i)
	}
	d, err := New(Options{Issuers: []Issuer{i}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// object is JSON that a test puts together.
type jsonObject map[string]any

// over is a copy with members replaced; nil removes one.
func (o jsonObject) over(more jsonObject) jsonObject {
	c := maps.Clone(o)
	for name, v := range more {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func standardHeader() jsonObject { return jsonObject{"alg": "RS256", "kid": "rsa", "typ": "at+jwt"} }

func standardClaims() jsonObject {
	return jsonObject{"iss": us, "sub": "alice", "aud": audience, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
}

func part(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// sign makes a JWT by hand: no library would make the bad ones.
func sign(t testing.TB, header, payload, key string, algorithm any) string {
	t.Helper()
	input := header + "." + payload
	var signature []byte
	switch key {
	case "none":
	case "junk":
		signature = make([]byte, 96)
	case "hmac":
		secret, err := x509.MarshalPKIXPublicKey(theRing()["rsa"].Public())
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		signature = mac.Sum(nil)
	default:
		signature = signed(t, theRing()[key], input, algorithm)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func signed(t testing.TB, key crypto.Signer, input string, algorithm any) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	var signature []byte
	var err error
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if algorithm == "PS256" {
			signature, err = rsa.SignPSS(rand.Reader, k, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
		}
	case *ecdsa.PrivateKey:
		r, s, failure := ecdsa.Sign(rand.Reader, k, sum[:])
		err = failure
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case ed25519.PrivateKey:
		signature = ed25519.Sign(k, []byte(input))
	}
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// good is an ordinary token with other claims.
func good(t testing.TB, claims jsonObject) string {
	t.Helper()
	return sign(t, part(standardHeader()), part(standardClaims().over(claims)), "rsa", "RS256")
}

// vector is a line of S03.json: a token that differs from an ordinary one, and what becomes of it.
type vector struct {
	Name           string
	Header, Claims jsonObject
	Key            string // that signs; default: rsa
	Edit           string // what is done to it by hand
	Token          string // the token itself
	Repeat         int    // that many times
	Code           string // of the refusal; empty: it is accepted
}

func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/S03.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v vector) token(t testing.TB) string {
	t.Helper()
	if v.Token != "" {
		return strings.Repeat(v.Token, max(1, v.Repeat))
	}
	for name, value := range v.Claims { // moments are written as seconds from now
		if text, ok := value.(string); ok && slices.Contains([]string{"exp", "nbf", "iat"}, name) {
			if seconds, err := strconv.Atoi(text); err == nil {
				v.Claims[name] = now.Add(time.Duration(seconds) * time.Second).Unix()
			}
		}
	}
	header, claims := standardHeader().over(v.Header), standardClaims().over(v.Claims)
	key := v.Key
	if key == "" {
		key = "rsa"
	}
	if v.Edit == "embed" {
		header["jwk"] = jose.JSONWebKey{Key: theRing()[key].Public(), KeyID: "rsa"}
	}
	h, c := part(header), part(claims)
	raw := base64.RawURLEncoding
	switch v.Edit {
	case "nested-header":
		h = raw.EncodeToString([]byte(`{"a":` + strings.Repeat("[", 10000)))
		h = h[:min(len(h), maxHeader)]
	case "nested-claims":
		c = raw.EncodeToString([]byte(`{"iss":"` + us + `","a":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + "}"))
	case "list-claims":
		c = part([]any{claims})
	case "cut-claims":
		c = c[:len(c)/8*4]
	case "padding":
		h = raw.EncodeToString([]byte(`{"alg":"RS256","kid":"rsa" }`)) + "=="
	}
	token := sign(t, h, c, key, header["alg"])
	cut := strings.LastIndexByte(token, '.')
	switch v.Edit {
	case "zero-signature":
		token = token[:cut+1] + raw.EncodeToString(make([]byte, 256))
	case "claims":
		token = h + "." + part(claims.over(jsonObject{"sub": "ops"})) + token[cut:]
	}
	return token
}

func TestTokensOfEveryKind(t *testing.T) {
	d := directory(t, nil)
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			token := v.token(t)
			p, r := d.Verify(t.Context(), token, sasl.Peer{})
			switch {
			case v.Code == "" && r != nil:
				t.Fatalf("refused: %v", r)
			case v.Code == "":
				if p.Name != "alice" || p.Issuer != us || p.Kind != sasl.KindToken {
					t.Errorf("principal %+v", p)
				}
			case p != nil:
				t.Fatalf("accepted as %+v", p)
			case r.Code != v.Code:
				t.Errorf("refused with %s (%s), not with %s", r.Code, r.Private, v.Code)
			default:
				checkReason(t, r, token)
			}
		})
	}
}

// checkReason holds a refusal against the rules: an operator's line, and nothing of the token.
func checkReason(t testing.TB, r *sasl.Reject, token string) {
	t.Helper()
	if r.Stage != sasl.StageLogin || r.Code == "" || r.Private == "" || len(r.Private) > 600 || strings.ContainsAny(r.Private, "\r\n\x00") {
		t.Errorf("reason %q", r.Private)
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 16 && strings.Contains(r.Private, part[:16]) {
			t.Errorf("a part of the token in the reason: %s", r.Private)
		}
	}
}

// What a token is refused for costs no more than four times its bytes, whatever is in it: the claims once, and what the
// library allocates that checks the signature, which is three times as much. The claims of one that its issuer has signed
// are read besides; a stranger has none of those.
func TestARefusalAllocatesLittle(t *testing.T) {
	d := directory(t, nil)
	all := map[string]string{}
	for _, v := range vectors(t) {
		if v.Code != "" {
			all[v.Name] = v.token(t)
		}
	}
	large := jsonObject{"groups": strings.Repeat("x", 95_000)}
	all["large, with a signature that is none"] = sign(t, part(standardHeader()), part(standardClaims().over(large)), "junk", "RS256")
	signed := "large, for somebody else"
	all[signed] = good(t, large.over(jsonObject{"aud": "billing"}))
	all["large, of somebody else"] = good(t, large.over(jsonObject{"iss": "https://evil.example.org"}))
	for name, token := range all {
		_, _ = d.Verify(t.Context(), token, sasl.Peer{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = d.Verify(t.Context(), token, sasl.Peer{})
		runtime.ReadMemStats(&after)
		perRun := int(after.TotalAlloc - before.TotalAlloc)
		times := 4
		if name == signed {
			times = 7
		}
		if limit := times*len(token) + 64<<10; perRun > limit && !instrumented {
			t.Errorf("%s: %d bytes allocated for a token of %d", name, perRun, len(token))
		}
	}
}

func TestClaimsAreHeldAgainstTheSettings(t *testing.T) {
	for _, c := range []struct {
		name   string
		issuer func(*Issuer)
		claims jsonObject
		code   string
		who    string
		scopes []string
	}{
		{name: "scope is separated by spaces", claims: jsonObject{"scope": "read  write"}, who: "alice", scopes: []string{"read", "write"}},
		{name: "scope as a list", claims: jsonObject{"scope": []string{"read", "write"}}, who: "alice", scopes: []string{"read", "write"}},
		{name: "scp as Okta writes it", claims: jsonObject{"scp": []string{"read"}}, who: "alice", scopes: []string{"read"}},
		{name: "scope and scp are united", claims: jsonObject{"scope": "read", "scp": "read write"}, who: "alice", scopes: []string{"read", "write"}},
		{name: "roles, nested", issuer: func(i *Issuer) { i.Scopes = []string{"roles", "realm_access.roles"} },
			claims: jsonObject{"roles": []string{"a"}, "realm_access": jsonObject{"roles": []string{"b"}}}, who: "alice", scopes: []string{"a", "b"}},
		{name: "a claim whose name has dots", issuer: func(i *Issuer) { i.Scopes = []string{"https://example.org/roles"} },
			claims: jsonObject{"https://example.org/roles": []string{"a"}}, who: "alice", scopes: []string{"a"}},
		{name: "scopes of other types count for nothing", claims: jsonObject{"scope": jsonObject{"a": 1}, "scp": 7}, who: "alice"},
		{name: "principal from another claim", issuer: func(i *Issuer) { i.Principal = "azp" }, claims: jsonObject{"azp": "orders"}, who: "orders"},
		{name: "principal from a nested claim", issuer: func(i *Issuer) { i.Principal = "act.sub" },
			claims: jsonObject{"act": jsonObject{"sub": "bob"}}, who: "bob"},
		{name: "principal with a prefix", issuer: func(i *Issuer) { i.Prefix = "idp:" }, who: "idp:alice"},
		{name: "a required claim", issuer: func(i *Issuer) { i.Required = map[string][]string{"azp": nil} }, code: sasl.CodeTokenClaim},
		{name: "a required claim that is there", issuer: func(i *Issuer) { i.Required = map[string][]string{"azp": nil} },
			claims: jsonObject{"azp": "x"}, who: "alice"},
		{name: "a required value", issuer: func(i *Issuer) { i.Required = map[string][]string{"azp": {"a", "b"}} },
			claims: jsonObject{"azp": "c"}, code: sasl.CodeTokenClaim},
		{name: "a required value in a list", issuer: func(i *Issuer) { i.Required = map[string][]string{"groups": {"kafka"}} },
			claims: jsonObject{"groups": []string{"a", "kafka"}}, who: "alice"},
		{name: "a required value that is no text", issuer: func(i *Issuer) { i.Required = map[string][]string{"email_verified": {"true"}} },
			claims: jsonObject{"email_verified": true}, who: "alice"},
		{name: "an algorithm that the issuer does not have", issuer: func(i *Issuer) { i.Algorithms = []string{"ES256"} }, code: sasl.CodeTokenAlgorithm},
		{name: "a narrower clock", issuer: func(i *Issuer) { i.Skew = time.Second }, claims: jsonObject{"exp": now.Add(-2 * time.Second).Unix()}, code: sasl.CodeExpired},
		{name: "an audience in another claim, as Cognito has it", issuer: func(i *Issuer) { i.Audience = "client_id" },
			claims: jsonObject{"aud": nil, "client_id": audience}, who: "alice"},
		{name: "the audience in the wrong claim", issuer: func(i *Issuer) { i.Audience = "client_id" }, code: sasl.CodeTokenAudience},
		{name: "another audience of ours", issuer: func(i *Issuer) { i.Audiences = []string{"a", "b"} }, claims: jsonObject{"aud": "b"}, who: "alice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, r := directory(t, c.issuer).Verify(t.Context(), good(t, c.claims), sasl.Peer{})
			if c.code != "" {
				if r == nil || r.Code != c.code {
					t.Fatalf("want %s, got %v and %+v", c.code, r, p)
				}
				return
			}
			if r != nil || p.Name != c.who || !slices.Equal(p.Scopes, c.scopes) {
				t.Fatalf("principal %+v, refusal %v", p, r)
			}
		})
	}
}

func TestAPrincipalEndsWithItsToken(t *testing.T) {
	clock := now
	d, err := New(Options{Now: func() time.Time { return clock }, Issuers: []Issuer{
		{Name: us, Audiences: []string{audience}, Keys: theRing().public(t, "rsa")}}})
	if err != nil {
		t.Fatal(err)
	}
	p, r := d.Verify(t.Context(), good(t, nil), sasl.Peer{})
	if r != nil {
		t.Fatal(r)
	}
	if !p.Expires.Equal(now.Add(time.Minute)) {
		t.Errorf("it ends at %v", p.Expires)
	}
	if err := d.Check(p); err != nil {
		t.Errorf("a minute before: %v", err)
	}
	clock = now.Add(time.Minute)
	if err := d.Check(p); err != sasl.ErrExpired {
		t.Errorf("at its end: %v", err)
	}
	clock = now.Add(-time.Hour) // the wall clock decides, wherever it jumps
	if err := d.Check(p); err != nil {
		t.Errorf("an hour earlier: %v", err)
	}
	late, r := d.Verify(t.Context(), good(t, jsonObject{"exp": clock.Add(-10 * time.Second).Unix(), "iat": nil}), sasl.Peer{})
	if r != nil || !late.Expires.Equal(clock.Add(20*time.Second)) {
		t.Errorf("a token that ended 10 s ago by our clock: %+v %v", late, r)
	}
}

// pemOf is a public key of the ring as PEM.
func pemOf(t testing.TB, id string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(theRing()[id].Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
