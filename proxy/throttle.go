package proxy

import (
	"net/netip"
	"sync"
	"time"
)

// From the fifth failed login of a client address within a minute each refusal is held back, 100 ms doubling to 1 s;
// after the ninth the address is not accepted for a minute. Four mistakes are a person's, and nine guesses in a minute
// are fewer than 2^23 in a year. Nothing is counted by principal: what fails under one name from one address is a part
// of what fails from that address, and what fails from other addresses must not lock anybody out.
const (
	throttleFrom   = 5
	throttleBlock  = 9
	throttleFirst  = 100 * time.Millisecond
	throttleMost   = time.Second
	throttleWindow = time.Minute
	blockTime      = time.Minute
)

// throttleSize bounds the clients of one generation. Two generations of it take some 8 MiB.
const throttleSize = 1 << 15

// throttle counts failed logins by client address. It forgets the oldest when more addresses fail than it can hold: a
// flood from that many addresses is not stopped by counting them.
type throttle struct {
	mu         sync.Mutex
	young, old map[netip.Addr]failures
}

type failures struct {
	count   int
	since   time.Time
	blocked time.Time // until when
}

func newThrottle() *throttle {
	return &throttle{young: make(map[netip.Addr]failures)}
}

// fail counts one failed login and says how long its refusal is to be held back.
func (t *throttle) fail(client netip.Addr, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.find(client)
	if now.Sub(f.since) >= throttleWindow && !now.Before(f.blocked) {
		f = failures{since: now}
	}
	if f.count++; f.count >= throttleBlock {
		f.blocked = now.Add(blockTime)
	}
	if len(t.young) >= throttleSize {
		t.old, t.young = t.young, make(map[netip.Addr]failures)
	}
	t.young[client] = f
	if f.count < throttleFrom {
		return 0
	}
	return min(throttleFirst<<min(f.count-throttleFrom, 10), throttleMost)
}

// blocked reports whether the client is not to be accepted.
func (t *throttle) blocked(client netip.Addr, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.find(client).blocked)
}

func (t *throttle) find(client netip.Addr) failures {
	if f, ok := t.young[client]; ok {
		return f
	}
	return t.old[client]
}
