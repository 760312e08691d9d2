// Package problems holds the pages that explain every problem code of `asyncgate check`, for people on the web and for
// the tools that show them beside a problem.
//
// A page is a section of a Markdown file, the family's: a heading with the code, a first paragraph that begins with the
// severities in bold and sums the problem up, then what it means, an example, and the fix.
package problems

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

//go:embed *.md
var files embed.FS

// Home is where the project is.
const Home = "https://github.com/asyncgate/asyncgate"

// Page explains one code.
type Page struct {
	Code       string
	Severities []string // that it comes with: error, warning, note; the usual one first
	Summary    string   // one sentence of plain text
	Text       string   // the whole section without its heading, Markdown
}

// Compare orders pages by code.
func (p Page) Compare(code string) int { return strings.Compare(p.Code, code) }

// Stops reports whether the problem comes as an error.
func (p Page) Stops() bool { return slices.Contains(p.Severities, "error") }

// URL is where a person reads the page.
func (p Page) URL() string {
	family, _, _ := strings.Cut(p.Code, "/")
	if p.Text == "" {
		return ""
	}
	return Home + "/blob/main/docs/problems/" + family + ".md#" + strings.ReplaceAll(p.Code, "/", "")
}

// All are the pages, in alphabetical order of their codes. The list is shared: it is not to be changed.
var All = sync.OnceValue(func() []Page {
	var all []Page
	names, err := files.ReadDir(".")
	if err != nil {
		panic(err) // they are in the program
	}
	for _, name := range names {
		data, err := files.ReadFile(name.Name())
		if err != nil {
			panic(err)
		}
		all = append(all, sections(string(data))...)
	}
	slices.SortFunc(all, func(a, b Page) int { return a.Compare(b.Code) })
	return all
})

// Find is the page of a code.
func Find(code string) (Page, bool) {
	i, ok := slices.BinarySearchFunc(All(), code, Page.Compare)
	if !ok {
		return Page{}, false
	}
	return All()[i], true
}

// sections takes a file apart. A heading without a slash is no code.
func sections(text string) []Page {
	var all []Page
	for _, section := range strings.Split("\n"+text, "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		if strings.Contains(heading, "/") {
			all = append(all, page(strings.TrimSpace(heading), strings.TrimSpace(body)))
		}
	}
	return all
}

// page reads a section: "**error, warning**: summary", a paragraph.
func page(code, body string) Page {
	p := Page{Code: code, Text: body}
	first, _, _ := strings.Cut(body, "\n\n")
	severities, summary, _ := strings.Cut(strings.TrimPrefix(first, "**"), "**:")
	p.Severities = strings.Split(severities, ", ")
	p.Summary = strings.ReplaceAll(strings.Join(strings.Fields(summary), " "), "`", "")
	return p
}
