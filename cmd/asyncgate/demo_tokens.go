package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// demoAudience is what the tokens of the demo are for.
const demoAudience = "demo"

// startIssuer starts an issuer of tokens if a server takes any. Alice is a client of it, and gets every scope that the
// document asks for.
func (d *demo) startIssuer(p *plan.Plan) error {
	var scopes []string
	taken := false
	for _, s := range p.Servers {
		for _, a := range s.Alternatives {
			for _, r := range a.All {
				if a.Enabled && demonstrable(s) && isToken(r) {
					taken = true
					scopes = append(scopes, r.Scopes...)
				}
			}
		}
	}
	if !taken {
		return nil
	}
	issuer, err := throwaway.Start()
	if err != nil {
		return err
	}
	d.scopes = strings.Join(scopes, " ")
	issuer.Client = func(id, secret string) map[string]any {
		if id != "alice" || secret != d.people.password {
			return nil
		}
		return map[string]any{"aud": demoAudience, "scope": d.scopes}
	}
	d.issuer = issuer
	return nil
}

// isToken reports whether a requirement is met by a token.
func isToken(r plan.Requirement) bool {
	return r.Type == "oauth2" || r.Type == "openIdConnect" || r.Type == "http" && r.In == "bearer"
}

// tokenAttempts are the ways to come with a token.
func (d *demo) tokenAttempts(add adder, s *plan.Server, r plan.Requirement) {
	with := func(change map[string]any) way {
		claims := d.issuer.Claims("alice", demoAudience, time.Hour)
		claims["scope"] = d.scopes
		maps.Copy(claims, change)
		return tokenWay(d.issuer.Sign(claims))
	}
	add(schemeName(r), "alice with her token", "", with(nil))
	add(schemeName(r), "a token that has expired", sasl.CodeExpired, with(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
	add(schemeName(r), "a token for another service", sasl.CodeTokenAudience, with(map[string]any{"aud": "another"}))
	add(schemeName(r), "a token of another issuer", sasl.CodeUnknownIssuer, with(map[string]any{"iss": "https://id.example.org"}))
	forged := with(nil)
	if token, err := d.issuer.Sign(d.issuer.Claims("mallory", demoAudience, time.Hour)); err == nil {
		forged = tokenWay(token[:strings.LastIndexByte(token, '.')+1]+strings.Repeat("A", 342), nil)
	}
	add(schemeName(r), "a token that nobody signed", sasl.CodeTokenSignature, forged)
	if len(r.Scopes) > 0 && tokenWays(s) == 1 { // or another way in asks for fewer
		add(schemeName(r), "a token without the scopes", "missing-scope", with(map[string]any{"scope": ""}))
	}
}

// schemeName is a requirement's type; of http also which.
func schemeName(r plan.Requirement) string {
	if r.Type == "http" {
		return "http " + r.In
	}
	return r.Type
}

func tokenWay(token string, err error) way {
	return way{login: kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) { return oauth.Auth{Token: token}, err }))}
}

// onlyInRequest reports whether a requirement is met by nothing but what an HTTP request has beside Basic: the demo's MQTT
// client cannot bring that.
func onlyInRequest(r plan.Requirement) bool {
	return r.Type == "httpApiKey" || isToken(r) && !slices.Contains(r.Mechanisms, sasl.Password)
}

// mqttToken is a client that brings a token as its password.
func (d *demo) mqttToken(subject string) mqttLogin {
	claims := d.issuer.Claims(subject, demoAudience, time.Hour)
	claims["scope"] = d.scopes
	return d.mqttSigned(claims)
}

func (d *demo) mqttSigned(claims map[string]any) mqttLogin {
	token, err := d.issuer.Sign(claims)
	if err != nil {
		token = "none"
	}
	return mqttLogin{user: "whoever", password: token}
}

// mqttTokens are the ways to come to an MQTT server with a token.
func (d *demo) mqttTokens(add mqttAdder, s *plan.Server, r plan.Requirement) {
	with := func(change map[string]any) mqttLogin {
		claims := d.issuer.Claims("alice", demoAudience, time.Hour)
		claims["scope"] = d.scopes
		maps.Copy(claims, change)
		return d.mqttSigned(claims)
	}
	add(schemeName(r), "alice with her token", "", with(nil))
	add(schemeName(r), "a token that has expired", sasl.CodeExpired, with(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
	add(schemeName(r), "a token for another service", sasl.CodeTokenAudience, with(map[string]any{"aud": "another"}))
	if len(r.Scopes) > 0 && tokenWays(s) == 1 { // or another way in asks for fewer
		add(schemeName(r), "a token without the scopes", "missing-scope", with(map[string]any{"scope": ""}))
	}
}

// tokenWays is how many ways into a server a token is.
func tokenWays(s *plan.Server) int {
	n := 0
	for _, a := range s.Alternatives {
		if a.Enabled && slices.ContainsFunc(a.All, isToken) {
			n++
		}
	}
	return n
}
