package oidctest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// TestProvider shows the issuer to be what other tests take it for.
func TestProvider(t *testing.T) {
	p := Start(t, map[string]Client{
		"lamp":    {Scope: "lights:read lights:write", Audience: "kafka", Lifetime: 90 * time.Second},
		"opaque":  {Scope: "lights:read", Audience: "kafka", Opaque: true},
		"gateway": {Audience: "kafka"},
	})
	header, claims := read(t, p.MustToken("lamp"))
	if header["alg"] != "RS256" || header["typ"] != "at+jwt" {
		t.Errorf("the header is %v", header)
	}
	if claims["iss"] != p.Issuer() || claims["aud"] != "kafka" || claims["scope"] != "lights:read lights:write" ||
		claims["client_id"] != "lamp" || claims["sub"] != "lamp" || claims["exp"].(float64)-claims["iat"].(float64) != 90 {
		t.Errorf("the claims are %v", claims)
	}
	p.Rotate()
	if other, _ := read(t, p.MustToken("lamp")); other["kid"] == header["kid"] {
		t.Errorf("after the rotation key %v signs still", header["kid"])
	}

	token := p.MustToken("opaque")
	if said := p.introspected(t, token); said["active"] != true || said["aud"] != "kafka" || said["client_id"] != "opaque" || said["scope"] != "lights:read" {
		t.Errorf("of an opaque token it says %v", said)
	}
	p.Revoke("opaque", token)
	if said := p.introspected(t, token); said["active"] != false {
		t.Errorf("of a revoked token it says %v", said)
	}

	p.Down()
	if _, err := p.Token("lamp"); err == nil {
		t.Error("it is down, and answers")
	}
	p.Up()
	p.MustToken("lamp")
}

func (p *Provider) introspected(t *testing.T, token string) (answer map[string]any) {
	t.Helper()
	body, err := p.post("/token/introspection", "gateway", url.Values{"token": {token}})
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// read is what a JWT says.
func read(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %s", token)
	}
	for i, to := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}
