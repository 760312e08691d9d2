package behaviour_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/test/parts"
)

// differencesPath is the list of all that goes otherwise through the gateway than with the broker alone. Its chapters
// begin with "### " and a title; what follows says why, and the dialogues below that, named TOPIC/NAME, are how they go
// through the gateway.
const differencesPath = "testdata/differences.list"

// unexplained is where -update puts what it finds new. The list is not good as long as it has this chapter.
const unexplained = "Not explained yet"

// differences are the chapters of the list.
type differences []*chapter

func readDifferences(t testing.TB) differences {
	t.Helper()
	text, err := os.ReadFile(differencesPath)
	if err != nil {
		t.Fatal(err)
	}
	var list differences
	for _, part := range strings.Split("\n"+string(text), "\n### ")[1:] {
		title, rest, _ := strings.Cut(part, "\n")
		c, err := parse(title, rest)
		if err != nil {
			t.Fatalf("%s: %v", differencesPath, err)
		}
		list = append(list, c)
	}
	return list
}

func (l differences) String() string {
	var all []string
	for _, c := range l {
		all = append(all, "### "+c.title+"\n"+c.String())
	}
	return strings.Join(all, "\n")
}

// of is how a dialogue goes through the gateway, if it goes otherwise than with the broker.
func (l differences) of(name string) *script {
	for _, c := range l {
		for _, s := range c.scripts {
			if s.name == name {
				return s
			}
		}
	}
	return nil
}

// set notes how a dialogue goes through the gateway: in its chapter, or in the last one if it is new.
func (l *differences) set(name string, as *script) {
	named := &script{name: name, lines: as.lines}
	for _, c := range *l {
		for i, s := range c.scripts {
			if s.name == name {
				named.comments = s.comments
				c.scripts[i] = named
				return
			}
		}
	}
	if len(*l) == 0 || (*l)[len(*l)-1].title != unexplained {
		*l = append(*l, &chapter{title: unexplained})
	}
	last := (*l)[len(*l)-1]
	last.scripts = append(last.scripts, named)
}

// drop forgets a dialogue that goes through the gateway as with the broker.
func (l *differences) drop(name string) {
	for _, c := range *l {
		c.scripts = slices.DeleteFunc(c.scripts, func(s *script) bool { return s.name == name })
	}
	*l = slices.DeleteFunc(*l, func(c *chapter) bool { return len(c.scripts) == 0 })
}

// recorded are all dialogues with the broker, by TOPIC/NAME.
func recorded(all []*chapter) map[string]*script {
	by := map[string]*script{}
	for _, c := range all {
		for _, s := range c.scripts {
			by[c.title+"/"+s.name] = s
		}
	}
	return by
}

func TestEveryDifferenceIsOfADialogueAndHasAReason(t *testing.T) {
	by, seen := recorded(topics(t)), map[string]bool{}
	for _, c := range readDifferences(t) {
		if c.title == unexplained || len(c.about) == 0 {
			t.Errorf("%s: %q has no reason", differencesPath, c.title)
		}
		for _, s := range c.scripts {
			switch broker := by[s.name]; {
			case broker == nil:
				t.Errorf("%s: there is no dialogue %s", differencesPath, s.name)
			case seen[s.name]:
				t.Errorf("%s: %s is listed twice", differencesPath, s.name)
			case broker.transcript() == s.transcript():
				t.Errorf("%s: %s is no difference", differencesPath, s.name)
			}
			seen[s.name] = true
		}
	}
}

func TestTheDocumentationTellsTheDifferences(t *testing.T) {
	want := documentation(t)
	if *update {
		parts.WriteSection(t, want, "mqtt", "docs", "differences.md")
	}
	if got := parts.Section(t, "mqtt", "docs", "differences.md"); got != want {
		t.Errorf("the part about MQTT of docs/differences.md is not what %s says; go test ./test/behaviour/mqtt -update writes it", differencesPath)
	}
}

// documentation is the part of the page that is made from the list.
func documentation(t testing.TB) string {
	t.Helper()
	by, list, different := recorded(topics(t)), readDifferences(t), 0
	for _, c := range list {
		different += len(c.scripts)
	}
	var b strings.Builder
	fmt.Fprintf(&b, introduction, len(by), len(by)-different, different, len(list))
	for _, c := range list {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| dialogue | Mosquitto | through the gateway |\n|---|---|---|\n", c.title, strings.Join(c.about, "\n"))
		for _, s := range c.scripts {
			if r := by[s.name]; r != nil {
				broker, gateway := apart(r, s)
				fmt.Fprintf(&b, "| %s | %s | %s |\n", s.name, broker, gateway)
			}
		}
	}
	return b.String()
}

const introduction = `
A session through the gateway is what it is with the broker alone: quality of service, retained messages, wills, topic
aliases, subscription identifiers, shared subscriptions, expiry, flow control, queues for clients that are away,
take-over. That is held by %d dialogues, over raw connections and with MQTT 3.1, 3.1.1 and 5, that were recorded with
Mosquitto 2.0 (test/behaviour/mqtt/testdata): %d go through the gateway exactly as without it, %d do not, for the %d
reasons below. A difference that is not on this page fails the tests, and so does an entry that is no longer true.

Tables show the first line that differs; the whole dialogues are in the list.
`

// apart is the first line in which two transcripts differ, as a table shows it.
func apart(one, other *script) (string, string) {
	for i := range min(len(one.lines), len(other.lines)) {
		if one.lines[i] != other.lines[i] {
			return cell(one.lines[i]), cell(other.lines[i])
		}
	}
	return cell(strings.Join(one.lines[min(len(one.lines), len(other.lines)):], "; ")),
		cell(strings.Join(other.lines[min(len(one.lines), len(other.lines)):], "; "))
}

// cell fits a line of a transcript into a table.
func cell(line string) string {
	if line == "" {
		return "–"
	}
	if len(line) > 160 {
		line = line[:150] + " …"
	}
	return "`" + strings.ReplaceAll(line, "|", "\\|") + "`"
}
