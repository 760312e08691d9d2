package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/plan"
)

// language is what differs between the names of the protocols.
type language struct {
	separator byte              // of the parts of a name
	char      func(c byte) bool // may be in the value of a parameter
}

var (
	kafka = language{separator: '.', char: kafkaChar}
	mqtt  = language{separator: '/', char: mqttChar}
)

func kafkaChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func mqttChar(c byte) bool { return c != '/' && c != '+' && c != '#' && c != 0 }

// maxKafkaTopic is the length of the longest topic name (org.apache.kafka.common.internals.Topic).
const maxKafkaTopic = 249

func legalKafka(name string) bool {
	if name == "" || len(name) > maxKafkaTopic || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c != '.' && !kafkaChar(c) {
			return false
		}
	}
	return true
}

// template is the address of one rule, compiled.
type template struct {
	pieces []piece
	// plain: the index sees all that there is to see. No parameter is narrowed, and no part of the name has two.
	plain bool
}

// piece is literal text, or one parameter.
type piece struct {
	literal   string
	parameter *parameter // nil: literal
}

type parameter struct {
	*plan.Parameter
	pattern *regexp.Regexp  // nil: none
	enum    map[string]bool // of Enum, where that has so many values that a walk through them would be slow
}

// maxWalk is how many values are compared one by one. A lookup takes as long as some ten comparisons.
const maxWalk = 10

// lists reports whether the enum has a value.
func (p *parameter) lists(value string) bool {
	if p.enum != nil {
		return p.enum[value]
	}
	return slices.Contains(p.Enum, value)
}

func compileTemplate(segments []plan.Segment, l *language) (template, error) {
	t := template{plain: true}
	between := true // a separator stands between the last parameter and here
	for _, s := range segments {
		if s.Parameter == nil {
			between = between || strings.IndexByte(s.Literal, l.separator) >= 0
			if n := len(t.pieces); n > 0 && t.pieces[n-1].parameter == nil {
				t.pieces[n-1].literal += s.Literal // so that no two follow each other
			} else if s.Literal != "" {
				t.pieces = append(t.pieces, piece{literal: s.Literal})
			}
			continue
		}
		p := &parameter{Parameter: s.Parameter}
		if len(p.Enum) > maxWalk {
			p.enum = make(map[string]bool, len(p.Enum))
			for _, value := range p.Enum {
				p.enum[value] = true
			}
		}
		if p.Pattern != "" {
			var err error
			if p.pattern, err = regexp.Compile(p.Pattern); err != nil {
				return t, fmt.Errorf("pattern of parameter %s: %w", p.Name, err)
			}
		}
		t.plain = t.plain && between && !p.narrowed()
		between = false
		t.pieces = append(t.pieces, piece{parameter: p})
	}
	return t, nil
}

// narrowed reports whether not every run of legal characters is a value, or the value is not one run.
func (p *parameter) narrowed() bool {
	return len(p.Enum) > 0 || p.pattern != nil || p.MinLength > 1 || p.MaxLength > 0 || p.Integer || p.Dots || p.Principal != ""
}

// accepts reports whether a value made of legal characters is one of the parameter's.
func (p *parameter) accepts(value string, who *Subject) bool {
	switch {
	case value == "":
		return false
	case len(p.Enum) > 0 && !p.lists(value):
		return false
	case p.Integer && !integer(value):
		return false
	case p.Principal != "" && !who.is(p.Principal, value):
		return false
	case p.pattern != nil && !p.pattern.MatchString(value):
		return false
	}
	if p.MinLength > 1 || p.MaxLength > 0 {
		n := utf8.RuneCountInString(value)
		return n >= p.MinLength && (p.MaxLength == 0 || n <= p.MaxLength)
	}
	return true
}

// integer reports whether a value is decimal, with an optional minus sign.
func integer(value string) bool {
	digits := strings.TrimPrefix(value, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return digits != ""
}

// matches reports whether the pieces make up the whole name. It goes back where a value could end in several places.
func matches(pieces []piece, name string, l *language, who *Subject) bool {
	m := matcher{language: l, who: who, budget: matchBudget}
	return m.match(pieces, name)
}

// matchBudget bounds the ways in which a name is tried against a template of several parameters that touch each other,
// such as {a}{b}{c}. No sensible template comes near; beyond it the name does not match.
const matchBudget = 10_000

type matcher struct {
	*language
	who    *Subject
	budget int
}

func (m *matcher) match(pieces []piece, name string) bool {
	for len(pieces) > 0 && pieces[0].parameter == nil {
		rest, ok := strings.CutPrefix(name, pieces[0].literal)
		if !ok {
			return false
		}
		pieces, name = pieces[1:], rest
	}
	if len(pieces) == 0 {
		return name == ""
	}
	p := pieces[0].parameter
	longest := m.run(name, p)
	if len(pieces) == 1 {
		return longest == len(name) && p.accepts(name, m.who)
	}
	for n := longest; n > 0; n-- {
		if m.budget--; m.budget < 0 {
			return false
		}
		if m.match(pieces[1:], name[n:]) && p.accepts(name[:n], m.who) {
			return true
		}
	}
	return false
}

// run is how many bytes at the front of the name could be a value of the parameter.
func (m *matcher) run(name string, p *parameter) int {
	for i := range len(name) {
		if !m.char(name[i]) && (!p.Dots || name[i] != '.') {
			return i
		}
	}
	return len(name)
}
