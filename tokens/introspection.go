package tokens

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Bounds of what is asked and kept.
const (
	maxAsked   = 16              // questions to one issuer at once
	maxAnswers = 8192            // in each of two generations; some 2 KiB each
	askTimeout = 5 * time.Second // for one answer
)

// introspector asks an issuer about tokens (RFC 7662) and keeps its answers for a while. Tokens are known by their hash.
type introspector struct {
	name, url, user, secret string
	client                  *client
	cache, again, maxAge    time.Duration
	turns                   chan struct{}

	mu         sync.Mutex
	young, old map[[sha256.Size]byte]*answer
	pending    map[[sha256.Size]byte]*question
}

// answer is what an issuer has said. It never changes, but for what has been made of it since.
type answer struct {
	claims  claims
	refusal *sasl.Reject // the token is not active
	at      time.Time
	judged  atomic.Pointer[sasl.Principal] // by its claims; good until it expires
}

// question is one that is being asked.
type question struct {
	done   chan struct{}
	answer *answer
	failed *sasl.Reject // no answer could be had
}

func newIntrospector(c Issuer) (*introspector, error) {
	n := c.Introspection
	client, err := newClient(c, n.URL)
	if err != nil {
		return nil, fmt.Errorf("introspection: %w", err)
	}
	return &introspector{
		name: c.Name, url: n.URL, user: n.ClientID, secret: n.ClientSecret, client: client,
		cache: n.Cache, again: n.Recheck, maxAge: c.MaxAge, turns: make(chan struct{}, maxAsked),
		young: map[[sha256.Size]byte]*answer{}, pending: map[[sha256.Size]byte]*question{},
	}, nil
}

// ask says what the issuer says of a token, from what it has said a short while ago if it has. Equal questions at one
// time are one.
func (n *introspector) ask(ctx context.Context, token string) (*answer, *sasl.Reject) {
	return n.within(ctx, token, n.cache)
}

// recheck asks again about the token of an open session.
func (n *introspector) recheck(ctx context.Context, token string) {
	_, _ = n.within(ctx, token, n.again)
}

func (n *introspector) within(ctx context.Context, token string, age time.Duration) (*answer, *sasl.Reject) {
	hash := sha256.Sum256([]byte(token))
	n.mu.Lock()
	if known := n.find(hash); known != nil && time.Since(known.at) < age {
		n.mu.Unlock()
		return known, nil
	}
	q := n.pending[hash]
	if q == nil {
		q = &question{done: make(chan struct{})}
		n.pending[hash] = q
		go n.put(hash, token, q) // #nosec G118 -- it outlives who asks first: others wait for it too
	}
	n.mu.Unlock()
	select {
	case <-q.done:
		return q.answer, q.failed
	case <-ctx.Done():
		return nil, reject(sasl.CodeIssuerUnavailable, "issuer %s did not answer about the token before the deadline", quote(n.name))
	}
}

// put puts one question to the issuer. It belongs to nobody who asks: who leaves does not end it.
func (n *introspector) put(hash [sha256.Size]byte, token string, q *question) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	q.answer, q.failed = n.request(ctx, token)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pending, hash)
	if q.answer != nil {
		if len(n.young) >= maxAnswers {
			n.old, n.young = n.young, make(map[[sha256.Size]byte]*answer)
		}
		n.young[hash] = q.answer
	}
	close(q.done)
}

func (n *introspector) request(ctx context.Context, token string) (a *answer, failed *sasl.Reject) {
	unavailable := func(err error) *sasl.Reject {
		return reject(sasl.CodeIssuerUnavailable, "issuer %s cannot be asked about the token: %v", quote(n.name), err)
	}
	defer func() {
		if r := recover(); r != nil {
			a, failed = nil, unavailable(errFault)
		}
	}()
	select {
	case n.turns <- struct{}{}:
		defer func() { <-n.turns }()
	case <-ctx.Done():
		return nil, unavailable(fmt.Errorf("it is busy with %d others", maxAsked))
	}
	body, err := n.client.post(ctx, n.url, url.Values{"token": {token}, "token_type_hint": {"access_token"}}, n.user, n.secret)
	if err != nil {
		return nil, unavailable(err)
	}
	return n.read(body)
}

// read takes an answer apart. Only "active": true is a yes.
func (n *introspector) read(body []byte) (*answer, *sasl.Reject) {
	c, err := parseClaims(body)
	if err != nil {
		return nil, reject(sasl.CodeIssuerUnavailable, "issuer %s answers about the token with %v", quote(n.name), err)
	}
	a := &answer{claims: c, at: time.Now()}
	switch active, isBool := c["active"].(bool); {
	case !isBool:
		return nil, reject(sasl.CodeIssuerUnavailable, "issuer %s does not say whether the token is active", quote(n.name))
	case !active:
		a.claims = nil
		a.refusal = reject(sasl.CodeTokenInactive, "issuer %s says that the token is not active", quote(n.name))
	}
	return a, nil
}

// find looks in both generations. The lock is held.
func (n *introspector) find(hash [sha256.Size]byte) *answer {
	if a := n.young[hash]; a != nil {
		return a
	}
	return n.old[hash]
}

// check says whether the token of an open session is still good, by the last answer. An issuer that cannot be asked is
// believed for as long as its keys would be; a forgotten answer is asked for again by the next recheck.
func (n *introspector) check(token string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch a := n.find(sha256.Sum256([]byte(token))); {
	case a == nil:
		return nil
	case a.refusal != nil:
		return fmt.Errorf("%w: issuer %s says that the token is not active any longer", sasl.ErrRevoked, quote(n.name))
	case time.Since(a.at) >= n.maxAge:
		return fmt.Errorf("%w: issuer %s has not answered about the token for %s", sasl.ErrRevoked, quote(n.name), n.maxAge)
	}
	return nil
}
