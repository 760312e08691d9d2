package gatewaytest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// Record is one line of the gateway's log.
type Record map[string]json.RawMessage

// Text is a field as text: a string's content, anything else as JSON, and nothing if it is missing.
func (r Record) Text(field string) string {
	var s string
	if json.Unmarshal(r[field], &s) == nil {
		return s
	}
	return string(r[field])
}

// Has reports whether every field has the value that is wanted of it.
func (r Record) Has(want map[string]string) bool {
	for field, value := range want {
		if r.Text(field) != value {
			return false
		}
	}
	return true
}

// Records returns the log records so far for which match is true, in their order.
func (g *Gateway) Records(match func(Record) bool) []Record {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []Record
	for _, r := range g.records {
		if match(r) {
			found = append(found, r)
		}
	}
	return found
}

// Wait returns the first log record for which match is true, also one that was logged before. The test fails if none
// comes in time, or the gateway ends; what names it for that.
func (g *Gateway) Wait(t testing.TB, within time.Duration, what string, match func(Record) bool) Record {
	t.Helper()
	late := time.After(within)
	for {
		g.mu.Lock()
		changed := g.changed
		g.mu.Unlock()
		if found := g.Records(match); len(found) > 0 {
			return found[0]
		}
		select {
		case <-changed:
		case <-g.ended:
			if found := g.Records(match); len(found) > 0 {
				return found[0]
			}
			t.Fatalf("the gateway ended with code %d before %s:\n%s", g.code, what, g.Log(40))
		case <-late:
			t.Fatalf("no %s within %v:\n%s", what, within, g.Log(40))
		}
	}
}

// sound fails the test if the log tells of a fault of the gateway itself.
func (g *Gateway) sound(t testing.TB) {
	t.Helper()
	for _, r := range g.Records(func(r Record) bool { return r["panic"] != nil }) {
		t.Errorf("a panic in the gateway: %s\n%s", r.Text("panic"), r.Text("stack"))
		break // one says enough
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range g.plain {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			t.Errorf("the gateway ended: %s", strings.Join(g.plain, "\n"))
			break
		}
	}
}

// Log is the end of the log, so many lines, to show with a failure.
func (g *Gateway) Log(lines int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all strings.Builder
	for _, r := range g.records {
		line, _ := json.Marshal(r)
		fmt.Fprintf(&all, "%s\n", line)
	}
	for _, line := range g.plain {
		fmt.Fprintln(&all, line)
	}
	return parts.Lines([]byte(all.String()), lines)
}
