package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/asyncgate/asyncgate/plan"
)

// printProblems writes one line a problem, and its hint indented below, in the form that editors can follow:
// file:line:column severity code message.
func printProblems(w io.Writer, problems []plan.Problem) error {
	return paint{}.problems(w, problems)
}

// paint colours what people read, if they read it on a terminal.
type paint struct{ on bool }

// The colours in use (ECMA-48 SGR).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p paint) text(colour, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (p paint) severity(s plan.Severity) string {
	switch plan.Severity(strings.TrimSuffix(string(s), "s")) {
	case plan.Error:
		return p.text(red, string(s))
	case plan.Warning:
		return p.text(yellow, string(s))
	}
	return p.text(faint, string(s))
}

func (p paint) problems(w io.Writer, problems []plan.Problem) error {
	var b strings.Builder
	for _, one := range problems {
		if at := where(one); at != "" {
			b.WriteString(p.text(bold, printable(at)) + " ")
		}
		fmt.Fprintf(&b, "%s %s %s\n", p.severity(one.Severity), one.Code, printable(one.Message))
		for line := range strings.Lines(one.Hint) {
			b.WriteString(p.text(faint, "    "+printable(strings.TrimRight(line, "\n"))) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
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

// printable makes text of a document safe for a terminal: control characters become escapes.
func printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
