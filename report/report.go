// Package report writes what there is to say about documents: a table for people, and JSON, SARIF, JUnit and GitHub
// workflow commands for what comes after `asyncgate check` in a pipeline.
//
// Documents may be hostile. Whatever comes of one is shown with its control characters as escapes, and then escaped as
// the format at hand demands. Nothing is read here: the lines that the table shows come from whoever calls.
package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/plan"
)

// Document is one document and what there is to say about it.
type Document struct {
	Plan     *plan.Plan // never nil; the document's name is in it
	Problems []plan.Problem
}

// Options are what a format may need beyond the documents. The zero value will do for all of them.
type Options struct {
	Several bool   // JSON: a list of documents, however many there are
	Colour  bool   // table: the reader's terminal has colours
	Base    string // SARIF: the directory that paths are relative to; empty: as they are
	Version string // SARIF: of asyncgate; may be empty

	// Line is a line of a file, from 1, for the table to show. It answers false for what is not there, and for what
	// must not be shown. Nil: nothing is shown.
	Line func(file string, line int) (string, bool)
}

// formats is every way to write, by its name on the command line.
var formats = []struct {
	name  string
	write func(io.Writer, []Document, Options) error
}{
	{"table", writeTable},
	{"json", writeJSON},
	{"sarif", writeSARIF},
	{"junit", writeJUnit},
	{"github", writeGitHub},
}

// Formats are the names of the formats, that for people first.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Write writes documents in a format. It fails only where w does, and for a format that there is not.
func Write(w io.Writer, format string, all []Document, opt Options) error {
	for _, f := range formats {
		if f.name == format {
			return f.write(w, all, opt)
		}
	}
	return fmt.Errorf("there is no format %q", format)
}

// codes are those that have a page, and those that these documents have without one, in alphabetical order.
func codes(all []Document) []problems.Page {
	pages := slices.Clone(problems.All())
	for _, d := range all {
		for _, p := range d.Problems {
			if _, known := slices.BinarySearchFunc(pages, p.Code, problems.Page.Compare); !known {
				pages = append(pages, problems.Page{Code: p.Code, Severities: []string{string(p.Severity)}, Summary: p.Code})
				slices.SortFunc(pages, func(a, b problems.Page) int { return a.Compare(b.Code) })
			}
		}
	}
	return pages
}

// found reports whether a code is among the problems.
func found(all []Document, code string) bool {
	return slices.ContainsFunc(all, func(d Document) bool {
		return slices.ContainsFunc(d.Problems, func(p plan.Problem) bool { return p.Code == code })
	})
}

// text is a problem for a tool: its message, and its hint below.
func text(p plan.Problem) string {
	if p.Hint == "" {
		return Printable(p.Message)
	}
	return Printable(p.Message) + "\n" + printableLines(p.Hint)
}
