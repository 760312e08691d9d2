package dialogue

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

const defaultListener = "sasl"

// File is a file of dialogues.
type File struct {
	Preamble  []string // the comment at the top, up to the first empty line
	Dialogues []*Dialogue
}

// Read reads a file. The first word of a header line that is not a statement of this package must be among the given
// ones: such lines are for the suite that reads the file.
func Read(path string, headers ...string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(string(text), headers...)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return f, nil
}

// Parse reads the text of a file. An error begins with the number of the line.
func Parse(text string, headers ...string) (*File, error) {
	p := parser{headers: headers, file: &File{}, names: map[string]bool{}}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
	}
	return p.file, nil
}

// String is the file as Parse reads it.
func (f *File) String() string {
	var b strings.Builder
	for _, c := range f.Preamble {
		fmt.Fprintln(&b, strings.TrimRight("# "+c, " "))
	}
	for i, d := range f.Dialogues {
		if i > 0 || len(f.Preamble) > 0 {
			fmt.Fprintln(&b)
		}
		b.WriteString(d.String())
	}
	return b.String()
}

type parser struct {
	headers  []string
	file     *File
	names    map[string]bool
	comments []string
	now      *Dialogue
}

func (p *parser) line(line string) error {
	switch word, rest, _ := strings.Cut(line, " "); {
	case line == "":
		if p.now == nil && len(p.file.Preamble) == 0 {
			p.file.Preamble, p.comments = p.comments, nil
		}
		return nil
	case word == "#" || line == "#":
		p.comments = append(p.comments, rest)
		return nil
	case word == "==":
		return p.begin(strings.TrimSpace(rest))
	case p.now == nil:
		return fmt.Errorf("%q before the first == NAME", line)
	case p.now.End != "":
		return fmt.Errorf("%q after %q", line, p.now.End)
	case line == Open || line == Closed || line == Refused:
		p.now.End = line
		return nil
	case len(p.now.Steps) == 0 && slices.Contains(p.headers, word):
		p.now.Header = append(p.now.Header, line)
		return nil
	default:
		return p.statement(line, word, rest)
	}
}

func (p *parser) begin(name string) error {
	if name == "" || p.names[name] {
		return fmt.Errorf("a dialogue needs a name of its own, not %q", name)
	}
	p.names[name] = true
	p.now = &Dialogue{Name: name, Listener: defaultListener, Comments: p.comments}
	p.comments = nil
	p.file.Dialogues = append(p.file.Dialogues, p.now)
	return nil
}

func (p *parser) statement(line, word, rest string) error {
	d := p.now
	switch {
	case word == "on":
		d.Listener = rest
	case line == "without tls":
		d.InClear = true
	case word == "tls":
		d.TLS = map[string]string{}
		for _, o := range strings.Fields(rest) {
			key, value, ok := strings.Cut(o, "=")
			if !ok {
				return fmt.Errorf("%q is no option NAME=VALUE", o)
			}
			d.TLS[key] = value
		}
	case word == "<":
		if len(d.Steps) == 0 {
			return fmt.Errorf("an answer before the first message")
		}
		last := &d.Steps[len(d.Steps)-1]
		last.Answers = append(last.Answers, rest)
	case word == ">" || word == "+":
		m, err := ParseMessage(rest)
		if err != nil {
			return err
		}
		d.Steps = append(d.Steps, Step{Verb: word, Message: m})
	case line == "slowly" || line == "drip" || line == "fin" || line == "mark" || line == "expire":
		d.Steps = append(d.Steps, Step{Verb: line})
	default:
		return fmt.Errorf("%q is no statement", line)
	}
	return nil
}

// options spells a map as Parse reads it, in alphabetical order.
func options(m map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, key+"="+m[key])
	}
	return strings.Join(all, " ")
}
