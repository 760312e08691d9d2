package main

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// render writes the tables of Kafka or of MQTT as Markdown that can also be read as it is.
func render(all results, c choice, mqtt bool, about string) string {
	var out strings.Builder
	out.WriteString(about)
	for _, t := range tables {
		var columns []string
		for _, column := range t.columns {
			if c.columns[column] {
				columns = append(columns, column)
			}
		}
		if text := t.render(all, columns); text != "" && t.mqtt == mqtt {
			fmt.Fprintf(&out, "\n### %s\n\n%s", t.title, text)
		}
	}
	others := "HAProxy, Kroxylicious, kafka-proxy elsewhere"
	if mqtt {
		others = "HAProxy, mgate elsewhere"
	}
	grid := [][]string{{"asyncgate against direct", "aim", "reached", "", "HAProxy in this run", others}}
	for _, a := range aims {
		if reached, verdict, theirs, measured := a.judge(all); measured && a.mqtt == mqtt {
			grid = append(grid, []string{a.text, a.wanted(all), reached, verdict, theirs, a.others})
		}
	}
	if len(grid) > 1 {
		fmt.Fprintf(&out, "\n### Aims\n\n%s", markdown(grid))
	}
	return out.String()
}

// render is empty if nothing of the table was measured.
func (t table) render(all results, columns []string) string {
	head := []string{"", ""}
	for _, column := range columns {
		head = append(head, titles[column])
	}
	grid := [][]string{head}
	for _, r := range t.rows {
		if all[r.key] == nil {
			continue
		}
		line := []string{r.title, r.unit}
		for _, column := range columns {
			line = append(line, r.cell(all, column))
		}
		grid = append(grid, line)
	}
	if len(grid) == 1 {
		return ""
	}
	return markdown(grid)
}

// cell is the median, and how it compares with direct.
func (r row) cell(all results, column string) string {
	value, measured := all.median(r.key, column)
	if !measured {
		return "–"
	}
	text := fmt.Sprintf("%.*f", r.digits, value)
	if column == direct || r.compare == nil {
		return text
	}
	compared, both := all.against(r.key, column, r.compare)
	if !both {
		return text
	}
	if r.compare(1, 1) == 0 { // a difference
		return fmt.Sprintf("%s (%+.*f)", text, r.digits, compared)
	}
	return fmt.Sprintf("%s (%.2f)", text, compared)
}

// markdown aligns the columns of a table.
func markdown(grid [][]string) string {
	widths := make([]int, len(grid[0]))
	for _, line := range grid {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var out strings.Builder
	write := func(line []string) {
		for i, cell := range line {
			fmt.Fprintf(&out, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		out.WriteString("|\n")
	}
	write(grid[0])
	for _, width := range widths {
		out.WriteString("|" + strings.Repeat("-", width+2))
	}
	out.WriteString("|\n")
	for _, line := range grid[1:] {
		write(line)
	}
	return out.String()
}

// section are the comments around the section of a page that a run writes.
type section struct{ begin, end string }

// sectionOf is the section of a protocol.
func sectionOf(mqtt bool) section {
	name := "bench"
	if mqtt {
		name = "bench-mqtt"
	}
	return section{"<!-- " + name + ":begin -->\n", "<!-- " + name + ":end -->\n"}
}

// write puts a report into its section of a file and leaves the rest of the file alone.
func (s section) write(file, report string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), s.begin)
	_, after, ends := strings.Cut(rest, s.end)
	if !begins || !ends {
		return fmt.Errorf("%s: has no section between %q and %q", file, strings.TrimSpace(s.begin), strings.TrimSpace(s.end))
	}
	return os.WriteFile(file, []byte(before+s.begin+"\n"+report+"\n"+s.end+after), 0o644) //nolint:gosec // a page of the documentation, which the user names
}
