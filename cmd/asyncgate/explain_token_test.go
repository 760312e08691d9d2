package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/sasl"
)

const lightsDocument = `asyncapi: 3.0.0
info: { title: Lights, version: 1.0.0 }
servers:
  prod:
    host: kafka.example.org:9093
    protocol: kafka-secure
    security: [ { $ref: '#/components/securitySchemes/oauth' } ]
  scram:
    host: kafka.example.org:9094
    protocol: kafka-secure
    security: [ { type: scramSha512 } ]
  home:
    host: mqtt.example.org:8883
    protocol: mqtts
    security: [ { $ref: '#/components/securitySchemes/oauth' } ]
channels:
  lights: { address: lights }
  payroll: { address: payroll }
operations:
  sendLight: { action: send, channel: { $ref: '#/channels/lights' } }
  sendPay:
    action: send
    channel: { $ref: '#/channels/payroll' }
    security: [ { type: oauth2, flows: { clientCredentials: { tokenUrl: 'https://id.example.org', availableScopes: { pay: pay } } }, scopes: [ pay ] } ]
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows: { clientCredentials: { tokenUrl: 'https://id.example.org/token', availableScopes: { lights: lights, pay: pay } } }
      scopes: [ lights ]
`

const lightsSettings = `enforce: operations
servers:
  prod: { upstream: { bootstrap: ['k:1'] } }
  scram: { upstream: { bootstrap: ['k:1'] } }
  home: { upstream: { address: 'mqtt://m:1' } }
`

// explainToken asks with a token, from a file and from standard input in turn, and insists that no part of it is shown.
func explainToken(t *testing.T, doc, token string, args ...string) (code int, out, errs string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = invoke(t, "", append([]string{"explain", doc, "--token-file", file}, args...)...)
	again, out2, errs2 := invoke(t, token, append([]string{"explain", doc, "--token-file", "-"}, args...)...)
	if code != again || out != out2 || errs != strings.ReplaceAll(errs2, "standard input", file) {
		t.Errorf("from a file exit %d: %s%s; from standard input exit %d: %s%s", code, out, errs, again, out2, errs2)
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 7 && strings.Contains(out+errs, part) {
			t.Errorf("a part of the token is shown: %s%s", out, errs)
		}
	}
	return code, out, errs
}

func TestExplainToken(t *testing.T) {
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	dir := put(t, map[string]string{"lights.yml": lightsDocument, "asyncgate.yaml": lightsSettings +
		"tokens: { issuers: [ { issuer: '" + issuer.URL() + "', audience: kafka } ] }\n"})
	doc := filepath.Join(dir, "lights.yml")
	sign := func(claims map[string]any) string {
		all := issuer.Claims("alice", "kafka", time.Hour)
		for name, value := range claims {
			all[name] = value
		}
		token, err := issuer.Sign(all)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := sign(map[string]any{"scope": "lights other"})
	for _, c := range []struct {
		name, token, args string
		code              int
		reason            string // a part of it
		principal         string
		mechanism         string
		refusal           string // the code of the answer
		scopes            []string
	}{
		{"the right one", good, "prod produce topic:lights", 0, "an operation of the document", "alice", "OAUTHBEARER", "", []string{"lights", "other"}},
		{"on MQTT", good, "home produce topic:lights", 0, "an operation of the document", "alice", "OAUTHBEARER", "", []string{"lights", "other"}},
		{"as an MQTT password", good, "home produce topic:lights --mechanism PASSWORD", 0, "an operation", "alice", "PASSWORD", "", []string{"lights", "other"}},
		{"the opposite", good, "prod consume topic:lights", 4, "the opposite", "alice", "OAUTHBEARER", "", []string{"lights", "other"}},
		{"no scope for the operation", good, "prod produce topic:payroll", 4, "lacks the scope pay", "alice", "OAUTHBEARER", "", []string{"lights", "other"}},
		{"a scope for the operation", sign(map[string]any{"scope": "lights pay"}), "prod produce topic:payroll", 0, "an operation", "alice", "OAUTHBEARER", "", []string{"lights", "pay"}},
		{"no scope for the server", sign(nil), "prod produce topic:lights", 4, "lacks the scope lights", "alice", "", "", nil},
		{"a server without tokens", good, "scram produce topic:lights", 4, "takes no tokens", "alice", "", "", []string{"lights", "other"}},
		{"a mechanism without tokens", good, "prod produce topic:lights --mechanism PLAIN", 4, `takes no tokens with mechanism "PLAIN"`, "alice", "", "", []string{"lights", "other"}},
		{"expired", sign(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), "prod produce topic:lights", 4, "ended at", "alice", "", sasl.CodeExpired, nil},
		{"for somebody else", sign(map[string]any{"aud": "billing"}), "prod produce topic:lights", 4, `is for "billing"`, "alice", "", sasl.CodeTokenAudience, nil},
		{"another issuer", sign(map[string]any{"iss": "https://evil.example.org"}), "prod produce topic:lights", 4, "evil.example.org", "", "", sasl.CodeUnknownIssuer, nil},
		{"forged", good[:strings.LastIndexByte(good, '.')+1] + strings.Repeat("A", 342), "prod produce topic:lights", 4, "a signature that no key", "", "", sasl.CodeTokenSignature, nil},
		{"opaque", "0123456789abcdef", "prod produce topic:lights", 4, "not a JWT", "", "", sasl.CodeOpaqueToken, nil},
		{"bound to a certificate", sign(map[string]any{"cnf": map[string]any{"x5t#S256": strings.Repeat("A", 43)}}), "prod produce topic:lights", 4, "has shown none", "alice", "", sasl.CodeTokenBinding, nil},
	} {
		f := strings.Fields(c.args)
		args := append([]string{"--server", f[0], "--action", f[1], "--resource", f[2], "--output", "json"}, f[3:]...)
		code, out, errs := explainToken(t, doc, c.token, args...)
		var got explained
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Errorf("%s: exit %d: %v: %s%s", c.name, code, err, out, errs)
			continue
		}
		if code != c.code || got.Allowed != (c.code == 0) || !strings.Contains(got.Reason, c.reason) || got.Principal != c.principal ||
			got.Mechanism != c.mechanism || got.Code != c.refusal || !slices.Equal(got.Scopes, c.scopes) {
			t.Errorf("%s: exit %d: %s%s", c.name, code, out, errs)
		}
		if verified := c.refusal == ""; verified != (got.Issuer == issuer.URL()) || verified != (got.Expires != "") {
			t.Errorf("%s: of %q until %q", c.name, got.Issuer, got.Expires)
		}
	}
	_, out, _ := explainToken(t, doc, good, "--server", "prod", "--action", "produce", "--resource", "topic:lights")
	if !strings.Contains(out, "alice may produce topic:lights on server prod") || !strings.Contains(out, "with scopes lights other, until 2") {
		t.Error(out)
	}

	asked := []string{"--server", "prod", "--action", "produce", "--resource", "topic:lights"}
	for _, c := range []struct {
		name, token string
		args        []string
		code        int
		says        string
	}{
		{"nothing", " ", asked, 2, "empty"},
		{"too much", strings.Repeat("a", 129<<10), asked, 2, "larger than a token may be"},
		{"a header", "Bearer " + good, asked, 2, "nothing else"},
		{"scopes besides", good, append(asked, "--scope", "x"), 2, "scopes of its own"},
		{"a name besides", good, append(asked, "--principal", "alice"), 2, "--token-file"},
	} {
		if code, out, errs := explainToken(t, doc, c.token, c.args...); code != c.code || !strings.Contains(errs, c.says) || out != "" {
			t.Errorf("%s: exit %d: %s%s", c.name, code, out, errs)
		}
	}
	if code, _, errs := invoke(t, "", append([]string{"explain", doc}, asked...)...); code != exitUsage || !strings.Contains(errs, "--token-file") {
		t.Errorf("neither: exit %d: %s", code, errs)
	}
	issuer.Close()
	if code, out, errs := explainToken(t, doc, good, asked...); code != exitRuntime || !strings.Contains(errs, "does not show its keys") || out != "" {
		t.Errorf("without the issuer: exit %d: %s%s", code, out, errs)
	}
}

// By name, a principal of a server that takes tokens is one whose token would be good.
func TestExplainSupposesAToken(t *testing.T) {
	dir := put(t, map[string]string{"lights.yml": lightsDocument, "asyncgate.yaml": lightsSettings +
		"tokens: { issuers: [ { issuer: 'https://id.example.org', audience: kafka } ] }\n"})
	for scope, want := range map[string]int{"lights": exitOK, "other": exitDenied} {
		code, out, errs := invoke(t, "", "explain", filepath.Join(dir, "lights.yml"), "--server", "prod", "--principal", "alice",
			"--scope", scope, "--action", "produce", "--resource", "topic:lights")
		if code != want {
			t.Errorf("with %s: exit %d: %s%s", scope, code, out, errs)
		}
	}
}
