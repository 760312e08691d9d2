package clients_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/matrix"
)

// table collects what the clients did, for people to read.
type table struct{ *matrix.Table }

var results = table{matrix.New([]string{"test", "scheme", "job"}, names()...)}

func names() []string {
	var all []string
	for _, d := range clients {
		all = append(all, d.name)
	}
	return all
}

// note adds one outcome. The row is the test, the form of its document, the scheme and the job.
func (r table) note(t *testing.T, d driver, s scheme, job, outcome string) {
	t.Helper()
	test, rest, _ := strings.Cut(t.Name(), "/")
	if form, _, _ := strings.Cut(rest, "/"); strings.Contains(form, ".") {
		test += " " + form
	}
	r.Note(d.name, outcome, test, s.name, job)
}

// topicName is a topic of this run alone.
func topicName(t *testing.T, d driver, s scheme, job string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%s-%s-%d", d.name, s.name, job, time.Now().UnixNano())
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}
