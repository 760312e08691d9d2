package sasl

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzScramServer sends two messages of any kind. None may panic, log in, or get an answer longer than its own message
// warrants; both sides of a decision must be set rightly.
func FuzzScramServer(f *testing.F) {
	for _, v := range vectors[struct{ Name, Message, Code, Public string }](f, "scram-first.json") {
		f.Add([]byte(v.Message), []byte("c=biws,r=x,p=AAAA"))
	}
	for _, v := range vectors[struct{ Name, Message, Code, First string }](f, "scram-final.json") {
		f.Add([]byte("n,,n=alice,r=rOprNGfwEbeRWgbNEkqO"), []byte(v.Message))
	}
	b := newBook(f)
	m := NewScram(SHA256, b.dir, decoySecret)
	f.Fuzz(func(t *testing.T, first, final []byte) {
		x := m.Start(Peer{})
		step := x.Next(t.Context(), first)
		if len(step.Out) > len(first)+256 {
			t.Errorf("%d bytes answer %d", len(step.Out), len(first))
		}
		if !step.Done() {
			step = x.Next(t.Context(), final)
		}
		checkRefused(t, step)
	})
}

func checkRefused(t *testing.T, step Step) {
	t.Helper()
	r := step.Reject
	if step.Principal != nil || r == nil {
		t.Fatalf("not refused: %+v", step)
	}
	if r.Stage != StageLogin || r.Code == "" || r.Public == "" || r.Private == "" || len(r.Private) > 1000 {
		t.Errorf("%+v", r)
	}
	if !utf8.ValidString(r.Private) || strings.ContainsAny(r.Private, "\r\n\x00") {
		t.Errorf("private reason %q", r.Private)
	}
}

// FuzzPlain checks that a message logs in only with a password or key that the book has.
func FuzzPlain(f *testing.F) {
	for _, v := range vectors[plainVector](f, "plain.json") {
		f.Add(v.bytes(f))
	}
	b := newBook(f)
	for _, user := range b.users { // one round in place of 4096: the fuzzer is after the parser
		for h, entry := range user {
			entry.Iterations = 1
			entry.Keys = []ScramKeys{derive(f, h, "secret", entry.Salt, 1)}
		}
	}
	m := NewPlain(PlainOptions{Users: true, KeyInUser: true, KeyInPassword: true}, b.dir)
	f.Fuzz(func(t *testing.T, message []byte) {
		step := m.Start(Peer{}).Next(t.Context(), message)
		text := string(message)
		if step.Principal != nil && (strings.HasSuffix(text, "\x00secret") || strings.Contains(text, goodKey)) {
			return
		}
		checkRefused(t, step)
	})
}

// FuzzScramClient plays a server that does not know the password.
func FuzzScramClient(f *testing.F) {
	for _, message := range hostileFirst {
		f.Add([]byte(message), []byte("v=AAAA"))
	}
	f.Add([]byte("r={nonce}x,s=c2FsdHNhbHQ=,i=4096"), []byte("e=invalid-proof"))
	f.Fuzz(func(t *testing.T, first, final []byte) {
		c, err := NewClient(ScramSHA256, "gateway", []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		hello, _, err := c.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, nonce, _ := strings.Cut(string(hello), "r=")
		in := []byte(strings.ReplaceAll(string(first), "{nonce}", nonce))
		for _, message := range [][]byte{in, final, final} {
			_, done, err := c.Next(message)
			if done {
				t.Fatal("it believes a server that knows nothing")
			}
			if err != nil && (len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\r\n")) {
				t.Errorf("error text %q", err)
			}
		}
	})
}
