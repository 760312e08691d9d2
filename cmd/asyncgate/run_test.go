package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
)

const runDocument = `asyncapi: 3.0.0
info: {title: t, version: '1'}
servers:
  main: {host: 'localhost:19092', protocol: kafka}
  other: {host: 'localhost:19093', protocol: kafka}
`

const runSettings = `servers:
  main: {listen: '127.0.0.1:0', allowAnonymous: true, upstream: {bootstrap: ['127.0.0.1:1']}}
  other: {listen: '127.0.0.1:0', allowAnonymous: true, upstream: {bootstrap: ['127.0.0.1:1']}}
admin: {listen: '127.0.0.1:0'}
`

// started is a run command at work.
type started struct {
	t      *testing.T
	stderr *syncBuffer
	stop   context.CancelFunc
	code   chan int
}

// syncBuffer is written and read at once.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &started{t: t, stderr: &syncBuffer{}, stop: stop, code: make(chan int, 1)}
	go func() {
		s.code <- run(&environment{ctx: ctx, stdin: strings.NewReader(""), stdout: io.Discard, stderr: s.stderr}, append([]string{"run"}, args...))
	}()
	t.Cleanup(stop)
	return s
}

// record waits for a log record.
func (s *started) record(message string) map[string]any {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		for line := range strings.Lines(s.stderr.String()) {
			var m map[string]any
			if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == message {
				return m
			}
		}
	}
	s.t.Fatalf("no record %q in:\n%s", message, s.stderr.String())
	return nil
}

func (s *started) exit(want int) {
	s.t.Helper()
	select {
	case code := <-s.code:
		if code != want {
			s.t.Errorf("exit %d, want %d:\n%s", code, want, s.stderr.String())
		}
	case <-time.After(30 * time.Second):
		s.t.Fatalf("still running:\n%s", s.stderr.String())
	}
}

// documents writes a document and its settings, and returns the document's path.
func documents(t *testing.T, document, settings string) string {
	t.Helper()
	dir := t.TempDir()
	overwrite(t, filepath.Join(dir, "doc.yaml"), document)
	if settings != "" {
		overwrite(t, filepath.Join(dir, "asyncgate.yaml"), settings)
	}
	return filepath.Join(dir, "doc.yaml")
}

func TestRunServesReloadsAndStops(t *testing.T) {
	doc := documents(t, runDocument, runSettings)
	s := start(t, doc)
	ready := s.record("ready")
	servers := ready["servers"].([]any)
	first := servers[0].(map[string]any)
	if len(servers) != 2 || first["name"] != "main" || strings.HasSuffix(first["listen"].(string), ":0") {
		t.Errorf("ready: %v", ready)
	}
	conn, err := net.Dial("tcp", first["listen"].(string))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := http.Get(fmt.Sprintf("http://%s/readyz", ready["admin"]))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("readyz: %v, %v", answer, err)
	}
	answer.Body.Close()

	overwrite(t, filepath.Join(filepath.Dir(doc), "asyncgate.yaml"), runSettings+"limits: {perAddress: 7}\n")
	s.record("reloaded")
	overwrite(t, filepath.Join(filepath.Dir(doc), "asyncgate.yaml"), runSettings+"nonsense: true\n")
	if failed := s.record("reload failed, the old state stays"); !strings.Contains(failed["error"].(string), "nonsense") {
		t.Errorf("failure: %v", failed)
	}
	s.stop()
	s.exit(exitOK)
}

func TestRunFlagsComeBeforeSettings(t *testing.T) {
	doc := documents(t, runDocument, runSettings)
	s := start(t, doc, "--server", "main", "--listen", "main=127.0.0.1:0", "--advertise", "main=kafka.example.org:9092", "--upstream", "main=k1:9092,k2:9092")
	servers := s.record("ready")["servers"].([]any)
	if len(servers) != 1 || servers[0].(map[string]any)["advertise"] != "kafka.example.org:9092" {
		t.Errorf("ready: %v", servers)
	}
	if upstream := s.record("upstream unavailable"); fmt.Sprint(upstream["bootstrap"]) != "[k1:9092 k2:9092]" {
		t.Errorf("upstream: %v", upstream)
	}
	s.stop()
	s.exit(exitOK)
}

func TestRunExitCodes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	noCredentials := strings.Replace(runSettings, "allowAnonymous: true", "security: [plain], unsafePlaintextCredentials: true", 1)
	for _, c := range []struct {
		name     string
		settings string
		args     []string
		code     int
		says     string
	}{
		{"no document", runSettings, []string{"/nowhere/doc.yaml"}, exitUsage, "no such file"},
		{"no settings", runSettings, []string{"DOC", "-c", "/nowhere/asyncgate.yaml"}, exitUsage, "no such file"},
		{"an unknown flag", runSettings, []string{"DOC", "--no-such-flag"}, exitUsage, "(see asyncgate run --help)"},
		{"an unknown server", runSettings, []string{"DOC", "--server", "none"}, exitUsage, `no server "none"`},
		{"a problem", runSettings + "nonsense: true\n", []string{"DOC"}, exitProblem, "settings/unknown-key"},
		{"a document that needs settings", "", []string{"DOC"}, exitProblem, "asyncgate init DOC writes one"},
		{"credentials that do not load", noCredentials + "credentials: CREDENTIALS\n", []string{"DOC"}, exitProblem, "credentials"},
		{"no credentials yet", noCredentials + "credentials: none.yaml\n", []string{"DOC"}, exitProblem, "asyncgate credentials add NAME --file "},
		{"a port in use", runSettings, []string{"DOC", "--listen", "main=" + taken.Addr().String()}, exitRuntime, "address already in use; end the program that listens there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := filepath.Join(t.TempDir(), "credentials.yaml")
			overwrite(t, broken, "version: 1\nusers: [{name: alice}]\n")
			doc := documents(t, runDocument, strings.ReplaceAll(c.settings, "CREDENTIALS", broken))
			for i := range c.args {
				c.args[i] = strings.ReplaceAll(c.args[i], "DOC", doc)
			}
			s := start(t, c.args...)
			s.exit(c.code)
			if says := strings.ReplaceAll(c.says, "DOC", doc); !strings.Contains(s.stderr.String(), says) {
				t.Errorf("it does not say %q:\n%s", says, s.stderr.String())
			}
		})
	}
}

// A hint is to be followed as it stands.
func TestHintsNameTheSettingsThatThereAre(t *testing.T) {
	dir := put(t, map[string]string{"doc.yml": runDocument, "prod.yaml": "servers: {}\n"})
	s := start(t, filepath.Join(dir, "doc.yml"), "-c", filepath.Join(dir, "prod.yaml"))
	s.exit(exitProblem)
	if said := s.stderr.String(); !strings.Contains(said, "into prod.yaml:") || strings.Contains(said, "asyncgate.yaml") {
		t.Errorf("it says\n%s", said)
	}
}

func TestAuditRecordsAreWrittenAtAnyLevel(t *testing.T) {
	for _, format := range []string{"auto", "json", "console"} {
		var b bytes.Buffer
		log := newLogger(&b, format, "error")
		log.Info("not this")
		log.Named("audit").Info("but this", zap.String("code", "x"))
		log.With(zap.String("server", "main")).Named("audit").Info("and this")
		log.With(zap.String("server", "main")).Info("nor this")
		log.Warn("nor that")
		log.Error("and that")
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "but this") || !strings.Contains(lines[1], "and this") || !strings.Contains(lines[2], "and that") {
			t.Errorf("%s:\n%s", format, b.String())
		}
		if isJSON := json.Valid([]byte(lines[0])); isJSON != (format != "console") {
			t.Errorf("%s: JSON %v", format, isJSON)
		}
	}
}
