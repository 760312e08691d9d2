package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
)

const splitDocument = `asyncapi: 3.0.0
info: { title: Split, version: 1.0.0 }
servers: { prod: { $ref: './common/servers.yaml#/prod' } }
channels:
  orders: { $ref: 'channels.json#/orders' }
operations:
  place: { action: send, channel: { $ref: '#/channels/orders' } }
`

// split is a document of four files in a new directory.
func split(t *testing.T) string {
	t.Helper()
	dir := put(t, map[string]string{
		"d.yml":         splitDocument,
		"channels.json": `{ "orders": { "address": "orders" } }`,
	})
	if err := os.Mkdir(filepath.Join(dir, "common"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"servers.yaml": "prod: { host: 'kafka:9092', protocol: kafka-secure, security: [ { $ref: 'schemes.yaml#/scram' } ] }\n",
		"schemes.yaml": "scram: { type: scramSha512 }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "common", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A document of several files is judged as one, and a change in any of them is a reason to reload.
func TestSplitDocument(t *testing.T) {
	dir := split(t)
	p, problems, err := loadPlan(filepath.Join(dir, "d.yml"), "", nil, compile.Options{})
	if err != nil || firstError(problems) != nil {
		t.Fatal(err, problems)
	}
	if len(p.Servers) != 1 || len(p.Servers[0].Rules) != 1 || p.Servers[0].Alternatives[0].All[0].Type != "scramSha512" {
		t.Errorf("%+v", p.Servers)
	}
	for _, name := range []string{"d.yml", "channels.json", "common/servers.yaml", "common/schemes.yaml"} {
		if !slices.Contains(p.Files, filepath.Join(dir, filepath.FromSlash(name))) {
			t.Errorf("a change of %s would not be noticed: %q", name, p.Files)
		}
	}
}

// A fault in another file is shown there, with its line.
func TestFaultInAnotherFile(t *testing.T) {
	dir := split(t)
	path := filepath.Join(dir, "common", "schemes.yaml")
	if err := os.WriteFile(path, []byte("# shared\nscram: { type: scramSHA512 }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := invoke(t, "", "check", filepath.Join(dir, "d.yml"))
	for _, want := range []string{path + ":2:16 error document/unknown-scheme-type", "2 | scram: { type: scramSHA512 }"} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, stdout)
		}
	}
}

// A document from standard input has the working directory as its folder.
func TestReferencesFromStandardInput(t *testing.T) {
	t.Chdir(split(t))
	if code, stdout, stderr := invoke(t, splitDocument, "check", "-"); code != 0 || !strings.Contains(stdout, "orders") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

func TestRemoteReferencesAreOffByDefault(t *testing.T) {
	const document = "asyncapi: 3.0.0\nservers: { $ref: 'https://example.org/servers.yaml' }\n"
	dir := put(t, map[string]string{"d.yml": document})
	code, stdout, _ := invoke(t, "", "check", filepath.Join(dir, "d.yml"))
	if code != 1 || !strings.Contains(stdout, "it is remote") || !strings.Contains(stdout, "--allow-remote example.org") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	for _, command := range []string{"check", "run", "init"} {
		code, _, stderr := invoke(t, "", command, "--allow-remote", "ftp://example.org/", filepath.Join(dir, "d.yml"))
		if code != exitUsage || !strings.Contains(stderr, "--allow-remote") {
			t.Errorf("%s: exit %d, %s", command, code, stderr)
		}
	}
}

// A file that was missing when a reload failed is waited for.
func TestReloadWaitsForAMissingFile(t *testing.T) {
	dir := split(t)
	path := filepath.Join(dir, "common", "schemes.yaml")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r := &reloader{gateway: &reloads{}, files: []string{filepath.Join(dir, "d.yml")}}
	r.load = func() (*plan.Plan, []plan.Problem, error) {
		return loadPlan(filepath.Join(dir, "d.yml"), "", nil, compile.Options{})
	}
	r.reload()
	if !slices.Contains(r.files, path) || r.seen[path] == "" {
		t.Errorf("%s is not looked at: %q", path, r.files)
	}
}
