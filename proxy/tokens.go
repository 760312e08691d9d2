package proxy

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/asyncgate/asyncgate/plan"
)

// tokens counts open connections: of the gateway, of each client address, of each principal. Its size is bounded by the
// connections that are open and those that were accepted within the last second.
type tokens struct {
	mu         sync.Mutex
	open       int
	addresses  map[netip.Addr]*addressTokens
	principals map[string]int
	swept      time.Time
}

type addressTokens struct {
	open int
	rate *rate.Limiter
}

func newTokens() *tokens {
	return &tokens{addresses: make(map[netip.Addr]*addressTokens), principals: make(map[string]int)}
}

// connect takes one of the gateway's connections; disconnect gives it back.
func (t *tokens) connect(limits *plan.Limits) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open >= limits.Connections {
		return false
	}
	t.open++
	return true
}

func (t *tokens) disconnect() {
	t.mu.Lock()
	t.open--
	t.mu.Unlock()
}

// enter takes one of a client's connections, and says with the code of a refusal if it has none left; leave gives it
// back. Exempt clients need none.
func (t *tokens) enter(limits *plan.Limits, client netip.Addr, now time.Time) (code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	a := t.addresses[client]
	if a == nil {
		a = &addressTokens{}
		t.addresses[client] = a
	}
	if a.rate == nil || a.rate.Burst() != limits.AcceptRate { // a new client, or a new limit
		a.rate = rate.NewLimiter(rate.Limit(limits.AcceptRate), limits.AcceptRate)
	}
	switch {
	case a.open >= limits.PerAddress:
		return "address-connections"
	case !a.rate.AllowN(now, 1):
		return "address-rate"
	}
	a.open++
	return ""
}

func (t *tokens) leave(client netip.Addr) {
	t.mu.Lock()
	if a := t.addresses[client]; a != nil {
		a.open--
	}
	t.mu.Unlock()
}

// sweep forgets clients without a connection whose rate is no longer touched. It runs once a second at most, and then
// looks at each client.
func (t *tokens) sweep(now time.Time) {
	if now.Sub(t.swept) < time.Second {
		return
	}
	t.swept = now
	for client, a := range t.addresses {
		if a.open == 0 && a.rate.TokensAt(now) >= float64(a.rate.Burst()) {
			delete(t.addresses, client)
		}
	}
}

// admit takes one of a principal's connections; release gives it back.
func (t *tokens) admit(limits *plan.Limits, principal string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.principals[principal] >= limits.PerPrincipal {
		return false
	}
	t.principals[principal]++
	return true
}

func (t *tokens) release(principal string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.principals[principal]--; t.principals[principal] <= 0 {
		delete(t.principals, principal)
	}
}
