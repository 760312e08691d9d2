// Package drivers runs the drivers of clients: programs that take jobs, one a line, and answer each with a line of JSON;
// see ../README.md. A process is kept for the next job, since for most clients the start costs more than the job does: a
// virtual machine, or a library to load.
package drivers

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// Outcomes of a job.
const (
	Accepted     = "accepted"
	Refused      = "refused"
	Disconnected = "disconnected"
)

// Answer is a driver's one line.
type Answer struct {
	Client  string `json:"client"`
	Outcome string `json:"outcome"`
	Error   string `json:"error"`
	Message string `json:"message"`
	Records int    `json:"records"`
}

// Program is a driver, and the processes of it that wait for a job: as many as there have been jobs at once. The TestMain
// of a package that runs one must call [parts.Main].
type Program struct {
	command func(testing.TB) []string
	mu      sync.Mutex
	idle    []*process
}

// New makes a driver from its command line, which is asked for when a process has to be started; it may skip the test.
func New(command func(testing.TB) []string) *Program {
	p := &Program{command: command}
	parts.AtExit(p.end)
	return p
}

// Ready has a process wait for the next job, for tests to which the time of a start matters.
func (p *Program) Ready(t testing.TB) {
	t.Helper()
	c, _ := p.take(t)
	p.give(c)
}

// Run has the client do a job. The test fails if the driver gives no answer in time.
func (p *Program) Run(t testing.TB, within time.Duration, job string, arguments map[string]string) Answer {
	t.Helper()
	words := []string{job}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		words = append(words, name+"="+arguments[name])
	}
	line := strings.Join(words, "\t")
	c, kept := p.take(t)
	said, err := c.ask(t.Context(), line, within)
	for kept && errors.Is(err, errEnded) { // of the job before, maybe: a client may throw when it is done
		c.end()
		c, kept = p.take(t)
		said, err = c.ask(t.Context(), line, within)
	}
	var a Answer
	if err == nil {
		err = json.Unmarshal([]byte(said), &a)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", job, err, said, parts.Lines(c.end(), 20))
	}
	p.give(c)
	return a
}

// take is a process without a job, and whether it had one before.
func (p *Program) take(t testing.TB) (c *process, kept bool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if c.alive() {
			return c, true
		}
		c.end()
	}
	c, err := start(t, p.command(t))
	if err != nil {
		t.Fatal(err)
	}
	return c, false
}

func (p *Program) give(c *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

func (p *Program) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.end()
	}
	p.idle = nil
}
