package sasl

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type plainVector struct {
	Name, Message, Code, Public string
	Base64                      string // of messages that are not text
	Principal, In               string
	Accept                      []string // what the server takes; default: users
}

func (v plainVector) options() PlainOptions {
	if v.Accept == nil {
		return PlainOptions{Users: true}
	}
	return PlainOptions{Users: slices.Contains(v.Accept, "users"), KeyInUser: slices.Contains(v.Accept, "keyInUser"),
		KeyInPassword: slices.Contains(v.Accept, "keyInPassword")}
}

func (v plainVector) bytes(t testing.TB) []byte {
	if v.Base64 == "" {
		return []byte(v.Message)
	}
	data, err := base64.StdEncoding.DecodeString(v.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPlain(t *testing.T) {
	b := newBook(t)
	for _, v := range vectors[plainVector](t, "plain.json") {
		t.Run(v.Name, func(t *testing.T) {
			x := NewPlain(v.options(), b.dir).Start(Peer{})
			step := x.Next(t.Context(), v.bytes(t))
			if v.Code != "" {
				wantReject(t, step, v.Code, v.Public)
				noSecret(t, step.Reject.Private)
			} else if p := step.Principal; p == nil || len(step.Out) > 0 {
				t.Fatalf("not accepted: %v", step.Reject)
			} else if kind := map[bool]Kind{true: KindUser, false: KindKey}[v.In == ""]; p.Name != v.Principal || p.In != v.In ||
				p.Kind != kind || p.Mechanism != Plain {
				t.Errorf("principal %+v", p)
			}
			wantReject(t, x.Next(t.Context(), v.bytes(t)), CodeOutOfOrder, publicInvalid(Plain))
		})
	}
}

// noSecret fails where an operator's text has a password, or the secret half of a key.
func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"-secret", "0123456789012345"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret in the private reason: %s", text)
		}
	}
	if len(text) > 300 {
		t.Errorf("a private reason of %d bytes", len(text))
	}
}

// Whoever it is, known or not, a password costs one derivation of equal length.
func TestPlainDoesEqualWorkForStrangers(t *testing.T) {
	v := passwords{options: PlainOptions{Users: true}, dir: newBook(t)}
	for _, user := range []string{"alice", "stranger", "carol", "mallory"} {
		h, entry, _ := v.lookUp(user)
		if h != SHA256 || entry.Iterations != 4096 || len(entry.Salt) != 16 || len(entry.Keys) != 1 {
			t.Errorf("%s: %s, %d iterations, a salt of %d bytes, %d keys", user, h, entry.Iterations, len(entry.Salt), len(entry.Keys))
		}
	}
	only := newBook(t)
	for _, user := range only.users {
		delete(user, SHA256)
	}
	v.dir = only
	if h, _, _ := v.lookUp("stranger"); h != SHA512 {
		t.Errorf("a stranger is checked with %s in a store of SHA-512 verifiers", h)
	}
}

func TestPlainWaitsForItsTurn(t *testing.T) {
	remembered = newKnownPasswords() // what is remembered needs no turn
	b := newBook(t)
	for range cap(derivations) {
		if err := derivations.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	released := false
	release := func() {
		for range cap(derivations) {
			derivations.release()
		}
		released = true
	}
	defer func() {
		if !released {
			release()
		}
	}()
	message := []byte("\x00alice\x00alice-secret")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := NewPlain(PlainOptions{Users: true, KeyInPassword: true}, b.dir)
	wantReject(t, m.Start(Peer{}).Next(ctx, message), CodeBusy, publicPlain)
	if step := m.Start(Peer{}).Next(ctx, []byte("\x00x\x00"+goodKey)); step.Principal == nil {
		t.Errorf("an API key waited for its turn among passwords: %v", step.Reject)
	}
	done := make(chan Step)
	go func() { done <- m.Start(Peer{}).Next(t.Context(), message) }()
	release()
	if step := <-done; step.Principal == nil {
		t.Errorf("refused when there was room again: %v", step.Reject)
	}
}

func TestPlainGivesUpAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := newTurns(1)
		if err := mine.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if err := mine.acquire(ctx); err == nil || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
