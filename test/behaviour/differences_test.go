package behaviour_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/parts"
)

// differencesPath is the list of all that the gateway answers otherwise than a broker. Its chapters begin with "### " and
// a title; the comment below says why, and the dialogues below that, named TOPIC/NAME, are how they go with the gateway.
const differencesPath = "testdata/differences.list"

// unexplained is where -update puts what it finds new. The list is not good as long as it has this chapter.
const unexplained = "Not explained yet"

// differences are the chapters of the list.
type differences []*chapter

type chapter struct {
	title string
	*dialogue.File
}

func readDifferences(t testing.TB) differences {
	t.Helper()
	text, err := os.ReadFile(differencesPath)
	if err != nil {
		t.Fatal(err)
	}
	var list differences
	for _, part := range strings.Split("\n"+string(text), "\n### ")[1:] {
		title, rest, _ := strings.Cut(part, "\n")
		file, err := dialogue.Parse(rest)
		if err != nil {
			t.Fatalf("%s: %s: %v", differencesPath, title, err)
		}
		list = append(list, &chapter{title, file})
	}
	return list
}

func (l differences) String() string {
	var b strings.Builder
	for i, c := range l {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n%s", c.title, c.File)
	}
	return b.String()
}

// of is how a dialogue goes with the gateway, if it goes otherwise than with a broker.
func (l differences) of(name string) *dialogue.Dialogue {
	for _, c := range l {
		for _, d := range c.Dialogues {
			if d.Name == name {
				return d
			}
		}
	}
	return nil
}

// set notes how a dialogue goes with the gateway: in its chapter, or in the last one if it is new.
func (l *differences) set(name string, as *dialogue.Dialogue) {
	named := *as
	named.Name, named.Comments = name, nil
	for _, c := range *l {
		for i, d := range c.Dialogues {
			if d.Name == name {
				named.Comments = d.Comments
				c.Dialogues[i] = &named
				return
			}
		}
	}
	if len(*l) == 0 || (*l)[len(*l)-1].title != unexplained {
		*l = append(*l, &chapter{unexplained, &dialogue.File{}})
	}
	last := (*l)[len(*l)-1]
	last.Dialogues = append(last.Dialogues, &named)
}

// drop forgets a dialogue that goes with the gateway as with a broker.
func (l *differences) drop(name string) {
	for _, c := range *l {
		c.Dialogues = slices.DeleteFunc(c.Dialogues, func(d *dialogue.Dialogue) bool { return d.Name == name })
	}
	*l = slices.DeleteFunc(*l, func(c *chapter) bool { return len(c.Dialogues) == 0 })
}

func TestEveryDifferenceIsOfADialogueAndHasAReason(t *testing.T) {
	recorded := map[string]string{}
	for _, f := range topics(t) {
		for _, d := range f.file.Dialogues {
			recorded[f.name+"/"+d.Name] = d.Transcript()
		}
	}
	seen := map[string]bool{}
	for _, c := range readDifferences(t) {
		if c.title == unexplained || len(c.Preamble) == 0 {
			t.Errorf("%s: %q has no reason", differencesPath, c.title)
		}
		for _, d := range c.Dialogues {
			switch transcript, ok := recorded[d.Name]; {
			case !ok:
				t.Errorf("%s: there is no dialogue %s", differencesPath, d.Name)
			case seen[d.Name]:
				t.Errorf("%s: %s is listed twice", differencesPath, d.Name)
			case transcript == d.Transcript():
				t.Errorf("%s: %s is no difference", differencesPath, d.Name)
			}
			seen[d.Name] = true
		}
	}
}

func TestTheDocumentationTellsTheDifferences(t *testing.T) {
	want := documentation(t)
	if *update {
		parts.WriteSection(t, want, "kafka", "docs", "differences.md")
	}
	if got := parts.Section(t, "kafka", "docs", "differences.md"); got != want {
		t.Errorf("the part about Kafka of docs/differences.md is not what %s says; go test ./test/behaviour -update writes it", differencesPath)
	}
}

// documentation is the part of the page that is made from the list.
func documentation(t testing.TB) string {
	t.Helper()
	recorded, count := map[string]*dialogue.Dialogue{}, 0
	for _, f := range topics(t) {
		for _, d := range f.file.Dialogues {
			recorded[f.name+"/"+d.Name] = d
			count++
		}
	}
	list, different := readDifferences(t), 0
	for _, c := range list {
		different += len(c.Dialogues)
	}
	var b strings.Builder
	fmt.Fprintf(&b, introduction, count, count-different, different, len(list))
	for _, c := range list {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| dialogue | a broker | the gateway |\n|---|---|---|\n", c.title, strings.Join(c.Preamble, "\n"))
		for _, d := range c.Dialogues {
			if r := recorded[d.Name]; r != nil {
				broker, gateway := apart(r, d)
				fmt.Fprintf(&b, "| %s | %s | %s |\n", d.Name, broker, gateway)
			}
		}
	}
	return b.String()
}

const introduction = `
To a client the gateway is a broker: it answers every right, wrong, odd and out-of-order login as Apache Kafka does. That
is held by %d recorded dialogues over raw sockets (test/behaviour/testdata): %d go with the gateway exactly as with a
broker, %d do not, for the %d reasons below. A difference that is not on this page fails the tests, and so does an entry
that is no longer true.

Two more cannot be seen in a dialogue, because times are not compared. A broker holds every failed login back for
` + "`connection.failed.authentication.delay.ms`" + ` (100 ms, in fact 300); the gateway answers a first failure at once, and
slows an address down from its fifth within a minute on. And a broker waits for a silent connection until it has been
idle for ten minutes; the gateway ends one that has not logged in at the handshake deadline (` + "`limits.handshake`" + `, 10 s).

Tables show the first line that differs; the whole dialogues are in the list.
`

// apart is the first line in which two transcripts differ, as a table shows it.
func apart(one, other *dialogue.Dialogue) (string, string) {
	a, b := strings.Split(one.Transcript(), "\n"), strings.Split(other.Transcript(), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if _, keys, ok := strings.Cut(a[i], " keys="); ok {
			_, others, _ := strings.Cut(b[i], " keys=")
			return cell("< keys " + missing(keys, others)), cell("< keys " + missing(others, keys))
		}
		return cell(a[i]), cell(b[i])
	}
	return "", ""
}

// missing are the first words of a list, separated by commas, that another one does not have.
func missing(list, other string) string {
	list, _, _ = strings.Cut(list, " ")
	other, _, _ = strings.Cut(other, " ")
	others := strings.Split(other, ",")
	return strings.Join(slices.DeleteFunc(strings.Split(list, ","), func(key string) bool { return slices.Contains(others, key) }), " ")
}

// cell fits a line of a transcript into a table.
func cell(line string) string {
	if strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "+ ") {
		return "no answer"
	}
	line = strings.TrimPrefix(line, "< ")
	if len(line) > 160 {
		line = line[:150] + " …"
	}
	if line == dialogue.Open || line == dialogue.Closed || line == dialogue.Refused {
		return line
	}
	return "`" + strings.ReplaceAll(line, "|", "\\|") + "`"
}
