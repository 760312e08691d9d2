package sasl

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"
)

// tryPassword logs in with PLAIN while no password can have its turn: what succeeds was remembered.
func tryPassword(t *testing.T, b *book, password string) Step {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return NewPlain(PlainOptions{Users: true}, b.dir).Start(Peer{}).Next(ctx, []byte("\x00alice\x00"+password))
}

func TestAPasswordThatWasRightNeedsNoTurnAgain(t *testing.T) {
	remembered = newKnownPasswords()
	b := newBook(t)
	m := NewPlain(PlainOptions{Users: true}, b.dir)
	wantReject(t, tryPassword(t, b, "alice-secret"), CodeBusy, publicPlain)
	for _, password := range []string{"alice-secret", "alice-guess"} {
		m.Start(Peer{}).Next(t.Context(), []byte("\x00alice\x00"+password))
	}
	if step := tryPassword(t, b, "alice-secret"); step.Principal == nil || step.Principal.Name != "alice" {
		t.Errorf("%v", step.Reject)
	}
	wantReject(t, tryPassword(t, b, "alice-guess"), CodeBusy, publicPlain) // what was wrong is not remembered
	wantReject(t, tryPassword(t, b, "alice-secret2"), CodeBusy, publicPlain)
}

// A password that was right is not when the verifier has changed, with a new salt or the same.
func TestAPasswordThatWasRightIsComparedWithTodaysVerifier(t *testing.T) {
	remembered = newKnownPasswords()
	b := newBook(t)
	m := NewPlain(PlainOptions{Users: true}, b.dir)
	if step := m.Start(Peer{}).Next(t.Context(), []byte("\x00alice\x00alice-secret")); step.Principal == nil {
		t.Fatal(step.Reject)
	}
	for h, entry := range b.users["alice"] {
		changed := *entry
		changed.Keys = []ScramKeys{derive(t, h, "another", entry.Salt, entry.Iterations)}
		b.users["alice"][h] = &changed
	}
	wantReject(t, tryPassword(t, b, "alice-secret"), CodeWrongPassword, publicPlain)
	for h, entry := range b.users["alice"] {
		changed := *entry
		changed.Salt = []byte("another salt of hers")
		b.users["alice"][h] = &changed
	}
	wantReject(t, tryPassword(t, b, "alice-secret"), CodeBusy, publicPlain)
}

func TestKnownPasswordsAreForgotten(t *testing.T) {
	p := newKnownPasswords()
	start := time.Now()
	key := func(n int) [sha256.Size]byte { return p.key(SHA256, []byte("password"), []byte("salt"), n) }
	p.put(key(0), []byte("stored"), start)
	if _, ok := p.get(key(0), start.Add(knownTime-time.Second)); !ok {
		t.Error("forgotten too early")
	}
	if _, ok := p.get(key(0), start.Add(knownTime)); ok {
		t.Error("remembered for too long")
	}
	for n := range 4 * knownSize {
		p.put(key(n+1), nil, start)
	}
	if n := len(p.young) + len(p.old); n > 2*knownSize {
		t.Errorf("%d are remembered, more than %d", n, 2*knownSize)
	}
	if _, ok := p.get(key(0), start); ok {
		t.Error("the oldest is still there")
	}
}
