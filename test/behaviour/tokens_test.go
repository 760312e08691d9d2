package behaviour_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
)

// The issuer that the broker and the gateway believe, for what its tokens are, and one of the same name that they do not.
var issuer, impostor *throwaway.Issuer

const audience = "kafka"

func startIssuer() (err error) {
	if issuer, err = throwaway.Start(); err == nil {
		impostor, err = throwaway.Start()
	}
	return err
}

// kinds are the claims that make a token another one than alice's for an hour; nil removes one.
var kinds = map[string]func(now time.Time) map[string]any{
	"alice":            func(time.Time) map[string]any { return nil },
	"bob":              func(time.Time) map[string]any { return map[string]any{"sub": "bob"} },
	"brief":            func(now time.Time) map[string]any { return map[string]any{"exp": now.Add(4 * time.Second).Unix()} },
	"expired":          func(now time.Time) map[string]any { return map[string]any{"exp": now.Add(-time.Hour).Unix()} },
	"early":            func(now time.Time) map[string]any { return map[string]any{"nbf": now.Add(time.Hour).Unix()} },
	"other-audience":   func(time.Time) map[string]any { return map[string]any{"aud": "billing"} },
	"other-issuer":     func(time.Time) map[string]any { return map[string]any{"iss": "https://id.example.org"} },
	"without-audience": func(time.Time) map[string]any { return map[string]any{"aud": nil} },
	"without-issuer":   func(time.Time) map[string]any { return map[string]any{"iss": nil} },
	"without-subject":  func(time.Time) map[string]any { return map[string]any{"sub": nil} },
	"without-end":      func(time.Time) map[string]any { return map[string]any{"exp": nil} },
	"without-issue":    func(time.Time) map[string]any { return map[string]any{"iat": nil} },
	"large":            func(time.Time) map[string]any { return map[string]any{"groups": strings.Repeat("x", 40<<10)} },
	"forged":           func(time.Time) map[string]any { return nil },
	"unsigned":         func(time.Time) map[string]any { return nil },
}

// token makes a token of a kind, and says when a session with it ends.
func token(kind string) (text string, ends time.Time, err error) {
	change, ok := kinds[kind]
	if !ok {
		return "", ends, fmt.Errorf("there are no tokens of kind %q", kind)
	}
	now := time.Now()
	claims := issuer.Claims("alice", audience, time.Hour)
	for name, value := range change(now) {
		claims[name] = value
	}
	if end, ok := claims["exp"].(int64); ok {
		ends = time.Unix(end, 0)
	}
	signer := issuer
	if kind == "forged" {
		signer = impostor
	}
	text, err = signer.Sign(claims)
	if kind == "unsigned" {
		_, rest, _ := strings.Cut(text, ".")
		text = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + rest[:strings.Index(rest, ".")+1]
	}
	return text, ends, err
}
