package clients_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// table collects what the clients did, for people to read.
type table struct {
	mu    sync.Mutex
	cells map[string]map[string][]string // by row, by client
	rows  []string                       // in the order they came
}

var results = table{cells: map[string]map[string][]string{}}

// note adds one outcome. The row is the test, the form of its document, the scheme and the job.
func (r *table) note(t *testing.T, d driver, s scheme, job, outcome string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	test, rest, _ := strings.Cut(t.Name(), "/")
	if form, _, _ := strings.Cut(rest, "/"); strings.Contains(form, ".") {
		test += " " + form
	}
	row := strings.Join([]string{test, s.name, job}, "\t")
	if r.cells[row] == nil {
		r.cells[row] = map[string][]string{}
		r.rows = append(r.rows, row)
	}
	if !slices.Contains(r.cells[row][d.name], outcome) {
		r.cells[row][d.name] = append(r.cells[row][d.name], outcome)
	}
}

// String is the table: a line a test, scheme and job, a column a client.
func (r *table) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "test\tscheme\tjob")
	for _, d := range drivers {
		fmt.Fprintf(w, "\t%s", d.name)
	}
	fmt.Fprintln(w)
	slices.Sort(r.rows)
	for _, row := range r.rows {
		fmt.Fprint(w, row)
		for _, d := range drivers {
			fmt.Fprintf(w, "\t%s", strings.Join(r.cells[row][d.name], ", "))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	return out.String()
}

// print shows the table, and writes it to the file that ASYNCGATE_RESULTS names: go test shows nothing of what passes.
func (r *table) print() {
	if len(r.rows) == 0 {
		return
	}
	fmt.Print(r)
	if path := os.Getenv("ASYNCGATE_RESULTS"); path != "" {
		if err := os.WriteFile(path, []byte(r.String()), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// topicName is a topic of this run alone.
func topicName(t *testing.T, d driver, s scheme, job string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%s-%s-%d", d.name, s.name, job, time.Now().UnixNano())
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}
