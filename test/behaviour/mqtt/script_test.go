package behaviour_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script is one dialogue of several clients with a broker, and what it answered:
//
//	a: 5                         client a connects with MQTT 5, as alice; "a: 4 bob" with 3.1.1 as bob, 3 is MQTT 3.1
//	a> CONNECT id={}-a clean     a sends a packet; CONNECT gets the user, the password, and a keep alive of 60
//	a< CONNACK code=0x00         a waits for a packet; or "closed", or "nothing"
//	a!                           the connection breaks
//	wait 1500ms                  time goes by
//	a open                       the end, not a step: a is still connected, or "closed"
//
// {} stands for something that no other dialogue and no other run has.
type script struct {
	name     string
	comments []string
	lines    []string
}

// transcript is what went over the wire.
func (s *script) transcript() string { return strings.Join(s.lines, "\n") + "\n" }

func (s *script) String() string {
	return "== " + s.name + "\n" + joined(s.comments) + s.transcript()
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// chapter is a list of scripts under a title, in one file or in a part of one, and what is said about them.
type chapter struct {
	title   string
	about   []string
	scripts []*script
}

func (c *chapter) String() string {
	all := []string{joined(c.about)}
	for _, s := range c.scripts {
		all = append(all, s.String())
	}
	if len(c.about) == 0 {
		all = all[1:]
	}
	return strings.Join(all, "\n")
}

// parse reads scripts, with "# " before what is said about them.
func parse(title, text string) (*chapter, error) {
	c := &chapter{title: title}
	var s *script
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " ")
		name, begins := strings.CutPrefix(line, "== ")
		switch {
		case line == "":
		case begins:
			s = &script{name: name}
			c.scripts = append(c.scripts, s)
		case s == nil:
			c.about = append(c.about, line)
		case strings.HasPrefix(line, "#"):
			s.comments = append(s.comments, line)
		default:
			if !isStep(line) && !isEnd(line) {
				return nil, fmt.Errorf("%s:%d: %q is no step", title, number+1, line)
			}
			s.lines = append(s.lines, line)
		}
	}
	return c, nil
}

// isStep reports whether a line says to do something.
func isStep(line string) bool {
	who, rest, _ := strings.Cut(line, " ")
	if who == "wait" {
		return rest != ""
	}
	return len(who) > 1 && strings.ContainsAny(who[len(who)-1:], ":><!")
}

// isEnd reports whether a line tells the end of a connection.
func isEnd(line string) bool {
	_, state, _ := strings.Cut(line, " ")
	return !isStep(line) && (state == open || state == closed)
}

// States of a connection.
const (
	open    = "open"
	closed  = "closed"
	nothing = "nothing"
)

// topics reads all files of scripts.
func topics(t testing.TB) []*chapter {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dialogues in testdata: %v", err)
	}
	var all []*chapter
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(strings.TrimSuffix(filepath.Base(path), ".txt"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}
