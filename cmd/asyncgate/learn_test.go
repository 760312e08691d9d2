package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proposal"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/topic"
)

// update is not called so on the command line: a library that demo is built of has taken the name.
var update = flag.Bool("golden", false, "write the proposals of testdata/learn anew")

// Each folder has a document, its settings if there are any, and a record; and what comes of them: the proposal, and what is
// said beside it.
func TestLearnProposes(t *testing.T) {
	folders, err := filepath.Glob("testdata/learn/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no cases", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Chdir(folder)
			more, _ := os.ReadFile("arguments.txt") // of this case, one a line
			args := append([]string{"learn", "document.yml", "--from", "record.json"}, strings.Fields(string(more))...)
			code, proposed, said := invoke(t, "", args...)
			if code != exitOK {
				t.Fatalf("exit %d: %s", code, said)
			}
			golden(t, "proposed.yml", proposed)
			golden(t, "said.txt", said)
			for range 3 {
				if _, again, _ := invoke(t, "", append(args, "--from", "record.json")...); again != proposed {
					t.Errorf("the same record twice makes another proposal:\n%s", cmp.Diff(proposed, again))
				}
			}
			exactly(t, said)
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		overwrite(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// grantsOf are the lines of the grants in the comment of a proposal.
func grantsOf(proposed string) string {
	var b strings.Builder
	inside := false
	for text := range strings.Lines(proposed) {
		text, comment := strings.CutPrefix(text, "# ")
		if inside = comment && (inside || text == "grants:\n"); inside {
			b.WriteString(text)
		}
	}
	return b.String()
}

// exactly holds the proposal in the working directory, with its grants, to the record: check accepts it, and what is allowed
// that was not is what was observed and not left out, for every principal, action and name of the record and some more.
func exactly(t *testing.T, said string) {
	t.Helper()
	settings, _ := os.ReadFile("asyncgate.yaml")
	proposed, err := os.ReadFile("proposed.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := put(t, map[string]string{"proposed.yml": string(proposed), "asyncgate.yaml": string(settings) + grantsOf(string(proposed))})
	if code, out, errs := invoke(t, "", "check", "proposed.yml"); code != exitOK && !strings.Contains(out, " error settings/") {
		t.Errorf("check: exit %d: %s%s", code, out, errs)
	}
	before, after := decided(t, "document.yml"), decided(t, filepath.Join(dir, "proposed.yml"))
	data, err := os.ReadFile("record.json")
	if err != nil {
		t.Fatal(err)
	}
	var record proposal.Record
	record.Read("record.json", data)
	principals, names := map[string]bool{"stranger": true}, map[string]bool{"unheard": true, "unheard.of/it": true}
	var wanted []proposal.Seen
	for s := range record.All() {
		principals[s.Principal], names[s.Name] = true, true
		names[s.Name+".x"], names[s.Name+"/x"], names[strings.ReplaceAll(s.Name, "+", "y")] = true, true, true
		if s.Name != "*" && !strings.Contains(said, "left out: "+s.String()+":") { // * is any topic, and no name
			wanted = append(wanted, s)
		}
	}
	if len(before) != len(after) {
		t.Fatalf("%d servers before, %d after", len(before), len(after))
	}
	for _, server := range slices.Sorted(maps.Keys(before)) {
		for who := range principals {
			old, now := before[server].Subject(nil, &sasl.Principal{Name: who}), after[server].Subject(nil, &sasl.Principal{Name: who})
			for name := range names {
				for _, a := range []plan.Action{plan.Produce, plan.Consume, plan.Create, plan.Delete, plan.Use} {
					for _, kind := range []policy.Kind{policy.Topic, policy.Group, policy.Transaction} {
						r := policy.Resource{Kind: kind, Name: name}
						asked := slices.ContainsFunc(wanted, func(s proposal.Seen) bool { return covered(&s, server, who, a, r) })
						was, is := old.Decide(a, r), now.Decide(a, r)
						if is.Allowed != (was.Allowed || asked) {
							t.Errorf("%s on %s: %s %s:%q is %v (%s), was %v, observed %v", who, server, a, kind, name, is.Allowed, is.Reason, was.Allowed, asked)
						}
					}
				}
			}
		}
	}
}

// covered reports whether something is part of what was observed. Topics are for everybody on the server where an operation
// allows them, and for one principal on every server where a grant does.
func covered(s *proposal.Seen, server, who string, action plan.Action, r policy.Resource) bool {
	if s.Kind != r.Kind.String() {
		return false
	}
	if s.Kind != policy.Topic.String() {
		return s.Principal == who && s.Name == r.Name && (action == plan.Use || action == plan.Produce || action == plan.Consume || action == plan.Delete)
	}
	filter := s.Name
	if _, inner, shared := topic.Unshare(filter); shared {
		filter = inner
	}
	name := r.Name
	if action == plan.Consume {
		_, name, _ = topic.Unshare(name)
	}
	empty := strings.Contains("/"+name+"/", "//") // no parameter stands for an empty level
	same := s.Action == action && (filter == name || !empty && action == plan.Consume && topic.CheckFilter(filter) == nil && topic.CheckFilter(name) == nil && topic.Covers(filter, name))
	if s.Action == plan.Create || s.Action == plan.Delete {
		return same && s.Principal == who
	}
	if strings.HasSuffix(s.Name, "/#") && s.Principal != who {
		return false
	}
	return same && s.Server == server
}

// decided are the rules of every server of a document.
func decided(t *testing.T, path string) map[string]*policy.Rules {
	t.Helper()
	p, problems, err := loadPlan(path, "", nil, compile.Options{Decisions: true})
	if err != nil || worst(problems) != exitOK {
		t.Fatal(err, problems)
	}
	all := map[string]*policy.Rules{}
	for i := range p.Servers {
		if all[p.Servers[i].Name], err = policy.Compile(p, &p.Servers[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestLearnRefuses(t *testing.T) {
	const good = `{"observed":[{"server":"a","principal":"p","action":"produce","resource":"topic:n","count":1}],"lost":0}`
	dir := put(t, map[string]string{
		"sound.yml": soundDocument, "open.yml": openDocument, "good.json": good, "words.log": "no\nrecords\n", "empty.log": "", "there.yml": "",
		"split.yml":  soundDocument + "channels: {c: {$ref: 'c.yml'}}\n",
		"c.yml":      "address: c\n",
		"2.6.yml":    "asyncapi: 2.6.0\ninfo: {title: t, version: '1'}\nservers: {a: {url: 'h:1000', protocol: kafka-secure, security: [{s: []}]}}\nchannels: {}\ncomponents: {securitySchemes: {s: {type: scramSha512}}}\n",
		"alias.yml":  "x-none: &none {}\n" + soundDocument + "channels: *none\n",
		"large.json": `{"observed":[` + strings.Repeat(" ", proposal.MaxInput),
	})
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"sound.yml --from good.json", 0, "new operations 1, new channels 1, grants 0, left out 0"},
		{"sound.yml --from empty.log", 0, "observations 0"},
		{"sound.yml", 2, "--from"},
		{"none.yml --from good.json", 2, "none.yml"},
		{"sound.yml --from none.json", 2, "none.json"},
		{"sound.yml --from good.json --output there.yml", 2, "there.yml"},
		{"sound.yml --from large.json", 2, "more than 64 MiB"},
		{"sound.yml --from http://127.0.0.1:1", 3, "refused"},
		{"open.yml --from good.json", 1, "security/"},
		{"sound.yml --from words.log", 1, "words.log:1: not a JSON record"},
		{"split.yml --from good.json", 1, "refers to other files"},
		{"2.6.yml --from good.json", 1, "perspective"},
		{"alias.yml --from good.json", 1, "channels is an alias"},
		{"sound.yml --from good.json --template n", 2, `template "n" has no parameter; write {name} for what varies`},
		{"sound.yml --from good.json --template n{a", 2, "a brace without its other half"},
		{"sound.yml --from good.json --template {}", 2, `"" is no name of a parameter`},
		{"sound.yml --from good.json --template {a}_{a}", 2, "two parameters are called a"},
		{"sound.yml --from good.json --template m{a}", 0, "nothing that is proposed has that shape"},
	} {
		args := strings.Fields(c.args)
		for i, a := range args {
			if strings.Contains(a, ".") && !strings.Contains(a, ":") {
				args[i] = filepath.Join(dir, a)
			}
		}
		if code, out, errs := invoke(t, "", append([]string{"learn"}, args...)...); code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d, want %d: %s%s", c.args, code, c.code, out, errs)
		}
	}
	out := filepath.Join(dir, "new.yml")
	if code, _, errs := invoke(t, good, "learn", filepath.Join(dir, "sound.yml"), "--from", "-", "--output", out); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	if data, err := os.ReadFile(out); err != nil || !strings.Contains(string(data), "address: n\n") {
		t.Errorf("%v: %s", err, data)
	}
}

// Five thousand names that agree in all that a channel's name has of them.
func TestLearnIsQuickWithManyNames(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `{"observed":[{"server":"a","principal":"p","action":"produce","resource":"topic:%s.%d"}]}`+"\n", strings.Repeat("n", 70), i)
	}
	dir := put(t, map[string]string{"sound.yml": soundDocument})
	for _, c := range []struct{ template, says string }{
		{"none.{n}", "new operations 5000, new channels 5000"},
		{strings.Repeat("n", 70) + ".{number}", "new operations 1, new channels 1"},
	} {
		code, _, errs := invoke(t, b.String(), "learn", filepath.Join(dir, "sound.yml"), "--from", "-", "--template", c.template)
		if code != exitOK || !strings.Contains(errs, c.says) {
			t.Errorf("template %s: exit %d: %s", c.template, code, errs)
		}
	}
}
