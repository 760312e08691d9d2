package proxy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Bounds of what is asked and kept.
const (
	maxExchanges      = 16              // questions at once
	maxExchanged      = 16 << 10        // answers that are kept
	maxExchangedBytes = 32 << 20        // and their tokens in all
	refusalAge        = 5 * time.Second // of a no that is repeated: clients that are refused connect again at once
	questionAge       = time.Second     // no equal questions sooner: as brokers let a connection log in again
)

// grantExchange is the grant type (RFC 8693 section 2.1).
const grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

// TokenExchange gets for clients' tokens others (RFC 8693), and keeps them as long as they are good. Clients' tokens are known
// by their hash. It is safe for concurrent use; equal questions at one time are one.
type TokenExchange struct {
	client *tokenClient
	plan   plan.TokenExchange
	turns  chan struct{}

	mu      sync.Mutex
	known   map[[sha256.Size]byte]*exchanged
	bytes   int // of tokens in known
	swept   time.Time
	pending map[[sha256.Size]byte]*exchanging
}

// exchanged is an answer.
type exchanged struct {
	token   string
	ends    time.Time // of the token, or of the client's if that is sooner; zero: never
	asked   time.Time
	aged    time.Time // when it counts for no new connection any longer
	refusal error     // in place of a token
}

// exchanging is a question that is being asked.
type exchanging struct {
	done   chan struct{}
	answer *exchanged
	failed error // no answer could be had
}

// NewTokenExchange reads what it takes to ask, and asks nobody yet.
func NewTokenExchange(p *plan.TokenExchange) (*TokenExchange, error) {
	client, err := newTokenClient(p.TokenClient)
	if err != nil {
		return nil, err
	}
	return &TokenExchange{client: client, plan: *p, turns: make(chan struct{}, maxExchanges),
		known: make(map[[sha256.Size]byte]*exchanged), pending: make(map[[sha256.Size]byte]*exchanging)}, nil
}

// Token exchanges a client's token, which ends at ends (zero: never), for one that is good beyond a moment if the issuer
// gives such a one; zero is any. It returns the new token and when either of the two ends. No error holds any part of a token.
func (x *TokenExchange) Token(ctx context.Context, subject string, ends, beyond time.Time) (token string, until time.Time, err error) {
	hash := sha256.Sum256([]byte(subject))
	x.mu.Lock()
	if a := x.known[hash]; a != nil && a.serves(time.Now(), beyond) {
		x.mu.Unlock()
		return a.token, a.ends, a.refusal
	}
	q := x.pending[hash]
	if q == nil {
		q = &exchanging{done: make(chan struct{})}
		x.pending[hash] = q
		go x.put(hash, subject, ends, q) // #nosec G118 -- it outlives who asks first: others wait for it too
	}
	x.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
		return "", time.Time{}, errors.New("the client's token is not exchanged: it takes too long")
	}
	if q.failed != nil {
		return "", time.Time{}, q.failed
	}
	return q.answer.token, q.answer.ends, q.answer.refusal
}

// Forget drops what is kept for a client's token: a broker has not taken it.
func (x *TokenExchange) Forget(subject string) {
	hash := sha256.Sum256([]byte(subject))
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.known[hash]; a != nil && a.refusal == nil {
		x.drop(hash, a)
	}
}

// drop forgets an answer. The lock is held.
func (x *TokenExchange) drop(hash [sha256.Size]byte, a *exchanged) {
	delete(x.known, hash)
	x.bytes -= len(a.token)
}

// serves reports whether an answer still answers.
func (a *exchanged) serves(now, beyond time.Time) bool {
	switch {
	case a.refusal != nil:
		return now.Sub(a.asked) < refusalAge
	case !now.Before(a.ends):
		return false
	case now.Sub(a.asked) < questionAge:
		return true
	}
	return now.Before(a.aged) && (beyond.IsZero() || a.ends.After(beyond.Add(time.Second)))
}

// put puts one question to the issuer. It belongs to nobody who asks: who leaves does not end it.
func (x *TokenExchange) put(hash [sha256.Size]byte, subject string, ends time.Time, q *exchanging) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	answer, keep, err := x.request(ctx, subject, ends)
	var no *refusedError
	switch {
	case errors.As(err, &no):
		q.answer = &exchanged{asked: time.Now(), refusal: fmt.Errorf("the client's token is not exchanged: %w", err)}
		keep = true
	case err != nil:
		q.failed = fmt.Errorf("the client's token is not exchanged: %w", err)
	default:
		q.answer = answer
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.pending, hash)
	if keep {
		x.keep(hash, q.answer)
	}
	close(q.done)
}

// keep notes an answer, if there is room. The lock is held.
func (x *TokenExchange) keep(hash [sha256.Size]byte, a *exchanged) {
	now := time.Now()
	if old := x.known[hash]; old != nil {
		x.drop(hash, old)
	}
	if now.Sub(x.swept) > 10*time.Second {
		x.swept = now
		for hash, old := range x.known {
			if !old.serves(now, time.Time{}) {
				x.drop(hash, old)
			}
		}
	}
	if len(x.known) < maxExchanged && x.bytes+len(a.token) <= maxExchangedBytes {
		x.known[hash] = a
		x.bytes += len(a.token)
	}
}

// request asks the issuer. An answer is kept if it says when it ends.
func (x *TokenExchange) request(ctx context.Context, subject string, ends time.Time) (a *exchanged, keep bool, err error) {
	defer func() {
		if r := recover(); r != nil { // no issuer may end the gateway
			a, keep, err = nil, false, errors.New("the answer meets a fault of the gateway; please report it")
		}
	}()
	select {
	case x.turns <- struct{}{}:
		defer func() { <-x.turns }()
	case <-ctx.Done():
		return nil, false, fmt.Errorf("the issuer is busy with %d others", maxExchanges)
	}
	form := url.Values{
		"grant_type": {grantExchange}, "subject_token": {subject}, "subject_token_type": {x.plan.SubjectType},
		"requested_token_type": {x.plan.RequestedType},
	}
	if len(x.plan.Audiences) > 0 {
		form["audience"] = x.plan.Audiences
	}
	if len(x.plan.Resources) > 0 {
		form["resource"] = x.plan.Resources
	}
	asked := time.Now()
	token, err := x.client.ask(ctx, x.plan.Scopes, form)
	if err != nil {
		return nil, false, err
	}
	if err := x.judge(token, subject); err != nil {
		return nil, false, err
	}
	a = &exchanged{token: token.AccessToken, ends: ends, asked: asked}
	if end := token.Expiry; !end.IsZero() && (ends.IsZero() || end.Before(ends)) {
		a.ends = end
	}
	a.aged = agedAt(a.ends)
	return a, !token.Expiry.IsZero(), nil
}

// judge refuses an answer that is not what was asked for (RFC 8693 section 2.2.1).
func (x *TokenExchange) judge(token *oauth2.Token, subject string) error {
	issued, _ := token.Extra("issued_token_type").(string)
	bearer := strings.EqualFold(token.TokenType, "bearer") || // N_A is of what is no access token, which may be shown all the same
		strings.EqualFold(token.TokenType, "n_a") && x.plan.RequestedType != tokenTypeAccess
	switch {
	case token.AccessToken == subject:
		return errors.New("the issuer gives the client's own token back")
	case len(token.AccessToken) > sasl.MaxBearer || !sasl.IsBearer(token.AccessToken):
		return fmt.Errorf("the new token is none, or has more than %d bytes", sasl.MaxBearer)
	case !bearer:
		return errors.New("the new token is no bearer token")
	case issued != x.plan.RequestedType && issued != tokenTypeAccess && issued != tokenTypeJWT:
		return errors.New("the issuer does not say that it gives a token of the type that was asked for")
	case !token.Expiry.IsZero() && !time.Now().Before(token.Expiry):
		return errors.New("the new token has ended already")
	}
	return nil
}

// Types of tokens (RFC 8693 section 3).
const (
	tokenTypeAccess = "urn:ietf:params:oauth:token-type:access_token" // #nosec G101 -- a type of tokens
	tokenTypeJWT    = "urn:ietf:params:oauth:token-type:jwt"          // #nosec G101 -- a type of tokens
)
