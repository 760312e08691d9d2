package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/report"
)

// Patterns find documents where the shell has not expanded them, each once.
func TestCheckExpandsPatterns(t *testing.T) {
	t.Chdir(put(t, map[string]string{"a.yml": "", "b.yml": "", "c.json": "", "[x].yml": ""}))
	for _, dir := range []string{"apis/orders/v1", "apis/.hidden", "empty", "dir.yml"} {
		if err := os.MkdirAll(filepath.FromSlash(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"apis/top.yml", "apis/orders/mid.yml", "apis/orders/v1/deep.yml", "apis/.hidden/no.yml"} {
		if err := os.WriteFile(filepath.FromSlash(file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args    string
		want    string
		several bool
		missing string
	}{
		{"a.yml", "a.yml", false, ""},
		{"-", "-", false, ""},
		{"a.yml b.yml a.yml", "a.yml b.yml", true, ""},
		{"*.json", "c.json", true, ""},
		{"[x].yml", "[x].yml", false, ""},
		{"?.yml", "a.yml b.yml", true, ""},
		{"a.yml *.json", "a.yml c.json", true, ""},
		{"apis/*.yml", "apis/top.yml", true, ""},
		{"apis/**/*.yml", "apis/orders/mid.yml apis/orders/v1/deep.yml apis/top.yml", true, ""},
		{"**/deep.yml", "apis/orders/v1/deep.yml", true, ""},
		{"**/v1/*.yml", "apis/orders/v1/deep.yml", true, ""},
		{"a*/**/top.yml", "apis/top.yml", true, ""},
		{"none.yml", "none.yml", false, ""}, // opening it says what is wrong
		{"*.none", "", true, "*.none matches no file"},
		{"dir.y*", "", true, "dir.y* matches no file"},
		{"none/**/*.yml", "", true, "none/**/*.yml matches no file"},
		{"**/**/*.yml", "", true, "** may stand once"},
		{"[a.yml", "", true, "[a.yml is no pattern"},
		{"empty", "", false, `empty is a directory: name the documents in it, such as "empty/*.yml"`},
		{"empty a.yml", "a.yml", true, "is a directory"},
	} {
		paths, several, missing := expand(strings.Fields(c.args))
		if got := filepath.ToSlash(strings.Join(paths, " ")); got != c.want || several != c.several {
			t.Errorf("%s: %q, several %v", c.args, got, several)
		}
		switch {
		case len(missing) == 0 && c.missing != "" || len(missing) > 0 && c.missing == "":
			t.Errorf("%s: %v, want %q", c.args, missing, c.missing)
		case len(missing) > 0 && !strings.Contains(filepath.ToSlash(missing[0].Error()), c.missing):
			t.Errorf("%s: %v, want %q", c.args, missing[0], c.missing)
		}
	}
	if runtime.GOOS == "windows" {
		return // no such names
	}
	if err := os.MkdirAll("odd/[v*1]?", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("odd/[v*1]?/x.yml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if paths, _, missing := expand([]string{"odd/**/*.yml"}); len(paths) != 1 || missing != nil {
		t.Errorf("a directory whose name is a pattern: %q, %v", paths, missing)
	}
}

// A pattern gives a list however many it matches, and what cannot be opened costs the exit code but not the others.
func TestCheckPatterns(t *testing.T) {
	t.Chdir(put(t, map[string]string{"a.yml": soundDocument}))
	code, stdout, _ := invoke(t, "", "check", "*.yml", "--output", "json")
	if code != 0 || !strings.HasPrefix(stdout, "{\n  \"documents\": [") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	for _, args := range [][]string{{"a.yml", "*.none"}, {"."}, {"a.yml", "none.yml"}, {"a.yml", "--policy", "none.yaml"}, {"--rules", "a.yml"},
		{"--rules", "--output", "sarif"}} {
		if code, _, stderr := invoke(t, "", append([]string{"check"}, args...)...); code != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, %s", args, code, stderr)
		}
	}
}

// A policy makes errors of what it does not want, and says so for each document.
func TestCheckPolicy(t *testing.T) {
	t.Chdir(put(t, map[string]string{
		"a.yml": soundDocument, "strict.yaml": "require: { info: [contact] }\n", "broken.yaml": "require: { tls: always }\n",
		"lax.yaml": "rules: { security/no-port: off, policy/info: note }\nrequire: { info: [contact] }\n",
	}))
	for policy, want := range map[string]int{"strict.yaml": 1, "broken.yaml": 1, "lax.yaml": 0} {
		if code, stdout, stderr := invoke(t, "", "check", "a.yml", "--policy", policy); code != want {
			t.Errorf("%s: exit %d\n%s%s", policy, code, stdout, stderr)
		}
	}
	if code, stdout, _ := invoke(t, "", "check", "--rules", "--policy", "broken.yaml"); code != 1 || stdout == "" {
		t.Errorf("a list with a broken policy: exit %d\n%s", code, stdout)
	}
}

// The list of codes says for each what a policy makes of it.
func TestCheckRules(t *testing.T) {
	t.Chdir(put(t, map[string]string{"p.yaml": "rules: { security/unused-scheme: off }\n"}))
	code, stdout, _ := invoke(t, "", "check", "--rules", "--output", "json", "--policy", "p.yaml")
	want := `    {
      "code": "security/unused-scheme",
      "severity": "off",
      "fixed": false,
      "summary": "Nothing asks for this security scheme, so it enforces nothing.",
      "help": "https://github.com/asyncgate/asyncgate/blob/main/docs/problems/security.md#securityunused-scheme"
    }`
	if code != 0 || !strings.Contains(stdout, want) {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	code, stdout, _ = invoke(t, "", "check", "--rules", "security/none", "policy/tls")
	if code != 0 || !strings.HasPrefix(stdout, "## security/none\n\n**error**: ") || !strings.Contains(stdout, "\n\n## policy/tls\n") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

// Whatever the format, a secret in a document or in the settings is nowhere in the output.
func TestCheckRepeatsNoSecret(t *testing.T) {
	const inDocument, inSettings = "w8Lr3mQ5", "hunter2-of-the-settings"
	t.Chdir(put(t, map[string]string{
		"d.yml": `asyncapi: 3.0.0
info: { title: Secrets, version: 1.0.0 }
servers:
  a: { host: 'kafka://orders:` + inDocument + `@broker:9092', protocol: kafka-secure, security: [ { type: X509 } ] }
  b: { host: 'orders:` + inDocument + `@broker:9092', protocol: kafka, unknown: 'https://x:` + inDocument + `@h' }
  c: { host: 'orders:` + inDocument + `@broker', protocol: kafka }
x-keys: { 'amqp://x:` + inDocument + `@h': { $ref: '#/amqp://x:` + inDocument + `@h' } }
`,
		settingsName: "decoySecret: " + inSettings + "\nservers: { a: { upstream: { sasl: { password: " + inSettings + " } } } }\n",
	}))
	for _, format := range report.Formats() {
		code, stdout, stderr := invoke(t, "", "check", "d.yml", "--output", format)
		if code != 1 || stdout == "" {
			t.Fatalf("%s: exit %d", format, code)
		}
		for _, secret := range []string{inDocument, inSettings} {
			if strings.Contains(stdout+stderr, secret) {
				t.Errorf("%s repeats a secret:\n%s%s", format, stdout, stderr)
			}
		}
	}
}

// The lines that a table shows are those of the document, and never those of the settings.
func TestCheckShowsLines(t *testing.T) {
	s := source{}
	s.keep("d.yml", []byte("\ufeffone: 1\r\ntwo: 2\n\nfour: amqp://x:h7Jq2kP9@h"))
	for line, want := range map[int]string{1: "one: 1", 2: "two: 2", 3: "", 4: "", 5: ""} {
		got, ok := s.line("d.yml", line)
		if got != want || ok != (line <= 3) {
			t.Errorf("line %d: %q, %v", line, got, ok)
		}
	}
	s.keep("key.yml", []byte("key: |\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAoAoGCCqGSM49\n"))
	for line := 2; line <= 3; line++ {
		if text, ok := s.line("key.yml", line); ok {
			t.Errorf("a line of a private key: %q", text)
		}
	}
	if _, ok := s.line("asyncgate.yaml", 1); ok {
		t.Error("a line of another file")
	}
	t.Chdir(put(t, map[string]string{"d.yml": soundDocument, settingsName: "admins: alice\n"}))
	_, stdout, _ := invoke(t, "", "check", "d.yml")
	if !strings.Contains(stdout, "settings/wrong-type") || strings.Contains(stdout, "admins: alice") {
		t.Error(stdout)
	}
}

// Files that references name are shown and searched like the document, unless an operator keeps secrets in them.
func TestCheckShowsLinesOfOtherFiles(t *testing.T) {
	const secret = "w8Lr3mQ5"
	t.Chdir(put(t, map[string]string{
		"d.yml": `asyncapi: 3.0.0
info: { title: Files, version: 1.0.0 }
servers:
  a: { $ref: 'servers.yml#/a' }
  b: { $ref: 'asyncgate.yaml#/servers/b' }
  c: { $ref: 'credentials.yaml#/users' }
`,
		"servers.yml":   "a:\n  host: 'h:1'\n  protocol: 9\n  x-see: 'https://x:" + secret + "@h'\n",
		settingsName:    "servers: { b: { listen: [] } }\n",
		credentialsName: "users: [ { name: alice, password: " + secret + " } ]\n",
	}))
	_, stdout, _ := invoke(t, "", "check", "d.yml")
	for _, want := range []string{
		"servers.yml:3:13 error document/wrong-type", "    3 |   protocol: 9\n      |             ^\n", "servers.yml:4:10 warning security/secret-in-document",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	for _, never := range []string{secret, "listen: []", "alice"} {
		if strings.Contains(stdout, never) {
			t.Errorf("%q in\n%s", never, stdout)
		}
	}
}

// Help shows how, and names the formats.
func TestCheckHelp(t *testing.T) {
	code, stdout, _ := invoke(t, "", "check", "--help")
	for _, want := range []string{"Examples:", "'specs/**/*.yml'", strings.Join(report.Formats(), ","), "Exit codes:"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, stdout)
		}
	}
}

// A person who waits is told what for, and nothing of it stays on the screen.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, began: time.Now(), total: 3}
	p.next("a.yml")
	p.clear()
	if b.Len() > 0 {
		t.Errorf("at once: %q", b.String())
	}
	p.began = time.Now().Add(-time.Hour)
	p.next("b\x1b[2J.yml")
	p.next("c.yml")
	p.clear()
	p.clear()
	if want := "\r\x1b[Kchecking 2 of 3: b\\x1b[2J.yml\r\x1b[Kchecking 3 of 3: c.yml\r\x1b[K"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	if unwatched := newProgress(&environment{stderr: &b}, 3); unwatched.w != nil {
		t.Error("progress in a pipe")
	}
}

// Colours and progress are for terminals: none of it in a pipe.
func TestCheckInAPipeIsPlain(t *testing.T) {
	t.Chdir(put(t, map[string]string{"a.yml": openDocument}))
	code, stdout, stderr := invoke(t, "", "check", "a.yml")
	if code != 1 || strings.Contains(stdout+stderr, "\x1b") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if diff := cmp.Diff("", stderr); diff != "" {
		t.Error(diff)
	}
}
