package stream

import (
	"sync"
	"sync/atomic"
	"time"
)

// Deadline is the deadline of one direction of a connection. It moves while the connection makes progress. Any goroutine
// may use it.
type Deadline struct {
	set func(time.Time) error
	due atomic.Int64 // when Renew moves it next, as time since began: most calls come earlier, and take no lock

	mu      sync.Mutex
	after   time.Duration
	waiting bool // for something that has not begun
	over    bool
}

// NewDeadline moves a deadline of a connection by calling set.
func NewDeadline(set func(time.Time) error, after time.Duration) *Deadline {
	return &Deadline{set: set, after: after}
}

// past is a time that has passed for sure.
var past = time.Unix(1, 0)

// began is what due is counted from.
var began = time.Now()

// Renew moves the deadline, at most once a second: moving one costs a lock of the poller.
func (d *Deadline) Renew() {
	now := time.Since(began)
	if int64(now) < d.due.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.due.Store(int64(now + min(time.Second, d.after/4)))
	_ = d.set(time.Now().Add(d.after)) // fails only on a closed connection, which the next read or write will tell
}

// After is how long after each progress the deadline passes.
func (d *Deadline) After() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.after
}

// Change sets how long after each progress the deadline passes from now on, and renews it.
func (d *Deadline) Change(after time.Duration) {
	d.mu.Lock()
	d.after = after
	d.due.Store(0)
	d.mu.Unlock()
	d.Renew()
}

// Passed notes that the deadline has passed: the next Renew moves it in any case.
func (d *Deadline) Passed() {
	d.mu.Lock()
	d.due.Store(0)
	d.mu.Unlock()
}

// Await says that nothing would be lost if the wait that follows ended: until Resume, Hurry may end it.
func (d *Deadline) Await() {
	d.mu.Lock()
	d.waiting = true
	d.mu.Unlock()
}

// Resume says that the wait is over.
func (d *Deadline) Resume() {
	d.mu.Lock()
	d.waiting = false
	d.mu.Unlock()
}

// Hurry ends a wait that Await began, and nothing else. A Renew that comes later moves the deadline on again: whoever
// waits looks between the two for what Hurry was called about.
func (d *Deadline) Hurry() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting {
		d.due.Store(0)
		_ = d.set(past)
	}
}

// End lets the deadline pass for good.
func (d *Deadline) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	_ = d.set(past)
}
