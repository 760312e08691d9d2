package kafka

import (
	"sync"
	"time"
)

// deadline is the deadline of one direction of a connection. It moves while the connection makes progress, and belongs
// to the goroutine that reads or writes there; others may only hurry or end it.
type deadline struct {
	set   func(time.Time) error
	after time.Duration

	mu      sync.Mutex
	moved   time.Time
	waiting bool // for a request, and so for nothing that has begun
	over    bool
}

// past is a time that has passed for sure.
var past = time.Unix(1, 0)

// renew moves the deadline, at most once a second: moving one costs a lock of the poller.
func (d *deadline) renew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.over || now.Sub(d.moved) < min(time.Second, d.after/4) {
		return
	}
	d.moved = now
	_ = d.set(now.Add(d.after)) // fails only on a closed connection, which the next read or write will tell
}

// passed notes that the deadline has passed: the next renew moves it in any case.
func (d *deadline) passed() {
	d.mu.Lock()
	d.moved = time.Time{}
	d.mu.Unlock()
}

// await renews the deadline and says that nothing would be lost if the wait that follows ended: until resume, hurry may
// end it.
func (d *deadline) await() {
	d.mu.Lock()
	d.waiting = true
	d.mu.Unlock()
	d.renew()
}

// resume says that the wait is over.
func (d *deadline) resume() {
	d.mu.Lock()
	d.waiting = false
	d.mu.Unlock()
}

// hurry ends a wait that await began, and nothing else.
func (d *deadline) hurry() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting {
		d.moved = time.Time{}
		_ = d.set(past)
	}
}

// end lets the deadline pass for good.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	_ = d.set(past)
}
