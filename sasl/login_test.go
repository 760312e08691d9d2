package sasl

import (
	"strings"
	"testing"
)

// A password outside of SASL is judged as PLAIN judges it, save that it may be any bytes and that a key needs no company.
func TestPasswords(t *testing.T) {
	b := newBook(t)
	all := PlainOptions{Users: true, KeyInUser: true, KeyInPassword: true}
	for _, c := range []struct {
		name, user, password string
		options              PlainOptions
		principal, in, code  string
	}{
		{"a user", "alice", "alice-secret", PlainOptions{Users: true}, "alice", "", ""},
		{"a wrong password", "alice", "bob-secret", all, "", "", CodeWrongPassword},
		{"a password that is no text", "alice", "\xff\x00\xfe", all, "", "", CodeWrongPassword},
		{"a good password and a zero byte", "alice", "alice-secret\x00", all, "", "", CodeMalformed},
		{"a stranger", "stranger", "x", all, "", "", CodeUnknownUser},
		{"no user name", "", "alice-secret", all, "", "", CodeMalformed},
		{"no password", "alice", "", all, "", "", CodeMalformed},
		{"nothing", "", "", all, "", "", CodeMalformed},
		{"a key as the password, alone", "", goodKey, PlainOptions{KeyInPassword: true}, "billing", "password", ""},
		{"a key as the password, beside a user name", "x", goodKey, PlainOptions{KeyInPassword: true}, "billing", "password", ""},
		{"a key as the user name, alone", goodKey, "", PlainOptions{KeyInUser: true}, "billing", "user", ""},
		{"a key as the user name, where it is taken as the password", goodKey, "", PlainOptions{KeyInPassword: true}, "", "", CodeMalformed},
		{"a key where users are taken", "alice", goodKey, PlainOptions{Users: true}, "", "", CodeKeyNotAccepted},
		{"a user where keys are taken", "alice", "alice-secret", PlainOptions{KeyInUser: true}, "", "", CodeKeyRequired},
		{"a long user name", strings.Repeat("u", maxUser+1), "x", all, "", "", CodeTooLarge},
		{"a long password", "alice", strings.Repeat("p", maxPassword+1), all, "", "", CodeTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			step := NewPasswords(c.options, b.dir).Verify(t.Context(), Password, c.user, []byte(c.password))
			if c.code == "" {
				if p := step.Principal; p == nil || p.Name != c.principal || p.In != c.in || p.Mechanism != Password {
					t.Errorf("principal %+v, %v", step.Principal, step.Reject)
				}
				return
			}
			if step.Reject == nil || step.Reject.Code != c.code || step.Reject.Mechanism != Password || step.Principal != nil {
				t.Fatalf("reject %+v", step.Reject)
			}
			noSecret(t, step.Reject.Private)
		})
	}
}
