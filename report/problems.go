package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/plan"
)

// Problems writes one line a problem, and its hint indented below, in the form that editors can follow:
// file:line:column severity code message.
func Problems(w io.Writer, problems []plan.Problem) error {
	var b strings.Builder
	paint{}.problems(&b, problems)
	_, err := io.WriteString(w, b.String())
	return err
}

// paint colours what people read, if they read it on a terminal, and knows the lines that problems point at.
type paint struct {
	on   bool
	line func(file string, line int) (string, bool) // may be nil
}

// The colours in use (ECMA-48 SGR).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p paint) text(colour, s string) string {
	if !p.on || s == "" || colour == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// severity paints the name of a severity, or of several.
func (p paint) severity(s plan.Severity) string {
	return p.text(colourOf(plan.Severity(strings.TrimSuffix(string(s), "s"))), string(s))
}

func colourOf(s plan.Severity) string {
	switch s {
	case plan.Error:
		return red
	case plan.Warning:
		return yellow
	}
	return faint
}

func (p paint) problems(b *strings.Builder, problems []plan.Problem) {
	for _, one := range problems {
		if at := where(one); at != "" {
			b.WriteString(p.text(bold, Printable(at)) + " ")
		}
		fmt.Fprintf(b, "%s %s %s\n", p.severity(one.Severity), one.Code, Printable(one.Message))
		p.excerpt(b, one)
		for line := range strings.Lines(one.Hint) {
			b.WriteString(p.text(faint, "    "+Printable(strings.TrimRight(line, "\n"))) + "\n")
		}
	}
}

// where is file:line:column, as far as it is known.
func where(p plan.Problem) string {
	switch {
	case p.Line == 0:
		return p.File
	case p.File == "":
		return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Printable makes text of a document safe for a terminal and for one line: control characters, marks that turn the
// direction of text, and bytes that are no UTF-8 become escapes.
func Printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		b.WriteString(shown(r, s[:size]))
		s = s[size:]
	}
	return b.String()
}

// shown is one character as it can be shown.
func shown(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case unprintable(r):
		return strings.Trim(strconv.QuoteRuneToASCII(r), "'")
	}
	return raw
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// printableLines keeps the lines of a text apart.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
