// Package cases reads test cases from data files, so that a case is added without code.
//
// A file holds any number of cases. A line "#### NAME" begins one; its text up to the next line that begins with "#> "
// is the part "input", and "#> PART" begins another part. Text before the first case is a comment. A test compares a
// part with what it got through [File.Expect]; with the flag -update the file is written anew instead.
package cases

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests got into their data files")

// Input is the part that a case begins with.
const Input = "input"

// File is a data file.
type File struct {
	path    string
	comment string
	Cases   []*Case
}

// Case is one case: its name and its parts, each with its last newline.
type Case struct {
	Name  string
	parts []part
}

type part struct{ name, text string }

// Load reads a file. With -update it is written again when the test ends.
func Load(t testing.TB, path string) *File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &File{path: path}
	for line := range strings.Lines(string(data)) {
		name, isCase := strings.CutPrefix(line, "#### ")
		partName, isPart := strings.CutPrefix(line, "#> ")
		switch {
		case isCase:
			f.Cases = append(f.Cases, &Case{Name: strings.TrimSpace(name), parts: []part{{name: Input}}})
		case len(f.Cases) == 0:
			f.comment += line
		case isPart:
			c := f.Cases[len(f.Cases)-1]
			c.parts = append(c.parts, part{name: strings.TrimSpace(partName)})
		default:
			c := f.Cases[len(f.Cases)-1]
			c.parts[len(c.parts)-1].text += line
		}
	}
	if len(f.Cases) == 0 {
		t.Fatalf("%s holds no case", path)
	}
	if *update {
		t.Cleanup(func() { f.write(t) })
	}
	return f
}

// Part is the text of a part, empty if the case has none of that name.
func (c *Case) Part(name string) string {
	for _, p := range c.parts {
		if p.name == name {
			return p.text
		}
	}
	return ""
}

// Has reports whether the case has a part of that name.
func (c *Case) Has(name string) bool {
	for _, p := range c.parts {
		if p.name == name {
			return true
		}
	}
	return false
}

// Expect compares a part with what the test got.
func (c *Case) Expect(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		c.set(name, got)
		return
	}
	if want := c.Part(name); got != want {
		t.Errorf("%s: %s:\n--- want\n%s--- got\n%s", c.Name, name, want, got)
	}
}

func (c *Case) set(name, text string) {
	for i := range c.parts {
		if c.parts[i].name == name {
			c.parts[i].text = text
			return
		}
	}
	c.parts = append(c.parts, part{name, text})
}

func (f *File) write(t testing.TB) {
	var b strings.Builder
	b.WriteString(f.comment)
	for _, c := range f.Cases {
		b.WriteString("#### " + c.Name + "\n")
		for _, p := range c.parts {
			if p.name != Input {
				b.WriteString("#> " + p.name + "\n")
			}
			b.WriteString(p.text)
		}
	}
	if err := os.WriteFile(f.path, []byte(b.String()), 0o644); err != nil {
		t.Error(err)
	}
}
