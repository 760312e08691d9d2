package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/sasl"
)

// keeper runs `asyncgate credentials` on one file.
type keeper struct {
	*testing.T
	file string
}

func newKeeper(t *testing.T) keeper {
	return keeper{t, filepath.Join(t.TempDir(), "credentials.yaml")}
}

// run wants an exit code, and returns what was printed.
func (k keeper) run(code int, stdin string, args ...string) (stdout, stderr string) {
	k.Helper()
	got, stdout, stderr := invoke(k.T, stdin, append([]string{"credentials", "--file", k.file}, args...)...)
	if got != code {
		k.Errorf("%q: exit %d, not %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

func (k keeper) store() *credentials.Store {
	k.Helper()
	s, err := credentials.Open(k.file)
	if err != nil {
		k.Fatal(err)
	}
	return s
}

// plain tries a user name and password, or key.
func (k keeper) plain(user, password string) sasl.Step {
	k.Helper()
	s := k.store()
	m := sasl.NewPlain(sasl.PlainOptions{Users: true, KeyInPassword: true}, func() sasl.Directory { return s })
	return m.Start(sasl.Peer{}).Next(k.Context(), []byte("\x00"+user+"\x00"+password))
}

func TestCredentialsLifeOfAUser(t *testing.T) {
	k := newKeeper(t)
	first, note := k.run(0, "", "add", "alice", "--generate", "--scope", "orders:read", "--scope", "a,b", "--attribute", "team=x=y", "--expires", "90d")
	if !regexp.MustCompile(`^[A-Za-z0-9]{43}\n$`).MatchString(first) || !strings.HasPrefix(note, "created ") {
		t.Fatalf("printed %q and %q", first, note)
	}
	first = strings.TrimSpace(first)
	p := k.plain("alice", first).Principal
	if p == nil || strings.Join(p.Scopes, "|") != "orders:read|a,b" || p.Attributes["team"] != "x=y" || p.Expires.IsZero() {
		t.Fatalf("%+v", p)
	}
	k.run(1, "", "add", "alice", "--generate")

	second, _ := k.run(0, "", "rotate", "alice", "--generate", "--keep", "24h")
	for _, password := range []string{first, strings.TrimSpace(second)} {
		if step := k.plain("alice", password); step.Principal == nil {
			t.Errorf("after a rotation that keeps: %v", step.Reject)
		}
	}
	k.run(0, "third\n", "rotate", "alice", "--password-stdin")
	if step := k.plain("alice", "third"); step.Principal == nil {
		t.Error(step.Reject)
	}
	if step := k.plain("alice", first); step.Principal != nil {
		t.Error("the first password outlives a rotation that keeps nothing")
	}

	if stdout, _ := k.run(0, "", "revoke", "alice"); stdout != "" {
		t.Errorf("printed %q", stdout)
	}
	if step := k.plain("alice", "third"); step.Reject == nil || step.Reject.Code != sasl.CodeRevoked {
		t.Errorf("%+v", step)
	}
	k.run(1, "", "revoke", "alice")
	k.run(1, "", "rotate", "alice", "--generate")
	k.run(0, "fourth", "add", "alice", "--password-stdin")
	if step := k.plain("alice", "fourth"); step.Principal == nil {
		t.Error(step.Reject)
	}
}

func TestCredentialsLifeOfAKey(t *testing.T) {
	k := newKeeper(t)
	key, _ := k.run(0, "", "add", "billing", "--kind", "key")
	key = strings.TrimSpace(key)
	step := k.plain("whoever", key)
	if step.Principal == nil || step.Principal.Name != "billing" {
		t.Fatalf("%q: %v", key, step.Reject)
	}
	rotated, _ := k.run(0, "", "rotate", "billing")
	if k.plain("x", key).Principal != nil || k.plain("x", strings.TrimSpace(rotated)).Principal == nil {
		t.Error("the rotated key")
	}
	k.run(2, "secret", "rotate", "billing", "--password-stdin")
	k.run(0, "", "add", "billing", "--generate") // a password too
	k.run(2, "", "rotate", "billing", "--generate")
	k.run(0, "", "rotate", "billing", "--kind", "key", "--keep", "7d")
	k.run(0, "", "revoke", "billing", "--kind", "key")
	k.run(1, "", "revoke", "billing", "--kind", "key")
	k.run(0, "", "revoke", "billing")
}

func TestCredentialsCertificates(t *testing.T) {
	k := newKeeper(t)
	if stdout, _ := k.run(0, "", "add", "carol", "--kind", "certificate", "--match", `CN=carol\, jr`, "--match", "URI:spiffe://a/b"); stdout != "" {
		t.Errorf("printed %q", stdout)
	}
	k.run(2, "", "rotate", "carol")
	k.run(2, "", "add", "dave", "--kind", "certificate")
	k.run(2, "", "add", "dave", "--kind", "certificate", "--match", "dave")
	k.run(1, "", "add", "dave", "--kind", "certificate", "--match", "uri:spiffe://a/b") // carol's
	k.run(0, "", "revoke", "carol")
	k.run(0, "", "add", "dave", "--kind", "certificate", "--match", "uri:spiffe://a/b")
}

func TestCredentialsList(t *testing.T) {
	k := newKeeper(t)
	password, _ := k.run(0, "", "add", "alice", "--generate", "--scope", "read")
	key, _ := k.run(0, "", "add", "billing", "--kind", "key", "--expires", "2099-01-31T00:00:00Z")
	k.run(0, "", "add", "alice", "--kind", "certificate", "--match", "CN=alice")
	k.run(0, "", "revoke", "billing")
	file, err := os.ReadFile(k.file)
	if err != nil {
		t.Fatal(err)
	}
	table, _ := k.run(0, "", "list")
	object, _ := k.run(0, "", "list", "--output", "json")
	for _, text := range []string{table, object} {
		for _, secret := range append(regexp.MustCompile(`[A-Za-z0-9+/]{20,}=*`).FindAllString(string(file), -1),
			strings.TrimSpace(password), strings.TrimSpace(key)) {
			if strings.Contains(text, secret) {
				t.Errorf("the list shows %s", secret)
			}
		}
	}
	if lines := strings.Count(table, "\n"); lines != 4 || !strings.Contains(table, "revoked  2099-01-31T00:00:00Z") {
		t.Errorf("%s", table)
	}
	var list struct {
		Credentials []struct {
			Name, Kind, State, ID string
			Scopes, Match         []string
			Mechanisms            []string
		}
	}
	if err := json.Unmarshal([]byte(object), &list); err != nil {
		t.Fatal(err)
	}
	c := list.Credentials
	if len(c) != 3 || c[0].Kind != "user" || c[0].Scopes[0] != "read" || len(c[0].Mechanisms) != 2 || c[1].State != "revoked" ||
		!strings.HasPrefix(key, c[1].ID+"_") || c[2].Match[0] != "CN=alice" || c[2].Scopes == nil {
		t.Errorf("%s", object)
	}
}

func TestCredentialsImport(t *testing.T) {
	const recorded = "../../credentials/testdata/import/"
	k := newKeeper(t)
	_, notes := k.run(0, "", "import", "--format", "kafka-metadata-dump", recorded+"kafka-dump.txt", "--scope", "imported")
	if !strings.Contains(notes, "imported 5 users") {
		t.Error(notes)
	}
	if p := k.plain("bob", "bob-secret").Principal; p != nil {
		t.Errorf("%+v", p) // PLAIN takes the SHA-256 verifier, which is of bob's newer password
	}
	if p := k.plain("bob", "bob-new").Principal; p == nil || p.Scopes[0] != "imported" {
		t.Errorf("%+v", p)
	}
	data, err := os.ReadFile(recorded + "postgresql-psql.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, notes = k.run(0, string(data), "import", "--format", "postgresql")
	if !strings.Contains(notes, `"alice" exists: left as they are`) || !strings.Contains(notes, "not ASCII") || !strings.Contains(notes, `role "old" left out`) {
		t.Error(notes)
	}
	k.run(0, string(data), "import", "--format", "postgresql", "--replace", "-")

	before, err := os.ReadFile(k.file)
	if err != nil {
		t.Fatal(err)
	}
	k.run(1, string(data)+"garbage\n", "import", "--format", "postgresql")
	k.run(1, "", "import", "--format", "postgresql")
	k.run(2, "", "import", "--format", "postgresql", k.file+".none")
	k.run(2, "", "import", "--format", "ldif")
	k.run(2, "", "import")
	if _, notes := k.run(1, "", "import", "--format", "kafka-configs", recorded+"kafka-configs-4.x.txt"); !strings.Contains(notes, "kafka-metadata-dump") {
		t.Error(notes)
	}
	after, err := os.ReadFile(k.file)
	if err != nil || string(after) != string(before) {
		t.Error("a refused import changed the file")
	}
}

func TestCredentialsWrongArguments(t *testing.T) {
	k := newKeeper(t)
	for _, c := range []struct {
		stdin string
		args  string
	}{
		{"", "add"},
		{"", "add alice"}, // no terminal to ask at
		{"x", "add alice --password-stdin --generate"},
		{"", "add alice --password-stdin"},
		{"one\ntwo\n", "add alice --password-stdin"},
		{strings.Repeat("x", 1025), "add alice --password-stdin"},
		{"agk_x", "add alice --password-stdin"},
		{"", "add agk_alice --generate"},
		{"", "add alice --generate --kind group"},
		{"", "add alice --generate --match CN=alice"},
		{"", "add alice --kind certificate --generate --match CN=alice"},
		{"x", "add alice --kind key --password-stdin"},
		{"", "add alice --generate --expires soon"},
		{"", "add alice --generate --expires 2001-01-01T00:00:00Z"},
		{"", "add alice --generate --expires -1h"},
		{"", "add alice --generate --iterations 100"},
		{"", "list"}, // no file
		{"", "revoke alice"},
		{"", "rotate alice --generate"},
		{"", "rotate alice --generate --keep soon"},
		{"", "list --output xml"},
		{"", "remove alice"},
	} {
		stdout, stderr := k.run(2, c.stdin, strings.Fields(c.args)...)
		if !strings.Contains(stderr, "asyncgate: ") || strings.Contains(stdout, "agk_") {
			t.Errorf("%s: %q, %q", c.args, stdout, stderr)
		}
		_ = os.Remove(k.file) // where a later check refused, the empty file is there
	}
}

func TestCredentialsFileThatIsRefused(t *testing.T) {
	k := newKeeper(t)
	k.run(0, "", "add", "alice", "--generate")
	if err := os.Chmod(k.file, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"list", "add bob --generate", "rotate alice --generate", "revoke alice"} {
		if stdout, stderr := k.run(1, "", strings.Fields(args)...); stdout != "" || !strings.Contains(stderr, "chmod 600") {
			t.Errorf("%s: %q, %q", args, stdout, stderr)
		}
	}
}
