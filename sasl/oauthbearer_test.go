package sasl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// judge is a [Tokens] that knows a few words.
type judge map[string]*Principal

func (j judge) Verify(_ context.Context, token string, _ Peer) (*Principal, *Reject) {
	if p := j[token]; p != nil {
		copied := *p
		return &copied, nil
	}
	return nil, newReject(CodeTokenSignature, "", "a signature that no key gives")
}
func (j judge) Check(*Principal) error              { return nil }
func (j judge) Refresh(context.Context, *Principal) {}

var theJudge = judge{"good.token": {Name: "alice", Issuer: "us"}, "odd": {Name: "a,b=c"}}

func oauth() Exchange {
	return NewOAuthBearer(func() Tokens { return theJudge }).Start(Peer{})
}

type oauthVector struct {
	Name, Message, Principal, Code string
	Failed                         bool    // the client is shown an error first
	Public                         *string // default: the text for what is malformed
}

func TestOAuthBearer(t *testing.T) {
	for _, v := range vectors[oauthVector](t, "oauthbearer.json") {
		t.Run(v.Name, func(t *testing.T) {
			x := oauth()
			step := x.Next(t.Context(), []byte(v.Message))
			if v.Failed {
				if step.Done() || string(step.Out) != publicToken || step.Failed == nil || step.Failed.Code != v.Code {
					t.Fatalf("the client is not shown the error: %+v", step)
				}
				step = x.Next(t.Context(), []byte{1})
			}
			if v.Code == "" {
				if p := step.Principal; p == nil || p.Name != v.Principal || p.Mechanism != OAuthBearer || p.Kind != KindToken || len(step.Out) > 0 {
					t.Fatalf("not accepted: %+v %v", step.Principal, step.Reject)
				}
			} else {
				public := publicInvalid(OAuthBearer)
				if v.Public != nil {
					public = *v.Public
				}
				wantReject(t, step, v.Code, public)
				if step.Reject.Mechanism != OAuthBearer {
					t.Errorf("mechanism %q", step.Reject.Mechanism)
				}
			}
			wantReject(t, x.Next(t.Context(), []byte(v.Message)), CodeOutOfOrder, publicInvalid(OAuthBearer))
		})
	}
}

// A broker lets a good token in that comes in place of the acknowledgement. Here a second guess is another connection.
func TestAfterAFailureNothingIsGood(t *testing.T) {
	for _, second := range []string{"\x01", "", "x", "n,,\x01auth=Bearer good.token\x01\x01"} {
		x := oauth()
		if step := x.Next(t.Context(), []byte("n,,\x01auth=Bearer bad\x01\x01")); step.Done() {
			t.Fatal("done")
		}
		wantReject(t, x.Next(t.Context(), []byte(second)), CodeTokenSignature, publicToken)
	}
}

func TestBoundsOfOAuthBearer(t *testing.T) {
	message := func(token, more string) string { return "n,,\x01auth=Bearer " + token + "\x01" + more + "\x01" }
	var many strings.Builder
	for i := range maxOAuthExtensions {
		fmt.Fprintf(&many, "%s=x\x01", strings.Repeat("a", i+1))
	}
	for name, c := range map[string]struct{ message, code string }{
		"a message beyond its bound": {message(strings.Repeat("a", maxOAuthMessage), ""), CodeTooLarge},
		"a token beyond its bound":   {message(strings.Repeat("a", MaxBearer+1), ""), CodeTooLarge},
		"too many extensions":        {message("good.token", many.String()), CodeMalformed},
	} {
		x := oauth()
		step := x.Next(t.Context(), []byte(c.message))
		if step.Failed != nil {
			step = x.Next(t.Context(), []byte{1})
		}
		if step.Reject == nil || step.Reject.Code != c.code {
			t.Errorf("%s: %+v", name, step)
		}
	}
	if step := oauth().Next(t.Context(), []byte(message(strings.Repeat("a", MaxBearer), ""))); step.Failed == nil || step.Failed.Code != CodeTokenSignature {
		t.Errorf("the largest token is not looked at: %+v", step)
	}
}

func TestWithoutIssuersNoTokenIsGood(t *testing.T) {
	x := NewOAuthBearer(func() Tokens { return NoTokens{} }).Start(Peer{})
	if step := x.Next(t.Context(), []byte("n,,\x01auth=Bearer good.token\x01\x01")); step.Failed == nil || step.Failed.Code != CodeUnknownIssuer {
		t.Errorf("%+v", step)
	}
	if err := (NoTokens{}).Check(&Principal{}); err == nil {
		t.Error("a session goes on")
	}
}

func TestTokenClient(t *testing.T) {
	c, err := NewTokenClient("good.token")
	if err != nil {
		t.Fatal(err)
	}
	first, done, err := c.Next(nil)
	if err != nil || done {
		t.Fatal(done, err)
	}
	if step := oauth().Next(t.Context(), first); step.Principal == nil {
		t.Errorf("our own server refuses it: %+v", step)
	}
	if _, done, err := c.Next(nil); err != nil || !done {
		t.Error(done, err)
	}
	c, _ = NewTokenClient("bad")
	_, _, _ = c.Next(nil)
	if _, done, err := c.Next([]byte(publicToken)); err == nil || done {
		t.Error("it believes a server that refused it")
	}
	for _, bad := range []string{"", "a b", "a\x01b", "a\n", strings.Repeat("a", MaxBearer+1)} {
		if _, err := NewTokenClient(bad); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

// FuzzOAuthBearer checks that a message logs in only with a token that the judge knows.
func FuzzOAuthBearer(f *testing.F) {
	for _, v := range vectors[oauthVector](f, "oauthbearer.json") {
		f.Add([]byte(v.Message))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		x := oauth()
		step := x.Next(t.Context(), message)
		if p := step.Principal; p != nil && (strings.Contains(string(message), " good.token\x01") || strings.Contains(string(message), " odd\x01")) {
			return
		}
		if !step.Done() {
			step = x.Next(t.Context(), []byte{1})
		}
		if r := step.Reject; r != nil && r.Public == "" {
			r.Public = "silent"
		}
		checkRefused(t, step)
	})
}

func TestATokenIsKeptWhereItIsPassedOnAndNeverShown(t *testing.T) {
	const text = "a.b.c"
	peer := Peer{Server: "prod"}
	for keeps, m := range map[bool]Mechanism{
		false: NewOAuthBearer(func() Tokens { return judge{text: {Name: "alice"}} }),
		true:  NewPassingOAuthBearer(func() Tokens { return judge{text: {Name: "alice"}} }),
	} {
		who := m.Start(peer).Next(context.Background(), []byte("n,,\x01auth=Bearer "+text+"\x01\x01")).Principal
		if who == nil {
			t.Fatal("the token is refused")
		}
		got, ok := who.Token.Reveal("prod")
		if ok != keeps || keeps && got != text {
			t.Errorf("kept %v: %q, %v", keeps, got, ok)
		}
		if _, ok := who.Token.Reveal("test"); ok {
			t.Error("the token is for another server too")
		}
		encoded, err := json.Marshal(who)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{string(encoded), fmt.Sprintf("%v %+v %#v", *who, *who, *who), fmt.Sprintf("%s %q %x %d", who.Token, who.Token, who.Token, who.Token)} {
			if strings.Contains(shown, text) || strings.Contains(shown, fmt.Sprintf("%x", text)) {
				t.Errorf("the token is in %s", shown)
			}
		}
	}
}
