package gatewaytest

import (
	"path/filepath"
	"strings"
	"testing"
)

// Credentials is a credentials file under construction, written by the command itself.
type Credentials struct {
	t    testing.TB
	Path string
}

// NewCredentials begins a credentials file in a temporary directory.
func NewCredentials(t testing.TB) *Credentials {
	t.Helper()
	return &Credentials{t: t, Path: filepath.Join(t.TempDir(), "credentials.yaml")}
}

// User adds a user with a password.
func (c *Credentials) User(name, password string, more ...string) {
	c.t.Helper()
	c.add(password+"\n", append([]string{name, "--password-stdin"}, more...))
}

// Key adds an API key and returns it.
func (c *Credentials) Key(name string, more ...string) string {
	c.t.Helper()
	return strings.TrimSpace(c.add("", append([]string{name, "--kind", "key", "--generate"}, more...)))
}

// Certificate adds a certificate principal, by a rule such as "CN=alice".
func (c *Credentials) Certificate(name, match string, more ...string) {
	c.t.Helper()
	c.add("", append([]string{name, "--kind", "certificate", "--match", match}, more...))
}

func (c *Credentials) add(stdin string, args []string) string {
	c.t.Helper()
	return Command(c.t, stdin, append([]string{"credentials", "--file", c.Path, "add"}, args...)...)
}
