package sasl

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

func TestPlainClient(t *testing.T) {
	c, err := NewClient(Plain, "gateway", []byte("pass word"))
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := c.Next(nil)
	if string(out) != "\x00gateway\x00pass word" || done || err != nil {
		t.Fatalf("%q, %v, %v", out, done, err)
	}
	if out, done, err := c.Next(nil); len(out) > 0 || !done || err != nil {
		t.Fatalf("%q, %v, %v", out, done, err)
	}
	if _, _, err := c.Next(nil); err == nil {
		t.Error("it goes on after its end")
	}
}

func TestPlainClientRefusesAServerThatSpeaks(t *testing.T) {
	c, _ := NewClient(Plain, "gateway", []byte("x"))
	if out, _, err := c.Next([]byte("hello")); err == nil || len(out) > 0 {
		t.Errorf("%q, %v", out, err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for name, c := range map[string]struct{ mechanism, user, password string }{
		"an unknown mechanism": {"GSSAPI", "u", "p"},
		"no user":              {ScramSHA256, "", "p"},
		"no password":          {ScramSHA256, "u", ""},
		"a NUL in the user":    {ScramSHA256, "a\x00b", "p"},
		"a user not in UTF-8":  {ScramSHA256, "a\xff", "p"},
		"a NUL for PLAIN":      {Plain, "u", "a\x00b"},
		"a long user":          {Plain, strings.Repeat("u", 256), "p"},
	} {
		if client, err := NewClient(c.mechanism, c.user, []byte(c.password)); err == nil || client != nil {
			t.Errorf("%s: %v, %v", name, client, err)
		}
	}
}

// What a hostile server sends first; {nonce} is the client's.
var hostileFirst = map[string]string{
	"nothing":                       "",
	"an error":                      "e=other-error",
	"no nonce":                      "s=c2FsdHNhbHQ=,i=4096",
	"another nonce":                 "r=other,s=c2FsdHNhbHQ=,i=4096",
	"the client's nonce in part":    "r={half}x,s=c2FsdHNhbHQ=,i=4096",
	"a nonce with a comma's escape": "r={nonce}\xff,s=c2FsdHNhbHQ=,i=4096",
	"a nonce of 2000 bytes":         "r={nonce}" + strings.Repeat("x", 2000) + ",s=c2FsdHNhbHQ=,i=4096",
	"no salt":                       "r={nonce}x,i=4096",
	"an empty salt":                 "r={nonce}x,s=,i=4096",
	"a salt that is not base64":     "r={nonce}x,s=***,i=4096",
	"a salt of 1500 bytes":          "r={nonce}x,s=" + strings.Repeat("AAAA", 500) + ",i=4096",
	"no iterations":                 "r={nonce}x,s=c2FsdHNhbHQ=",
	"too few iterations":            "r={nonce}x,s=c2FsdHNhbHQ=,i=4095",
	"one iteration":                 "r={nonce}x,s=c2FsdHNhbHQ=,i=1",
	"negative iterations":           "r={nonce}x,s=c2FsdHNhbHQ=,i=-4096",
	"iterations with a sign":        "r={nonce}x,s=c2FsdHNhbHQ=,i=+4096",
	"hours of work":                 "r={nonce}x,s=c2FsdHNhbHQ=,i=2147483647",
	"one iteration too many":        "r={nonce}x,s=c2FsdHNhbHQ=,i=150001",
	"iterations beyond 64 bits":     "r={nonce}x,s=c2FsdHNhbHQ=,i=99999999999999999999",
	"a mandatory extension":         "m=x,r={nonce}x,s=c2FsdHNhbHQ=,i=4096",
	"a message of 8 KiB":            "r={nonce}x,s=c2FsdHNhbHQ=,i=4096,x=" + strings.Repeat("y", 8192),
}

func TestScramClientRefusesAHostileServer(t *testing.T) {
	for name, message := range hostileFirst {
		t.Run(name, func(t *testing.T) {
			c, _ := NewClient(ScramSHA256, "gateway", []byte("secret"))
			first, _, err := c.Next(nil)
			if err != nil {
				t.Fatal(err)
			}
			_, nonce, _ := strings.Cut(string(first), "r=")
			text := strings.NewReplacer("{nonce}", nonce, "{half}", nonce[:8]).Replace(message)
			out, done, err := c.Next([]byte(text))
			if err == nil || done || len(out) > 0 {
				t.Fatalf("%q, %v, %v", out, done, err)
			}
			if len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("error text %q", err)
			}
			if _, _, err := c.Next([]byte("v=")); err == nil {
				t.Error("it goes on after an error")
			}
		})
	}
}

func TestScramClientWantsProofOfTheServer(t *testing.T) {
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) {
		salt := []byte("saltsalt")
		keys := derive(t, SHA256, "secret", salt, 4096)
		return scram.StoredCredentials{KeyFactors: scram.KeyFactors{Salt: string(salt), Iters: 4096}, StoredKey: keys.StoredKey, ServerKey: keys.ServerKey}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	zeros := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, final := range map[string]string{
		"nothing":               "",
		"another signature":     "v=" + zeros,
		"a short signature":     "v=AAAA",
		"an empty signature":    "v=",
		"an error":              "e=invalid-proof",
		"an error of 4 KiB":     "e=" + strings.Repeat("x", 4000),
		"an error with control": "e=a\r\nb\x1b[31m",
		"good":                  "",
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := NewClient(ScramSHA256, "gateway", []byte("secret"))
			conversation := server.NewConversation()
			out, _, err := c.Next(nil)
			if err != nil {
				t.Fatal(err)
			}
			challenge, err := conversation.Step(string(out))
			if err != nil {
				t.Fatal(err)
			}
			if out, _, err = c.Next([]byte(challenge)); err != nil {
				t.Fatal(err)
			}
			proof, err := conversation.Step(string(out))
			if err != nil {
				t.Fatal(err)
			}
			if name == "good" {
				if _, done, err := c.Next([]byte(proof)); !done || err != nil {
					t.Errorf("%v, %v", done, err)
				}
				return
			}
			_, done, err := c.Next([]byte(final))
			if err == nil || done {
				t.Fatalf("%v, %v", done, err)
			}
			if len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\r\n\x1b") {
				t.Errorf("error text %q", err)
			}
		})
	}
}

func BenchmarkMostIterations(b *testing.B) {
	for b.Loop() {
		if _, err := storedKey(SHA512, []byte("password"), []byte("saltsaltsaltsalt"), MaxIterations); err != nil {
			b.Fatal(err)
		}
	}
}
