package credentials

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// login tries a password with a mechanism against a store.
func login(t *testing.T, s *Store, mechanism, user, password string) (*sasl.Principal, *sasl.Reject) {
	t.Helper()
	dir := func() sasl.Directory { return s }
	m := map[string]sasl.Mechanism{
		sasl.Plain:       sasl.NewPlain(sasl.PlainOptions{Users: true, KeyInPassword: true}, dir),
		sasl.ScramSHA256: sasl.NewScram(sasl.SHA256, dir, nil),
		sasl.ScramSHA512: sasl.NewScram(sasl.SHA512, dir, nil),
	}[mechanism]
	client, err := sasl.NewClient(mechanism, user, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	x, step := m.Start(sasl.Peer{}), sasl.Step{}
	for !step.Done() {
		out, _, err := client.Next(step.Out)
		if err != nil {
			t.Fatal(err)
		}
		step = x.Next(context.Background(), out)
	}
	return step.Principal, step.Reject
}

func wantLogin(t *testing.T, s *Store, mechanism, user, password, code string) *sasl.Principal {
	t.Helper()
	p, reject := login(t, s, mechanism, user, password)
	switch {
	case code == "" && p == nil:
		t.Errorf("%s of %s with %s refused: %v", mechanism, user, password, reject)
	case code != "" && (reject == nil || reject.Code != code):
		t.Errorf("%s of %s with %s: %v, not %s", mechanism, user, password, reject, code)
	}
	return p
}

var everyMechanism = []string{sasl.Plain, sasl.ScramSHA256, sasl.ScramSHA512}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// storeOf writes a file and reads it again.
func storeOf(t *testing.T, f *File) *Store {
	t.Helper()
	s, err := Parse("credentials.yaml", encode(f))
	must(t, err)
	return s
}

func TestUsersLogIn(t *testing.T) {
	f := &File{}
	must(t, f.AddUser("alice", "päss wörd", 0, Grant{Scopes: []string{"read"}, Attributes: map[string]string{"team": "a"}}))
	must(t, f.AddUser("zoë, jr", "x=y,z", 8192, Grant{}))
	s := storeOf(t, f)
	for _, mechanism := range everyMechanism {
		p := wantLogin(t, s, mechanism, "alice", "päss wörd", "")
		if p.Name != "alice" || p.Scopes[0] != "read" || p.Attributes["team"] != "a" || s.Check(p) != nil {
			t.Errorf("%+v, %v", p, s.Check(p))
		}
		wantLogin(t, s, mechanism, "zoë, jr", "x=y,z", "")
		wantLogin(t, s, mechanism, "alice", "pass word", sasl.CodeWrongPassword)
		wantLogin(t, s, mechanism, "Alice", "päss wörd", sasl.CodeUnknownUser)
	}
	if s.Iterations(sasl.SHA256) != 4096 || s.SaltShape(sasl.SHA256).Length != 16 {
		t.Error("the shape of strangers")
	}
}

func TestEmptyPathIsAnEmptyStore(t *testing.T) {
	s, err := Open("")
	must(t, err)
	for _, mechanism := range everyMechanism {
		wantLogin(t, s, mechanism, "alice", "x", sasl.CodeUnknownUser)
	}
	if _, err := s.Key("agk_x"); !errors.Is(err, sasl.ErrUnknown) {
		t.Error(err)
	}
	if s.Iterations(sasl.SHA256) != 0 {
		t.Error("iterations of nobody")
	}
}

func TestUserWithOneHash(t *testing.T) {
	f := &File{}
	verifiers, err := NewVerifiers("secret", 0)
	must(t, err)
	must(t, f.AddVerifiers("alice", verifiers[1:], Grant{}))
	s := storeOf(t, f)
	wantLogin(t, s, sasl.ScramSHA512, "alice", "secret", "")
	wantLogin(t, s, sasl.Plain, "alice", "secret", "")
	wantLogin(t, s, sasl.ScramSHA256, "alice", "secret", sasl.CodeUnknownUser)
}

// What ends, ends in the same second for logins and for those who are in.
func TestExpiryRotationAndRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &File{}
		must(t, f.AddUser("alice", "first", 0, Grant{Expires: time.Now().Add(48 * time.Hour)}))
		key, err := f.AddKey("billing", Grant{})
		must(t, err)
		s := storeOf(t, f)
		first := wantLogin(t, s, sasl.ScramSHA256, "alice", "first", "")
		byKey, err := s.Key(key)
		must(t, err)
		keyHolder := &sasl.Principal{Name: "billing", Kind: sasl.KindKey, Mechanism: sasl.Plain, Credential: byKey.Credential}

		must(t, f.RotateUser("alice", "second", 0, 24*time.Hour))
		newKey, err := f.RotateKey("billing", time.Hour)
		must(t, err)
		s = storeOf(t, f)
		for _, mechanism := range everyMechanism {
			wantLogin(t, s, mechanism, "alice", "second", "")
			kept := wantLogin(t, s, mechanism, "alice", "first", "")
			if ends := time.Until(kept.Expires); ends <= 23*time.Hour || ends > 24*time.Hour {
				t.Errorf("the earlier password ends in %v", ends)
			}
		}
		must(t, s.Check(first))
		must(t, s.Check(keyHolder))

		<-time.After(2 * time.Hour)
		if _, err := s.Key(key); !errors.Is(err, sasl.ErrExpired) {
			t.Errorf("the earlier key after its time: %v", err)
		}
		if err := s.Check(keyHolder); !errors.Is(err, sasl.ErrExpired) {
			t.Errorf("its holder: %v", err)
		}
		if _, err := s.Key(newKey); err != nil {
			t.Error(err)
		}

		<-time.After(23 * time.Hour)
		second := wantLogin(t, s, sasl.ScramSHA512, "alice", "second", "")
		for _, mechanism := range everyMechanism {
			wantLogin(t, s, mechanism, "alice", "first", sasl.CodeWrongPassword)
		}
		if err := s.Check(first); !errors.Is(err, sasl.ErrExpired) {
			t.Error(err)
		}
		must(t, s.Check(second))

		<-time.After(24 * time.Hour)
		for _, mechanism := range everyMechanism {
			wantLogin(t, s, mechanism, "alice", "second", sasl.CodeExpired)
			wantLogin(t, s, mechanism, "alice", "wrong", sasl.CodeExpired)
		}
		if err := s.Check(second); !errors.Is(err, sasl.ErrExpired) {
			t.Error(err)
		}

		must(t, f.Revoke("billing"))
		must(t, f.Revoke("alice"))
		s = storeOf(t, f)
		for _, mechanism := range everyMechanism {
			wantLogin(t, s, mechanism, "alice", "second", sasl.CodeRevoked)
		}
		if account, err := s.Key(newKey); !errors.Is(err, sasl.ErrRevoked) || account.Name != "billing" {
			t.Errorf("%v, %v", account, err)
		}
		if err := s.Check(second); !errors.Is(err, sasl.ErrRevoked) {
			t.Error(err)
		}
		if err := f.Revoke("alice"); !errors.Is(err, ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}

		must(t, f.AddUser("alice", "third", 0, Grant{}))
		s = storeOf(t, f)
		third := wantLogin(t, s, sasl.ScramSHA256, "alice", "third", "")
		must(t, s.Check(third))
		if s.Check(second) == nil {
			t.Error("a new alice revives the session of the one that was revoked")
		}
	})
}

func TestRotatingWithoutKeepingEndsSessions(t *testing.T) {
	f := &File{}
	must(t, f.AddUser("alice", "first", 0, Grant{}))
	s := storeOf(t, f)
	first := wantLogin(t, s, sasl.ScramSHA256, "alice", "first", "")
	must(t, f.RotateUser("alice", "second", 0, 0)) // within the same second
	s = storeOf(t, f)
	if err := s.Check(first); !errors.Is(err, sasl.ErrRevoked) {
		t.Error(err)
	}
	wantLogin(t, s, sasl.ScramSHA256, "alice", "first", sasl.CodeWrongPassword)
	must(t, s.Check(wantLogin(t, s, sasl.ScramSHA256, "alice", "second", "")))
}

func TestAScopeThatIsWithdrawnEndsTheSession(t *testing.T) {
	f := &File{}
	must(t, f.AddUser("alice", "x", 0, Grant{Scopes: []string{"read", "write"}}))
	p := wantLogin(t, storeOf(t, f), sasl.Plain, "alice", "x", "")
	f.Users[0].Scopes = []string{"write", "more"}
	if err := storeOf(t, f).Check(p); !errors.Is(err, sasl.ErrRevoked) {
		t.Error(err)
	}
	f.Users[0].Scopes = []string{"write", "more", "read"}
	must(t, storeOf(t, f).Check(p))
}

func TestCheckOfNobody(t *testing.T) {
	must(t, newStore(&File{}).Check(&sasl.Principal{Name: "ANONYMOUS"}))
	if newStore(&File{}).Check(&sasl.Principal{Name: "x", Mechanism: sasl.Plain}) == nil {
		t.Error("a login without a credential passes")
	}
}

func TestKeys(t *testing.T) {
	f := &File{}
	key, err := f.AddKey("billing", Grant{Scopes: []string{"read"}})
	must(t, err)
	s := storeOf(t, f)
	account, err := s.Key(key)
	if err != nil || account.Name != "billing" || account.Scopes[0] != "read" {
		t.Fatalf("%+v, %v", account, err)
	}
	id, ok := sasl.KeyID(key)
	if !ok || len(key) != 60 {
		t.Fatalf("a key of %d characters", len(key))
	}
	last := map[bool]string{true: "B", false: "A"}[key[len(key)-1] == 'A']
	for name, bad := range map[string]string{
		"of another secret": key[:len(key)-1] + last,
		"cut":               key[:len(key)-1],
		"longer":            key + "A",
		"in other case":     "AGK" + key[3:],
		"the id alone":      sasl.KeyPrefix + id,
		"empty":             "",
	} {
		if account, err := s.Key(bad); !errors.Is(err, sasl.ErrUnknown) || account != nil {
			t.Errorf("%s: %v, %v", name, account, err)
		}
	}
	wantLogin(t, s, sasl.Plain, "whoever", key, "")
}

func TestShapeOfStrangersIsTheCommonest(t *testing.T) {
	kafka := func(n int) Verifier {
		v, err := deriveVerifier(sasl.SHA256, "x", []byte("186qbt2w7pklt2iwskb7gsjx76"), n)
		must(t, err)
		return v
	}
	own, err := NewVerifiers("x", 0)
	must(t, err)
	f := &File{}
	for i, v := range []Verifier{kafka(8192), own[0], kafka(8192), own[0], kafka(8192)} {
		must(t, f.AddVerifiers(fmt.Sprint("u", i), []Verifier{v}, Grant{}))
	}
	s := storeOf(t, f)
	if s.Iterations(sasl.SHA256) != 8192 || !s.SaltShape(sasl.SHA256).Kafka || s.Iterations(sasl.SHA512) != 0 {
		t.Errorf("%+v", s.shapes)
	}
}

// manyUsers is a file of n users who share one password.
func manyUsers(t testing.TB, n int) *File {
	verifiers, err := NewVerifiers("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := &File{}
	for i := range n {
		f.Users = append(f.Users, &User{Entry: Entry{Name: fmt.Sprint("user-", i), Since: time.Unix(1, 0)}, Verifiers: verifiers})
	}
	return f
}

func BenchmarkLookUpAmong100000(b *testing.B) {
	s := newStore(manyUsers(b, 100_000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Scram("user-77777", sasl.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead100000(b *testing.B) {
	data := encode(manyUsers(b, 100_000))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("x", data); err != nil {
			b.Fatal(err)
		}
	}
}
