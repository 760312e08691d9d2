package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// address compiles "orders.{region}" into segments; the parameters are looked up by name, and are not narrowed if they are
// not there.
func address(text string, parameters ...plan.Parameter) []plan.Segment {
	var segments []plan.Segment
	for text != "" {
		literal, rest, found := strings.Cut(text, "{")
		if literal != "" {
			segments = append(segments, plan.Segment{Literal: literal})
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		p := plan.Parameter{Name: name}
		if i := slices.IndexFunc(parameters, func(p plan.Parameter) bool { return p.Name == name }); i >= 0 {
			p = parameters[i]
		}
		segments = append(segments, plan.Segment{Parameter: &p})
		text = after
	}
	return segments
}

func allow(action plan.Action, text string, parameters ...plan.Parameter) plan.Rule {
	return plan.Rule{Action: action, Address: text, Operation: string(action) + " " + text, File: "doc.yml", Line: 1,
		Segments: address(text, parameters...)}
}

var (
	scram   = plan.Requirement{Scheme: "scram", Type: "scramSha512", Mechanisms: []string{sasl.ScramSHA512}}
	plainly = plan.Requirement{Scheme: "plain", Type: "plain", Mechanisms: []string{sasl.Plain}}
	byCert  = plan.Requirement{Scheme: "cert", Type: "X509", Mechanisms: []string{sasl.External}}
)

func way(all ...plan.Requirement) plan.Alternative { return plan.Alternative{Enabled: true, All: all} }

func withScopes(r plan.Requirement, scopes ...string) plan.Requirement { r.Scopes = scopes; return r }

func secured(r plan.Rule, ways ...plan.Alternative) plan.Rule {
	r.Stated, r.Alternatives = true, ways
	return r
}

func grouped(r plan.Rule, v plan.Values) plan.Rule { r.Narrow.GroupID = &v; return r }

func user(name string, scopes ...string) *sasl.Principal {
	return &sasl.Principal{Name: name, Mechanism: sasl.ScramSHA512, Kind: sasl.KindUser, Scopes: scopes,
		Attributes: map[string]string{"tenant": "acme"}}
}

func certified(name string) *sasl.Principal {
	return &sasl.Principal{Name: name, Mechanism: sasl.External, Kind: sasl.KindCertificate}
}

func compiled(t testing.TB, p *plan.Plan, protocol string, rules ...plan.Rule) *Rules {
	t.Helper()
	server := &plan.Server{Name: "s", Protocol: protocol, Rules: rules,
		Alternatives: []plan.Alternative{way(scram), way(byCert)}}
	r, err := Compile(p, server)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// question as a test writes it: "produce topic:orders.eu", "use group:x", "consume topic:orders as group-1".
func asked(text string) (plan.Action, Resource) {
	action, rest, _ := strings.Cut(text, " ")
	resource, group, _ := strings.Cut(rest, " as ")
	kind, name, _ := strings.Cut(resource, ":")
	kinds := map[string]Kind{"topic": Topic, "group": Group, "transaction": Transaction}
	return plan.Action(action), Resource{Kind: kinds[kind], Name: name, Group: group}
}

func TestKafkaDecisions(t *testing.T) {
	p := &plan.Plan{Admins: []string{"ops"}, Grants: []plan.Grant{
		{Principal: "bob", Kind: "topic", Prefix: "retry.", Actions: []plan.Action{Produce, Consume}, Line: 1},
		{Principal: "bob", Kind: "topic", Name: "new", Actions: []plan.Action{Create}},
		{Principal: "bob", Kind: "group", Prefix: "team-"},
		{Principal: "*", Kind: "transaction", Name: "shared"},
		{Principal: "*", Kind: "topic", Prefix: "__"},
		{Principal: "bob", Kind: "topic", Prefix: "__deb", Actions: []plan.Action{Consume}},
		{Principal: "bob", Kind: "topic", Name: "__debezium", Actions: []plan.Action{Consume}},
		{Principal: "bob", Kind: "topic", Name: "__consumer_offsets", Actions: []plan.Action{Consume}},
		{Principal: "bob", Kind: "topic", Name: "nothing"},
	}}
	r := compiled(t, p, "kafka",
		allow(Produce, "orders.{region}", plan.Parameter{Name: "region", Enum: []string{"eu", "us"}}),
		allow(Consume, "events.{id}.done"),
		allow(Consume, "dotted.{path}", plan.Parameter{Name: "path", Dots: true}),
		allow(Produce, "device.{id}.up", plan.Parameter{Name: "id", Principal: "name"}),
		allow(Produce, "{tenant}.in", plan.Parameter{Name: "tenant", Principal: "tenant"}),
		allow(Consume, "n-{n}-{m}", plan.Parameter{Name: "n", Integer: true}),
		allow(Consume, "v{v}", plan.Parameter{Name: "v", Pattern: "^[a-c]+$", MinLength: 2, MaxLength: 3}),
		allow(Consume, "{anything}x"),
		secured(allow(Consume, "by.certificate"), way(byCert)),
		secured(allow(Consume, "by.scope"), way(withScopes(scram, "read")), way(plainly)),
		secured(allow(Consume, "by.nobody"), plan.Alternative{All: []plan.Requirement{scram}}),
		secured(allow(Consume, "by.no-way")),
		grouped(allow(Consume, "bound.topic"), plan.Values{Enum: []string{"analytics"}}),
		grouped(allow(Consume, "bound.pattern"), plan.Values{Pattern: "^etl-[0-9]+$"}),
	)
	for _, c := range []struct {
		who     *sasl.Principal
		allowed string
		denied  string
	}{
		{user("alice"), `
			produce topic:orders.eu
			produce topic:orders.us
			describe topic:orders.us
			consume topic:events.7.done
			consume topic:events.a_b-c.done
			consume topic:dotted.a.b.c
			produce topic:device.alice.up
			produce topic:acme.in
			consume topic:n-12-x
			consume topic:n--12-x-y
			consume topic:vab
			consume topic:plainx
			use group:alice
			use group:alice.a
			use group:alice-a
			use transaction:alice-1
			use transaction:shared
			consume topic:bound.topic as analytics
			consume topic:bound.topic
			use group:analytics
			use group:etl-7
			consume topic:bound.pattern as etl-7`, `
			produce topic:orders
			produce topic:orders.
			produce topic:orders.asia
			produce topic:orders.eu.payroll
			produce topic:Orders.eu
			consume topic:orders.eu
			create topic:orders.eu
			delete topic:orders.eu
			produce topic:
			produce topic:orders.eu` + "\x00" + `
			produce topic:orders.` + "\u0435\u0075" + `
			consume topic:events..done
			consume topic:events.7.7.done
			consume topic:events.7.done.x
			describe topic:events.7
			consume topic:dotted.
			consume topic:dotted
			produce topic:device.bob.up
			produce topic:device.alice-2.up
			produce topic:other.in
			consume topic:n-y-1
			consume topic:n-1-
			consume topic:.
			consume topic:..
			consume topic:__consumer_offsets
			consume topic:__anythingx
			describe topic:__transaction_state
			consume topic:a*x
			consume topic:` + strings.Repeat("a", 249) + `x
			consume topic:by.certificate
			consume topic:by.scope
			consume topic:by.nobody
			consume topic:by.no-way
			use group:alicex
			use group:alic
			use group:ALICE
			use group:team-1
			use group:
			use group:analytics2
			use group:etl-
			use transaction:bob
			use transaction:shared2
			consume topic:bound.topic as alice
			consume topic:bound.pattern as analytics
			consume topic:retry.x
			alter topic:orders.eu`},
		{user("bob", "read"), `
			consume topic:by.scope
			produce topic:retry.x.y
			consume topic:retry.x
			describe topic:retry.x
			create topic:new
			describe topic:new
			use group:team-1
			describe group:team-1
			delete group:team-1
			consume topic:__debezium
			produce topic:device.bob.up`, `
			produce topic:retry
			produce topic:new
			delete topic:retry.x
			consume topic:__debugx
			consume topic:__consumer_offsets
			describe topic:nothing
			use group:team
			use transaction:team-1`},
		{certified("carol"), `
			consume topic:by.certificate
			use group:carol`, `
			consume topic:by.scope
			produce topic:acme.in`},
		{user("ops"), `
			consume topic:__consumer_offsets
			delete topic:anything
			use group:anyone`, `
			use group:`},
		{&sasl.Principal{Name: Anonymous}, `
			use group:ANONYMOUS-1
			consume topic:plainx`, `
			use group:x
			consume topic:by.certificate`},
		{user("*"), `use group:*-1`, `
			use group:a
			consume topic:retry.x
			produce topic:device.*.up`},
		{user("a.b"), "produce topic:orders.eu", "produce topic:device.a.b.up"},
	} {
		s := r.Subject(nil, c.who)
		for want, texts := range map[bool]string{true: c.allowed, false: c.denied} {
			for _, text := range strings.Split(texts, "\n") {
				text = strings.TrimLeft(text, "\t")
				if text == "" {
					continue
				}
				action, resource := asked(text)
				if d := s.Decide(action, resource); d.Allowed != want {
					t.Errorf("%s: %q: %+v", c.who.Name, text, d)
				} else if d.Reason == "" {
					t.Errorf("%s: %q: no reason", c.who.Name, text)
				}
			}
		}
	}
	exact := strings.Repeat("a", 248) + "x"
	if d := r.Subject(nil, user("alice")).Decide(Consume, Resource{Name: exact}); !d.Allowed {
		t.Errorf("249 characters: %+v", d)
	}
}

func TestDenialNamesTheOperationThatCameNearest(t *testing.T) {
	far := allow(Produce, "orders.eu")
	near := secured(allow(Consume, "orders.{r}"), way(withScopes(scram, "orders:read")))
	near.Line, near.Pointer = 42, "/operations/readOrders"
	s := compiled(t, &plan.Plan{}, "kafka", far, near).Subject(nil, user("alice"))
	d := s.Decide(Consume, Resource{Name: "orders.eu"})
	file, line, pointer := d.Place()
	if d.Allowed || file != "doc.yml" || line != 42 || pointer != "/operations/readOrders" || !strings.Contains(d.Reason, "orders:read") {
		t.Errorf("%+v at %s:%d %s", d, file, line, pointer)
	}
}

func TestCertificateBesideALogin(t *testing.T) {
	rule := secured(allow(Consume, "t"), way(byCert))
	both := secured(allow(Consume, "both"), way(byCert, scram))
	for _, c := range []struct {
		name       string
		requireAll bool
		who        *sasl.Principal
		t, both    bool
	}{
		{"a login replaces the certificate", false, user("alice"), false, false},
		{"both are demanded", true, user("alice"), true, true},
		{"the certificate alone", false, certified("alice"), true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &plan.Server{Protocol: "kafka-secure", RequireAll: c.requireAll, Rules: []plan.Rule{rule, both},
				Alternatives: []plan.Alternative{way(scram), way(byCert)}}
			r, err := Compile(&plan.Plan{}, server)
			if err != nil {
				t.Fatal(err)
			}
			s := r.Subject(certified("alice"), c.who)
			if got := s.Decide(Consume, Resource{Name: "t"}).Allowed; got != c.t {
				t.Errorf("X509: %v", got)
			}
			if got := s.Decide(Consume, Resource{Name: "both"}).Allowed; got != c.both {
				t.Errorf("X509 and SCRAM: %v", got)
			}
		})
	}
}

func TestMayProduce(t *testing.T) {
	tied := allow(Produce, "d.{id}", plan.Parameter{Name: "id", Principal: "serial"})
	for _, c := range []struct {
		name string
		rule plan.Rule
		want bool
	}{
		{"a rule", allow(Produce, "t"), true},
		{"only consumes", allow(Consume, "t"), false},
		{"another scheme", secured(allow(Produce, "t"), way(byCert)), false},
		{"a parameter that the principal cannot meet", tied, false},
	} {
		if got := compiled(t, &plan.Plan{}, "kafka", c.rule).Subject(nil, user("alice")).MayProduce(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	p := &plan.Plan{Grants: []plan.Grant{{Principal: "alice", Kind: "topic", Name: "t", Actions: []plan.Action{Produce}}}}
	if !compiled(t, p, "kafka").Subject(nil, user("alice")).MayProduce() {
		t.Error("a grant")
	}
}

// chance makes addresses of few parts, so that many of them touch.
func chance(r *rand.Rand, separator string) (string, []plan.Parameter) {
	var parts []string
	var parameters []plan.Parameter
	for range 1 + r.IntN(3) {
		name := fmt.Sprint("p", len(parameters))
		switch r.IntN(6) {
		case 0, 1, 2:
			parts = append(parts, []string{"a", "b", "ab"}[r.IntN(3)])
		case 3:
			parts = append(parts, "{"+name+"}")
			parameters = append(parameters, plan.Parameter{Name: name})
		case 4:
			parts = append(parts, "{"+name+"}")
			parameters = append(parameters, plan.Parameter{Name: name, Enum: []string{"a", "b", "ab"}[:1+r.IntN(3)]})
		case 5:
			parts = append(parts, []string{"a{", "{"}[r.IntN(2)]+name+[]string{"}b", "}{x" + name + "}"}[r.IntN(2)])
			parameters = append(parameters, plan.Parameter{Name: name, MaxLength: r.IntN(3)})
		}
	}
	return strings.Join(parts, separator), parameters
}

// naive is the address as a regular expression.
func naive(segments []plan.Segment, class string) *regexp.Regexp {
	var b strings.Builder
	for _, s := range segments {
		switch p := s.Parameter; {
		case p == nil:
			b.WriteString(regexp.QuoteMeta(s.Literal))
		case len(p.Enum) > 0:
			b.WriteString("(" + strings.Join(p.Enum, "|") + ")")
		case p.MaxLength > 0:
			fmt.Fprintf(&b, "%s{1,%d}", class, p.MaxLength)
		default:
			b.WriteString(class + "+")
		}
	}
	return regexp.MustCompile("^(?:" + b.String() + ")$")
}

// names are all names of up to so many parts over a small alphabet.
func names(parts []string, separator string, depth int) []string {
	all := slices.Clone(parts)
	last := parts
	for range depth - 1 {
		var next []string
		for _, name := range last {
			for _, part := range parts {
				next = append(next, name+separator+part)
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

func TestIndexAgreesWithANaiveModel(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 2026))
	all := names([]string{"a", "b", "ab", "aab", "c"}, ".", 3)
	for range 300 {
		var rules []plan.Rule
		var model []*regexp.Regexp
		for range 1 + r.IntN(20) {
			text, parameters := chance(r, ".")
			rule := allow([]plan.Action{Produce, Consume}[r.IntN(2)], text, parameters...)
			rules = append(rules, rule)
			model = append(model, naive(rule.Segments, "[a-zA-Z0-9_-]"))
		}
		s := compiled(t, &plan.Plan{}, "kafka", rules...).Subject(nil, user("alice"))
		for _, name := range all {
			for _, action := range []plan.Action{Produce, Consume, Describe} {
				want := -1
				for i := range rules {
					if (action == Describe || rules[i].Action == action) && model[i].MatchString(name) {
						want = i
						break
					}
				}
				d := s.Decide(action, Resource{Name: name})
				if d.Allowed != (want >= 0) || d.Allowed && d.Rule != &s.rules.server.Rules[want] {
					t.Fatalf("%s %s: %+v, want rule %d of %v", action, name, d, want, rules)
				}
			}
		}
	}
}
