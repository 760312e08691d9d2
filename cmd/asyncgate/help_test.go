package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Whoever asks a command for help is shown command lines, and each of them is one.
func TestHelpHasExamplesThatParse(t *testing.T) {
	parser := func() *kong.Kong {
		return kong.Must(&cli{}, kong.Name("asyncgate"), kong.Exit(func(int) {}), kong.Vars{"formats": formats()})
	}
	example := regexp.MustCompile(`^(?:.* \| )?asyncgate ([a-z].*)$`)
	rest := regexp.MustCompile(`  +\S.*| \| .*| > .*`) // what the line is for, and where its output goes
	for _, command := range parser().Model.Leaves(true) {
		path := strings.TrimPrefix(command.FullPath(), "asyncgate ")
		if path == "version" {
			continue
		}
		code, help, _ := invoke(t, "", append(strings.Fields(path), "--help")...)
		if code != exitOK || !strings.Contains(help, "Examples:") {
			t.Errorf("%s: exit %d: no examples in\n%s", path, code, help)
		}
		shown := 0
		for line := range strings.Lines(help) {
			text, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
			found := example.FindStringSubmatch(text)
			if !indented || found == nil {
				continue
			}
			shown++
			if _, err := parser().Parse(words(rest.ReplaceAllString(found[1], ""))); err != nil {
				t.Errorf("%s: %s: %v", path, text, err)
			}
		}
		if shown == 0 {
			t.Errorf("%s: no example is a command line", path)
		}
	}
}

// words are those of a command line, as a shell takes it apart.
func words(line string) (all []string) {
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(word, "'"))
	}
	return all
}
