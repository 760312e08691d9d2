package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// cell is a piece of a table and its colour.
type cell struct{ text, colour string }

// writeTable writes plans for people.
func writeTable(w io.Writer, all []Document, opt Options) error {
	p := paint{on: opt.Colour, line: opt.Line}
	var b strings.Builder
	for i, one := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		p.table(&b, one)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a plan: what it is, a row for each way into each server, the problems, and their count.
func (p paint) table(b *strings.Builder, one Document) {
	b.WriteString(p.text(bold, Printable(one.Plan.Document)))
	if one.Plan.AsyncAPI != "" {
		fmt.Fprintf(b, "   AsyncAPI %s   %s", one.Plan.AsyncAPI, Printable(one.Plan.Title))
	}
	b.WriteString("\n")
	if len(one.Plan.Servers) > 0 {
		rows := [][]cell{header("SERVER", "PROTOCOL", "LISTEN", "CLIENTS DIAL", "BROKERS", "TLS", "WAYS IN", "UPSTREAM")}
		for i := range one.Plan.Servers {
			rows = append(rows, serverRows(&one.Plan.Servers[i])...)
		}
		b.WriteString("\n")
		p.columns(b, rows)
	}
	if rows := ruleRows(one.Plan); len(rows) > 1 {
		b.WriteString("\n")
		p.columns(b, rows)
	}
	if len(one.Problems) > 0 {
		b.WriteString("\n")
		p.problems(b, one.Problems)
		b.WriteString("\n" + p.tally(one.Problems) + "\n")
	}
}

func header(names ...string) []cell {
	row := make([]cell, len(names))
	for i, name := range names {
		row[i] = cell{name, faint}
	}
	return row
}

// serverRows are the rows of a server: one for each way in.
func serverRows(s *plan.Server) [][]cell {
	name, protocol := cell{s.Name, bold}, cell{s.Protocol, ""}
	if !s.Enforced {
		return [][]cell{{{s.Name, faint}, {s.Protocol, faint}, {"not enforced: " + s.Note, faint}}}
	}
	listen := s.Listen
	if s.SharesListener != "" {
		listen = "as " + s.SharesListener
	}
	secure := cell{"no", yellow}
	if s.TLS != nil {
		secure = cell{"yes", green}
	}
	ways := waysIn(s)
	rows := [][]cell{{name, protocol, {listen, ""}, {Address(s.Advertise), ""}, {brokersText(s.Brokers), ""}, secure,
		ways[0], {strings.Join(s.Upstream.Bootstrap, ","), ""}}}
	for _, way := range ways[1:] {
		rows = append(rows, []cell{{}, {}, {}, {}, {}, {}, way})
	}
	return rows
}

// waysIn are the alternatives of a server in words; never none.
func waysIn(s *plan.Server) []cell {
	var ways []cell
	for _, a := range s.Alternatives {
		var all []string
		for _, q := range a.All {
			all = append(all, requirementText(q))
		}
		way := cell{strings.Join(all, " and "), green}
		if way.text == "" {
			way.text = "not readable"
		}
		if !a.Enabled {
			way = cell{"disabled: " + way.text, faint}
		}
		if len(ways) > 0 {
			way.text = map[bool]string{false: "or ", true: "and "}[s.RequireAll] + way.text
		}
		ways = append(ways, way)
	}
	switch {
	case len(ways) > 0:
		return ways
	case s.AllowAnonymous:
		return []cell{{"everyone", yellow}}
	}
	return []cell{{"none", red}}
}

// requirementText is a scheme and what proves it: "saslScram: SCRAM-SHA-256".
func requirementText(q plan.Requirement) string {
	name := q.Scheme
	if name == "" {
		name = q.Type
	}
	var proofs []string
	for _, m := range q.Mechanisms {
		switch {
		case m == sasl.External:
			m = "client certificate"
		case m == sasl.Password && q.Type == "apiKey":
			m = "key as the " + map[string]string{"user": "user name", "password": "password"}[q.In]
		case m == sasl.Password:
			m = "user name and password"
		case m == sasl.Basic:
			m = "HTTP Basic"
		case q.Type == "apiKey":
			m += " with a key as the " + map[string]string{"user": "user name", "password": "password"}[q.In]
		}
		proofs = append(proofs, m)
	}
	text := name + ": " + strings.Join(proofs, ", ")
	if len(proofs) == 0 {
		text = name
	}
	if len(q.Scopes) > 0 {
		text += " (" + strings.Join(q.Scopes, " ") + ")"
	}
	return text
}

// Columns writes rows of plain text, the first of them a header, in columns.
func Columns(w io.Writer, rows [][]string, colour bool) error {
	var b strings.Builder
	cells := [][]cell{header(rows[0]...)}
	for _, row := range rows[1:] {
		cells = append(cells, each(row, func(s string) cell { return cell{s, ""} }))
	}
	paint{on: colour}.columns(&b, cells)
	_, err := io.WriteString(w, b.String())
	return err
}

// columns aligns rows. Columns that are empty in all rows are left out, a row's last cell does not widen its column.
func (p paint) columns(b *strings.Builder, rows [][]cell) {
	var widths []int
	used := map[int]bool{}
	for n, row := range rows {
		for i := range row {
			row[i].text = Printable(row[i].text)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i].text))
			}
			used[i] = used[i] || n > 0 && row[i].text != ""
		}
	}
	for _, row := range rows {
		var line strings.Builder
		gap := 0
		for i, c := range row {
			if !used[i] {
				continue
			}
			if c.text != "" {
				line.WriteString(strings.Repeat(" ", gap) + p.text(c.colour, c.text))
				gap = 0
			}
			gap += widths[i] - utf8.RuneCountInString(c.text) + 2
		}
		b.WriteString(line.String() + "\n")
	}
}

// tally is "1 error, 2 warnings".
func (p paint) tally(problems []plan.Problem) string {
	var parts []string
	for _, s := range []plan.Severity{plan.Error, plan.Warning, plan.Note} {
		n := 0
		for _, one := range problems {
			if one.Severity == s {
				n++
			}
		}
		switch {
		case n == 1:
			parts = append(parts, "1 "+p.severity(s))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, p.severity(s+"s")))
		}
	}
	return strings.Join(parts, ", ")
}
