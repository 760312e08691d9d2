package asyncapi

import (
	"fmt"
	"strings"
)

// Severity says what a problem means for the document.
type Severity string

// The severities the reader uses: with an error the document is not valid AsyncAPI, or not readable at all.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Problem is one thing to say about a document. It is comparable, and has the fields of plan.Problem.
type Problem struct {
	Severity Severity
	Code     string // stable: document/…
	File     string
	Line     int // from 1; 0 if there is none
	Column   int // from 1; 0 if there is none
	Pointer  string
	Message  string // lower case, one line
	Hint     string // what to do about it; may be empty
}

// maxProblems bounds how many errors are told, and how many other problems: a person repairs the first few and reads the
// document again. They are counted apart, so that no number of warnings hides an error.
const maxProblems = 100

// report adds a problem once. Servers may share parts by $ref, and a shared fault has one place.
func (r *reader) report(s Severity, code string, at Place, hint, format string, args ...any) {
	if r.muted {
		return
	}
	p := Problem{
		Severity: s, Code: code, File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	if r.server != nil {
		r.server.Problems = append(r.server.Problems, p)
	}
	if r.seen[p] || r.told[s == Error] >= maxProblems {
		return
	}
	r.seen[p] = true
	r.told[s == Error]++
	r.problems = append(r.problems, p)
}

// fault is an error of the document.
func (r *reader) fault(code string, at Place, hint, format string, args ...any) {
	r.faults++
	r.report(Error, code, at, hint, format, args...)
}

// quote shows a string of the document in a message: on one line, and cut.
func quote(s string) string {
	const most = 80
	runes := []rune(s)
	if len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", s)
}

// oneOf lists words for a hint: "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
