package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/asyncgate/asyncgate/plan"
)

// How much of a line is shown: what fits a terminal of eighty columns beside its number, with a third of it before the
// place.
const (
	maxExcerpt = 72
	maxBefore  = 24
	tabStop    = 4
)

// excerpt writes the line that a problem points at, and a caret below the place.
func (p paint) excerpt(b *strings.Builder, one plan.Problem) {
	if p.line == nil || one.Line == 0 {
		return
	}
	line, ok := p.line(one.File, one.Line)
	if !ok || strings.TrimSpace(line) == "" {
		return
	}
	cells, at := excerptCells(line, max(one.Column, 1)-1)
	text, before := cut(cells, at)
	number := strconv.Itoa(one.Line)
	margin := strings.Repeat(" ", len(number))
	b.WriteString(p.text(faint, "    "+number+" | ") + text + "\n")
	b.WriteString(p.text(faint, "    "+margin+" | ") + strings.Repeat(" ", before) + p.text(colourOf(one.Severity), "^") + "\n")
}

// glyph is a character as it is shown, and how many columns it takes.
type glyph struct {
	text  string
	width int
}

// excerptCells are the characters of a line as they are shown, and the index of the one in a column that counts
// characters from 0. The place may lie behind the end.
func excerptCells(line string, column int) ([]glyph, int) {
	const most = 4096 // characters looked at behind the place: what is shown ends long before
	var cells []glyph
	columns := 0
	for n := 0; len(line) > 0 && n < column+most; n++ {
		r, size := utf8.DecodeRuneInString(line)
		g := glyph{shown(r, line[:size]), 0}
		if r == '\t' {
			g.text = strings.Repeat(" ", tabStop-columns%tabStop)
		}
		for _, s := range g.text {
			g.width += columnsOf(s)
		}
		columns += g.width
		cells, line = append(cells, g), line[size:]
	}
	return cells, min(column, len(cells))
}

// columnsOf is how wide a terminal shows a character that can be printed.
func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r > unicode.MaxLatin1:
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			return 2
		}
	}
	return 1
}

// cut takes the part around the place that fits, and tells how many columns stand before the place in it.
func cut(cells []glyph, at int) (text string, before int) {
	start := at
	for start > 0 && before+cells[start-1].width <= maxBefore {
		start--
		before += cells[start].width
	}
	for total := columns(cells); start > 0 && total <= maxExcerpt; { // it fits as a whole
		start--
		before += cells[start].width
	}
	var b strings.Builder
	if start > 0 {
		b.WriteString("…")
		before++
	}
	used := 0
	for _, g := range cells[start:] {
		if used += g.width; used > maxExcerpt {
			b.WriteString("…")
			break
		}
		b.WriteString(g.text)
	}
	return strings.TrimRight(b.String(), " "), before
}

func columns(cells []glyph) int {
	total := 0
	for _, g := range cells {
		total += g.width
	}
	return total
}
