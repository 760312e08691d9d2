package compile_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/settings"
)

// Documents and settings as they are written, and the plan and the problems that come of them.
func TestRules(t *testing.T) {
	for _, path := range []string{"testdata/schemes.txt", "testdata/addresses.txt", "testdata/deployment.txt", "testdata/rules.txt", "testdata/mqtt.txt", "testdata/tokens.txt"} {
		for _, c := range cases.Load(t, path).Cases {
			t.Run(c.Name, func(t *testing.T) {
				p, problems := compiled(t, c)
				if path == "testdata/rules.txt" {
					problems = slices.DeleteFunc(problems, lacking)
				}
				c.Expect(t, "plan", summary(p))
				c.Expect(t, "problems", listing(problems))
			})
		}
	}
}

// lacking are problems of a deployment that is not what a case is about.
func lacking(p plan.Problem) bool { return strings.HasPrefix(p.Code, "settings/no-") }

// compiled runs a case. The part "settings" may be absent; "options" has lines such as "only a" or "upstream a=b:1".
func compiled(t *testing.T, c *cases.Case) (*plan.Plan, []plan.Problem) {
	t.Helper()
	doc, read := asyncapi.Read("document.yml", []byte(c.Part(cases.Input)))
	if doc == nil {
		t.Fatalf("the document cannot be read: %v", read)
	}
	opt := options(t, c.Part("options"))
	var set *settings.Settings
	var found []plan.Problem
	if c.Has("settings") {
		set, found = settings.Parse("asyncgate.yaml", []byte(c.Part("settings")), "/etc/asyncgate")
	}
	p, problems := compile.Compile(doc, set, opt)
	return p, append(append(compile.Found(doc, p, read), found...), problems...)
}

func options(t *testing.T, text string) compile.Options {
	t.Helper()
	opt := compile.Options{Listen: map[string]string{}, Advertise: map[string]string{}, Upstream: map[string][]string{}}
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch word {
		case "only":
			opt.Only = append(opt.Only, name)
		case "listen":
			opt.Listen[name] = value
		case "advertise":
			opt.Advertise[name] = value
		case "upstream":
			opt.Upstream[name] = strings.Split(value, ",")
		case "deployment":
			opt.Deployment = true
		case "missing":
			opt.Stat = func(path string) error {
				if path == name {
					return errors.New("no such file or directory")
				}
				return nil
			}
		default:
			t.Fatalf("option %q", line)
		}
	}
	return opt
}

// summary is a plan in a few lines, with what a case is usually about.
func summary(p *plan.Plan) string {
	var b strings.Builder
	for _, s := range p.Servers {
		if !s.Enforced {
			fmt.Fprintf(&b, "%s: not enforced, %s", s.Name, s.Note)
		} else {
			fmt.Fprintf(&b, "%s: listen %s, dial %s:%d, %s", s.Name, s.Listen, s.Advertise.Host, s.Advertise.Port, behind(s))
			if s.SharesListener != "" {
				fmt.Fprintf(&b, ", shares %s", s.SharesListener)
			}
			if s.TLS != nil {
				b.WriteString([]string{", tls", ", tls with optional certificate", ", tls with certificate"}[s.TLS.ClientAuth])
			}
		}
		if s.RequireAll {
			b.WriteString(", all of")
		}
		if s.AllowAnonymous {
			b.WriteString(", anonymous")
		}
		b.WriteString("\n")
		for _, a := range s.Alternatives {
			fmt.Fprintf(&b, "  %s%s\n", map[bool]string{false: "disabled: "}[a.Enabled], requirements(a.All))
		}
		for _, r := range s.Rules {
			b.WriteString("  " + ruleText(r))
		}
	}
	return b.String()
}

// behind is where the brokers of a server are at the gateway, or which broker stands behind an MQTT server.
func behind(s plan.Server) string {
	m := s.MQTT
	if m == nil {
		text := "brokers " + brokers(s.Brokers)
		if id := s.Upstream.Identity; id != "" && id != plan.IdentityService {
			text += " as " + id
		}
		if x := s.Upstream.Exchange; x != nil {
			text += fmt.Sprintf(" for %q %q %q by %s at %s", x.Audiences, x.Resources, x.Scopes, x.ClientID, x.Endpoint)
		}
		return text
	}
	text := "MQTT"
	if m.Only5 {
		text += " 5"
	}
	if m.WebSocket {
		text += fmt.Sprintf(" in WebSocket %q from %v", m.Path, m.Origins)
	}
	if m.ClientIDs != plan.DerivedIDs {
		text += " with ids " + string(m.ClientIDs)
	}
	if u := s.Upstream; len(u.Bootstrap) > 0 {
		text += fmt.Sprintf(" to %s", u.Bootstrap[0])
		if u.TLS != nil {
			text += fmt.Sprintf(" by %q", u.TLS.CA)
		}
		if u.Username != "" || u.Identity != plan.IdentityService {
			text += fmt.Sprintf(" as %s %s %s", u.Identity, u.Username, u.Password)
		}
	}
	return text
}

// ruleText is a rule in a line, and a line for each of its alternatives.
func ruleText(r plan.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s by %s at %d%s%s\n", strings.ToUpper(string(r.Action)), segments(r.Segments), r.Operation, r.Line, r.Pointer, narrow(r.Narrow))
	if r.Stated {
		for _, a := range r.Alternatives {
			fmt.Fprintf(&b, "    %s%s\n", map[bool]string{false: "disabled: "}[a.Enabled], requirements(a.All))
		}
	}
	return b.String()
}

func segments(list []plan.Segment) string {
	var b strings.Builder
	for _, s := range list {
		p := s.Parameter
		if p == nil {
			b.WriteString(s.Literal)
			continue
		}
		b.WriteString("{" + p.Name)
		if p.Enum != nil {
			b.WriteString(" of " + strings.Join(p.Enum, "|"))
		}
		if p.Pattern != "" {
			b.WriteString(" like " + p.Pattern)
		}
		if p.MinLength > 0 || p.MaxLength > 0 {
			fmt.Fprintf(&b, " %d-%d", p.MinLength, p.MaxLength)
		}
		if p.Integer {
			b.WriteString(" integer")
		}
		if p.Dots {
			b.WriteString(" with dots")
		}
		if p.Principal != "" {
			b.WriteString(" = principal's " + p.Principal)
		}
		b.WriteString("}")
	}
	return b.String()
}

func narrow(n plan.Narrow) string {
	out := ""
	if n.GroupID != nil {
		out += fmt.Sprintf(", group %v%s", n.GroupID.Enum, n.GroupID.Pattern)
	}
	if n.ClientID != nil {
		out += fmt.Sprintf(", client %v%s", n.ClientID.Enum, n.ClientID.Pattern)
	}
	if n.QoS != nil {
		out += fmt.Sprintf(", qos %v", n.QoS)
	}
	if n.Retain != nil {
		out += fmt.Sprintf(", retain %v", *n.Retain)
	}
	return out
}

func brokers(b plan.Brokers) string {
	switch {
	case b.SNI != "":
		return b.SNI
	case b.First == 0:
		return "free"
	}
	return fmt.Sprintf("%d-%d from %d", b.First, b.Last, b.FirstID)
}

func requirements(all []plan.Requirement) string {
	var parts []string
	for _, q := range all {
		name := q.Scheme
		if name == "" {
			name = q.Pointer
		}
		part := fmt.Sprintf("%s = %s%s by %v", name, q.Type, map[bool]string{true: " in " + q.In}[q.In != ""], q.Mechanisms)
		if q.Scopes != nil {
			part += fmt.Sprintf(" with %v", q.Scopes)
		}
		if q.Issuers != nil {
			part += fmt.Sprintf(" of %v", q.Issuers)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " and ")
}

func listing(problems []plan.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		if p.Code == "security/operations-not-enforced" {
			continue // in every plan; TestOperationsAreSaidNotToBeEnforced
		}
		fmt.Fprintf(&b, "%s %s:%d:%d %s %s\n  %s\n", p.Severity, p.File, p.Line, p.Column, p.Code, p.Pointer, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", strings.ReplaceAll(p.Hint, "\n", "\n        "))
		}
	}
	return b.String()
}

// TestGolden compiles the specification's own examples, unchanged, with settings and without.
func TestGolden(t *testing.T) {
	documents, err := filepath.Glob("../../asyncapi/testdata/official/*.yml")
	if err != nil || len(documents) == 0 {
		t.Fatal("no documents", err)
	}
	for _, path := range documents {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		golden(t, name, path, nil)
		if data, err := os.ReadFile("testdata/golden/" + name + ".settings.yaml"); err == nil {
			golden(t, name+".with-settings", path, data)
		}
	}
}

func golden(t *testing.T, name, path string, set []byte) {
	t.Run(name, func(t *testing.T) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, read := asyncapi.Read(filepath.Base(path), data)
		if doc == nil {
			t.Fatal(read)
		}
		var s *settings.Settings
		var found []plan.Problem
		if set != nil {
			s, found = settings.Parse("asyncgate.yaml", set, "/etc/asyncgate")
		}
		p, problems := compile.Compile(doc, s, compile.Options{})
		got, err := json.MarshalIndent(struct {
			Plan     *plan.Plan
			Problems []plan.Problem
		}{p, append(append(compile.Found(doc, p, read), found...), problems...)}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := "testdata/golden/" + name + ".plan.json"
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	})
}

func TestOperationsAreSaidNotToBeEnforced(t *testing.T) {
	const document = "asyncapi: 3.0.0\nservers: {a: {host: 'h:1', protocol: kafka-secure, security: [{type: X509}]}}\n"
	doc, _ := asyncapi.Read("d.yml", []byte(document))
	for _, set := range []*settings.Settings{nil, {}} {
		_, problems := compile.Compile(doc, set, compile.Options{})
		said := 0
		for _, p := range problems {
			if p.Code == "security/operations-not-enforced" && p.Severity == plan.Warning {
				said++
			}
		}
		if said != 1 {
			t.Errorf("said %d times, in %v", said, problems)
		}
	}
}

// A plan says what it was made from, so that a change of any of it is noticed.
func TestFilesNamesEverything(t *testing.T) {
	doc, _ := asyncapi.Read("d.yml", []byte("asyncapi: 3.0.0\nservers: {a: {host: 'h:1', protocol: kafka-secure, security: [{type: X509}]}}\n"))
	set, problems := settings.Parse("s.yaml", []byte(`
credentials: c.yaml
decoySecret: file:decoy
servers:
  a:
    tls: { certificate: cert, key: key, clientCA: ca, crl: crl }
    upstream:
      bootstrap: [b:1]
      tls: { ca: up-ca, certificate: up-cert, key: up-key }
      sasl: { mechanism: PLAIN, username: u, password: file:pass }
`), "/x")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p, _ := compile.Compile(doc, set, compile.Options{})
	want := []string{"d.yml", "s.yaml", "/x/c.yaml", "/x/decoy", "/x/cert", "/x/key", "/x/ca", "/x/crl", "/x/up-ca", "/x/up-cert",
		"/x/up-key", "/x/pass"}
	if diff := cmp.Diff(want, p.Files); diff != "" {
		t.Error(diff)
	}
}

// What the binding of a server says of MQTT is in its plan.
func TestMQTTBindingsOfAServer(t *testing.T) {
	doc, problems := asyncapi.Read("d.yml", []byte(`asyncapi: 3.0.0
servers:
  a:
    host: h:8883
    protocol: mqtts
    security: [ { type: userPassword } ]
    bindings: { mqtt: { clientId: guest, cleanSession: false, keepAlive: 60, lastWill: { topic: last, qos: 2, message: gone, retain: true } } }
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p, _ := compile.Compile(doc, nil, compile.Options{})
	no, yes, two, gone := false, true, 2, "gone"
	want := &plan.MQTT{
		ClientIDs: plan.DerivedIDs, ClientID: "guest", CleanSession: &no, KeepAlive: 60,
		LastWill: &plan.LastWill{Topic: "last", QoS: &two, Message: &gone, Retain: &yes},
	}
	if diff := cmp.Diff(want, p.Servers[0].MQTT); diff != "" {
		t.Error(diff)
	}
}
