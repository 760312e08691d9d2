package credentials

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a credentials file. It never shows a verifier or a hash.
type Problem struct {
	File    string
	Line    int // from 1; 0: the file as a whole
	Message string
	Hint    string // what to do; may be empty
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": " + p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Problems is everything wrong with a file, in the order of its lines. It is never empty.
type Problems []Problem

// mostShown bounds the error text: after that many, the file is not one with mistakes, but another file.
const mostShown = 20

func (p Problems) Error() string {
	var lines []string
	for i, problem := range p {
		if i == mostShown {
			lines = append(lines, fmt.Sprintf("and %d more", len(p)-mostShown))
			break
		}
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}
