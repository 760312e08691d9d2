package clients_test

import (
	"fmt"
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

// note adds one outcome. The row is the test's first two levels, the scheme and the job.
func (r *table) note(t *testing.T, d driver, s scheme, job, outcome string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	levels := strings.Split(t.Name(), "/")
	row := strings.Join([]string{levels[0], s.name, job}, "\t")
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

// topicName is a topic of this run alone.
func topicName(t *testing.T, d driver, s scheme, job string) string {
	t.Helper()
	return strings.ToLower(fmt.Sprintf("%s-%s-%s-%d", d.name, s.name, job, time.Now().UnixNano()))
}
