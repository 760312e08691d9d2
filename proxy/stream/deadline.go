package stream

import (
	"sync"
	"time"
)

// Deadline is the deadline of one direction of a connection. It moves while the connection makes progress. Any goroutine
// may use it.
type Deadline struct {
	set func(time.Time) error

	mu    sync.Mutex
	after time.Duration
	moved time.Time
	over  bool
}

// NewDeadline moves a deadline of a connection by calling set.
func NewDeadline(set func(time.Time) error, after time.Duration) *Deadline {
	return &Deadline{set: set, after: after}
}

// past is a time that has passed for sure.
var past = time.Unix(1, 0)

// Renew moves the deadline, at most once a second: moving one costs a lock of the poller.
func (d *Deadline) Renew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.over || now.Sub(d.moved) < min(time.Second, d.after/4) {
		return
	}
	d.moved = now
	_ = d.set(now.Add(d.after)) // fails only on a closed connection, which the next read or write will tell
}

// Change sets how long after each progress the deadline passes from now on, and renews it.
func (d *Deadline) Change(after time.Duration) {
	d.mu.Lock()
	d.after, d.moved = after, time.Time{}
	d.mu.Unlock()
	d.Renew()
}

// End lets the deadline pass for good.
func (d *Deadline) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	_ = d.set(past)
}
