// Package matrix collects what clients did in tests, for people to read: a line for what was tried, a column for each
// client.
package matrix

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// Table is what the tests of a package fill.
type Table struct {
	head    []string // of the columns before the clients'
	columns []string
	mu      sync.Mutex
	cells   map[string]map[string][]string // by row, by column
}

// New makes a table whose rows have so many words, under these heads, and a column for each client.
func New(head []string, columns ...string) *Table {
	return &Table{head: head, columns: columns, cells: map[string]map[string][]string{}}
}

// Note adds one outcome.
func (r *Table) Note(column, outcome string, row ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.Join(row, "\t")
	if r.cells[key] == nil {
		r.cells[key] = map[string][]string{}
	}
	if !slices.Contains(r.cells[key][column], outcome) {
		r.cells[key][column] = append(r.cells[key][column], outcome)
	}
}

// String is the table, its rows in order.
func (r *Table) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rows []string
	for row := range r.cells {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(slices.Concat(r.head, r.columns), "\t"))
	for _, row := range rows {
		fmt.Fprint(w, row)
		for _, column := range r.columns {
			fmt.Fprintf(w, "\t%s", strings.Join(r.cells[row][column], ", "))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	return out.String()
}

// Print shows the table, as [Show] does.
func (r *Table) Print() {
	if len(r.cells) > 0 {
		Show(r.String() + "\n")
	}
}

// Show prints what a package's tests have counted, and appends it to the file that ASYNCGATE_RESULTS names: go test shows
// nothing of what passes.
func Show(text string) {
	fmt.Fprint(os.Stdout, text)
	path := os.Getenv("ASYNCGATE_RESULTS")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 G703 -- the caller names it
	if err == nil {
		_, err = file.WriteString(text) // at once: other packages have something too
		_ = file.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
