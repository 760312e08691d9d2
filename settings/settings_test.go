package settings_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// Every way to write settings wrong, and what the person who wrote them is told. No message shows a secret.
func TestProblems(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/problems.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			set, problems := settings.Parse("asyncgate.yaml", []byte(c.Part(cases.Input)), "/etc/asyncgate")
			if set == nil {
				t.Fatal("no settings")
			}
			var b strings.Builder
			for _, p := range problems {
				if p.Severity != plan.Error || p.File != "asyncgate.yaml" {
					t.Errorf("%+v", p)
				}
				fmt.Fprintf(&b, "%d:%d %s %s\n  %s\n", p.Line, p.Column, p.Code, p.Pointer, p.Message)
				if p.Hint != "" {
					fmt.Fprintf(&b, "  hint: %s\n", p.Hint)
				}
			}
			if strings.Contains(b.String(), "hunter2") {
				t.Error("a message shows the secret")
			}
			c.Expect(t, "problems", b.String())
		})
	}
}

func value[T any](v T, line, column int, pointer string) settings.Value[T] {
	return settings.Value[T]{At: settings.At{Line: line, Column: column, Pointer: pointer}, V: v}
}

// Every key there is, with its place.
func TestLoadReadsEveryKey(t *testing.T) {
	set, problems := settings.Load("testdata/full.yaml")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "gw.pem"); set.Servers[0].TLS.Certificate.V != want {
		t.Errorf("a relative path is %s, not %s", set.Servers[0].TLS.Certificate.V, want)
	}
	s := set.Server("scram-connections")
	for _, check := range []struct{ got, want any }{
		{set.Credentials, value(filepath.Join(dir, "credentials.yaml"), 24, 14, "/credentials")},
		{set.DecoySecret.V, plan.Secret("file:" + filepath.Join(dir, "decoy.key"))},
		{set.Admins, []settings.Value[string]{value("ops", 26, 10, "/admins/0")}},
		{set.Admin, value("127.0.0.1:9600", 29, 18, "/admin/listen")},
		{s.Enabled, value(true, 4, 14, "/servers/scram-connections/enabled")},
		{s.Listen, value(":18092", 5, 13, "/servers/scram-connections/listen")},
		{s.Advertise.V, plan.Address{Host: "kafka.example.org", Port: 18092}},
		{s.Upstream.Bootstrap[1].V, "kafka-2:9092"},
		{s.Upstream.TLS.ServerName.V, "kafka"},
		{s.Upstream.SASL.Password.V, plan.Secret("env:GATEWAY_PASSWORD")},
		{[]any{s.Brokers.First, s.Brokers.Last, s.Brokers.FirstID.V}, []any{uint16(18093), uint16(18192), int32(1)}},
		{s.Variables[1].V, "9093"},
		{s.Security.V[1].In, "password"},
		{s.Mechanisms[0].V, "SCRAM-SHA-512"},
		{[]bool{s.RequireAll.V, s.AllowAnonymous.V, s.UnsafePlaintextCredentials.V, s.ProxyProtocol.V}, []bool{true, false, true, true}},
		{s.MaxSession.V, time.Hour},
		{[]any{set.Enforce.V, set.Perspective.V}, []any{plan.Operations, settings.Counterparty}},
		{set.Grants[0].Actions, []plan.Action{plan.Produce, plan.Consume, plan.Create, plan.Delete}},
		{[]string{set.Grants[0].Kind, set.Grants[0].Prefix, set.Grants[0].Name}, []string{"topic", "orders.", ""}},
		{[]string{set.Grants[1].Principal.V, set.Grants[1].Kind, set.Grants[1].Name}, []string{"*", "group", "shared"}},
		{set.Server("mtls-connections").Parameters[0].Principal.V, "name"},
		{set.Server("mtls-connections").Parameters[1].Dots.V, true},
		{set.Server("mtls-connections").Brokers.SNI.V, "broker-{id}.kafka.example.org"},
		{set.Server("mtls-connections").Upstream.SASL.Token.Scopes[0].V, "kafka"},
		{set.Issuers[0].Audiences[1].V, "lights"},
		{set.Issuers[0].Required[0].Values, []string{"app", "web"}},
		{len(set.Issuers[0].Required[1].Values), 0},
		{set.Issuers[0].Introspection.Recheck, 30 * time.Second},
		{set.Issuers[1].Keys.V, filepath.Join(dir, "keys.json")},
		{set.Issuers[2].JWKS.V, "http://localhost:8080/keys"},
		{set.Limits, plan.Limits{
			Handshake: 5 * time.Second, Idle: 10 * time.Minute, PreAuthFrame: 32 << 10, Frame: 1 << 20, Connections: 1,
			PerAddress: 2, PerPrincipal: 3, AcceptRate: 4, Drain: 0,
			ExemptClients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
		}},
	} {
		if diff := cmp.Diff(check.want, check.got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLoadSaysNothingMeansDefaults(t *testing.T) {
	set, problems := settings.Parse("s.yaml", nil, "/")
	if len(problems) > 0 || !cmp.Equal(set.Limits, plan.DefaultLimits()) {
		t.Error(set, problems)
	}
}

func TestLoadOfAFileThatIsNotThere(t *testing.T) {
	set, problems := settings.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if set == nil || len(problems) != 1 || problems[0].Code != "settings/unreadable" {
		t.Error(set, problems)
	}
}

// hostile are files that a naive reader spends minutes or gigabytes on, and the code of the one problem each gets.
var hostile = []struct{ name, code, data string }{
	{"2 MiB", "settings/too-large", strings.Repeat("# comment\n", 200_000)},
	{"brackets", "settings/syntax", strings.Repeat("[", 10_000)},
	{"braces", "settings/syntax", "servers: " + strings.Repeat("{a: ", 10_000)},
	{"aliases", "settings/too-large", bomb()},
	{"an alias within its own anchor", "settings/wrong-type", "servers: &a {x: {variables: *a}}"},
	{"bytes that are no UTF-8", "settings/syntax", "a: \xff"},
}

// bomb is a list of 400 servers, each the same list of 400 variables.
func bomb() string {
	var b strings.Builder
	b.WriteString("servers:\n  s: &s\n    variables:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "      v%d: x\n", i)
	}
	for i := range 400 {
		fmt.Fprintf(&b, "  s%d: *s\n", i)
	}
	return b.String()
}

func TestHostileSettingsEndFast(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			start := time.Now()
			_, problems := settings.Parse("s.yaml", []byte(h.data), "/")
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if len(problems) == 0 || problems[0].Code != h.code {
				t.Errorf("want %s, got %v", h.code, problems)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, h := range hostile {
		if len(h.data) < 10_000 {
			f.Add([]byte(h.data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, problems := settings.Parse("s.yaml", data, "/etc")
		if set == nil {
			t.Fatal("no settings")
		}
		for _, p := range problems {
			if p.Message == "" || p.Code == "" || strings.Contains(p.Message, "\n") {
				t.Errorf("%+v", p)
			}
		}
	})
}
