package sasl

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var decoySecret = []byte("the decoys' secret")

// vectors reads a file of hostile messages and what becomes of them.
func vectors[T any](t testing.TB, name string) []T {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var all []T
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(name, err)
	}
	return all
}

func TestScramFirstMessage(t *testing.T) {
	m := NewScram(SHA256, newBook(t).dir, decoySecret)
	for _, v := range vectors[struct{ Name, Message, Code, Public string }](t, "scram-first.json") {
		t.Run(v.Name, func(t *testing.T) {
			step := m.Start(Peer{}).Next(t.Context(), []byte(v.Message))
			if v.Code == "" {
				if step.Done() || !strings.HasPrefix(string(step.Out), "r=") {
					t.Fatalf("not answered with a challenge: %+v", step)
				}
				return
			}
			if v.Public == "" {
				v.Public = publicInvalid(ScramSHA256)
			}
			wantReject(t, step, v.Code, v.Public)
		})
	}
}

func wantReject(t *testing.T, step Step, code, public string) {
	t.Helper()
	if step.Reject == nil || step.Principal != nil || len(step.Out) > 0 {
		t.Fatalf("not a plain reject: %+v", step)
	}
	got := *step.Reject
	if got.Private == "" || got.Private == got.Public {
		t.Error("no private reason")
	}
	got.Private, got.Mechanism, got.Claimed = "", "", "" // TestARefusalNamesTheMechanismAndWhoWasClaimed
	if diff := cmp.Diff(Reject{Stage: StageLogin, Code: code, Public: public}, got); diff != "" {
		t.Errorf("%s\nprivate: %s", diff, step.Reject.Private)
	}
}

// attempt is alice's login up to the final message, made by hand.
type attempt struct {
	t                     *testing.T
	exchange              Exchange
	client, first, server string
}

func (a *attempt) begin(m Mechanism, first string) {
	a.client = "rOprNGfwEbeRWgbNEkqO"
	if first == "" {
		first = "n,,n=alice,r={client}"
	}
	a.first = strings.ReplaceAll(first, "{client}", a.client)
	a.exchange = m.Start(Peer{})
	step := a.exchange.Next(a.t.Context(), []byte(a.first))
	if step.Done() {
		a.t.Fatalf("first message: %v", step.Reject)
	}
	a.server = string(step.Out)
}

func (a *attempt) nonce() string { return strings.TrimPrefix(strings.Split(a.server, ",")[0], "r=") }

// proof is what alice's password proves for a final message.
func (a *attempt) proof(withoutProof string) []byte {
	bare := a.first[strings.Index(a.first, "n="):]
	salt, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.Split(a.server, ",")[1], "s="))
	if err != nil {
		a.t.Fatal(err)
	}
	stored := derive(a.t, SHA256, "alice-secret", salt, 4096)
	signature := mac(SHA256, stored.StoredKey, bare+","+a.server+","+withoutProof)
	key := saltedMAC(a.t, SHA256, "alice-secret", salt, 4096, "Client Key")
	for i := range signature {
		signature[i] ^= key[i]
	}
	return signature
}

func TestScramFinalMessage(t *testing.T) {
	m := NewScram(SHA256, newBook(t).dir, decoySecret)
	earlier := &attempt{t: t}
	earlier.begin(m, "")
	earlierProof := base64.StdEncoding.EncodeToString(earlier.proof("c=biws,r=" + earlier.nonce()))

	for _, v := range vectors[struct{ Name, Message, Code, First string }](t, "scram-final.json") {
		t.Run(v.Name, func(t *testing.T) {
			a := &attempt{t: t}
			a.begin(m, v.First)
			text := strings.NewReplacer("{nonce}", a.nonce(), "{nonce-short}", a.nonce()[:len(a.nonce())-1],
				"{client}", a.client, "{server}", strings.TrimPrefix(a.nonce(), a.client),
				"{earlier}", earlier.nonce(), "{earlier-proof}", earlierProof).Replace(v.Message)
			withoutProof, _, _ := strings.Cut(text, ",p=")
			proof := a.proof(withoutProof)
			encode := base64.StdEncoding.EncodeToString
			wrong := bytes.Clone(proof)
			wrong[0] ^= 1
			long := append(bytes.Clone(proof), proof...)
			text = strings.NewReplacer("{proof}", encode(proof), "{wrong}", encode(wrong), "{zeros}", encode(make([]byte, 32)),
				"{proof-unpadded}", strings.TrimRight(encode(proof), "="), "{proof-0}", "", "{proof-1}", encode(long[:1]),
				"{proof-31}", encode(long[:31]), "{proof-33}", encode(long[:33]), "{proof-64}", encode(long)).Replace(text)

			step := a.exchange.Next(t.Context(), []byte(text))
			if v.Code != "" {
				wantReject(t, step, v.Code, publicInvalid(ScramSHA256))
			} else if step.Principal == nil || !strings.HasPrefix(string(step.Out), "v=") {
				t.Fatalf("not accepted: %v", step.Reject)
			}
			wantReject(t, a.exchange.Next(t.Context(), []byte(text)), CodeOutOfOrder, publicInvalid(ScramSHA256))
		})
	}
}

// RFC 7677 section 3.
func TestScramExampleOfTheRFC(t *testing.T) {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	b := &book{users: map[string]map[Hash]*ScramEntry{"user": {SHA256: {
		Account: Account{Name: "user"}, Salt: salt, Iterations: 4096, Keys: []ScramKeys{derive(t, SHA256, "pencil", salt, 4096)},
	}}}}
	m := NewScram(SHA256, b.dir, nil).(*scramMechanism)
	m.nonce = func() string { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" }
	x := m.Start(Peer{})
	out := x.Next(t.Context(), []byte("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")).Out
	if want := "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"; string(out) != want {
		t.Fatalf("server's first message\n%s, not\n%s", out, want)
	}
	step := x.Next(t.Context(), []byte("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
	if want := "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="; string(step.Out) != want {
		t.Fatalf("server's final message %q, not %q (%v)", step.Out, want, step.Reject)
	}
}

// people log in with clients that others wrote.
func TestScramWithOtherClients(t *testing.T) {
	b := newBook(t)
	clients := map[string]func(h Hash, user, password string) func(string) (string, error){
		"xdg-go": func(h Hash, user, password string) func(string) (string, error) {
			client, err := h.generator().NewClientUnprepped(user, password, "")
			if err != nil {
				t.Fatal(err)
			}
			return client.NewConversation().Step
		},
		"franz-go": func(h Hash, user, password string) func(string) (string, error) {
			auth := scram.Auth{User: user, Pass: password}
			mechanism := auth.AsSha256Mechanism()
			if h == SHA512 {
				mechanism = auth.AsSha512Mechanism()
			}
			session, first, err := mechanism.Authenticate(t.Context(), "host")
			return func(in string) (string, error) {
				if in == "" {
					return string(first), err
				}
				_, out, err := session.Challenge([]byte(in))
				return string(out), err
			}
		},
		"our own": func(h Hash, user, password string) func(string) (string, error) {
			client, err := NewClient(h.mechanism(), user, []byte(password))
			if err != nil {
				t.Fatal(err)
			}
			return func(in string) (string, error) {
				out, _, err := client.Next([]byte(in))
				return string(out), err
			}
		},
	}
	for name, client := range clients {
		for _, h := range []Hash{SHA256, SHA512} {
			for _, login := range []struct{ user, password, code, credential string }{
				{"alice", "alice-secret", "", "user:alice"},
				{"a,b=c", "a,b=c-secret", "", "user:a,b=c"},
				{"zoë", "zoë-secret", "", "user:zoë"},
				{"rita", "rita-secret", "", "user:rita"},
				{"rita", "rita-earlier", "", "user:rita#1"},
				{"alice", "wrong", CodeWrongPassword, ""},
				{"stranger", "x", CodeUnknownUser, ""},
				{"carol", "carol-secret", CodeExpired, ""},
				{"mallory", "mallory-secret", CodeRevoked, ""},
			} {
				t.Run(name+" "+string(h)+" "+login.user+" "+login.password, func(t *testing.T) {
					next := client(h, login.user, login.password)
					x := NewScram(h, b.dir, decoySecret).Start(Peer{})
					in := ""
					for {
						out, err := next(in)
						if err != nil {
							t.Fatalf("the client says %v", err)
						}
						step := x.Next(t.Context(), []byte(out))
						if step.Reject != nil {
							wantReject(t, step, login.code, publicInvalid(h.mechanism()))
							return
						}
						in = string(step.Out)
						if p := step.Principal; p != nil {
							if p.Name != login.user || p.Credential != login.credential || p.Mechanism != h.mechanism() || p.Kind != KindUser {
								t.Errorf("principal %+v", p)
							}
							if earlier := strings.HasSuffix(login.credential, "#1"); earlier == p.Expires.IsZero() {
								t.Errorf("ends %v", p.Expires)
							}
							if _, err := next(in); err != nil {
								t.Errorf("the client does not believe the server: %v", err)
							}
							return
						}
					}
				})
			}
		}
	}
}

// A stranger sees what a user sees: as many messages, of the same shape and length.
func TestScramDoesNotTellStrangersFromUsers(t *testing.T) {
	b := newBook(t)
	for _, h := range []Hash{SHA256, SHA512} {
		m := NewScram(h, b.dir, decoySecret)
		var shapes []string
		for _, user := range []string{"alice", "stranger", "carol", "mallory"} {
			client, err := NewClient(h.mechanism(), user, []byte("wrong"))
			if err != nil {
				t.Fatal(err)
			}
			x, shape := m.Start(Peer{}), ""
			for step := (Step{}); !step.Done(); {
				out, _, err := client.Next(step.Out)
				if err != nil {
					t.Fatal(err)
				}
				step = x.Next(t.Context(), out)
				for _, field := range strings.Split(string(step.Out), ",") {
					shape += field[:min(2, len(field))] + strings.Repeat("x", max(0, len(field)-2)) + ","
				}
				if step.Reject != nil {
					shape += " " + step.Reject.Public
				}
			}
			shapes = append(shapes, shape)
		}
		for _, shape := range shapes[1:] {
			if shape != shapes[0] {
				t.Errorf("%s: %q, and a user gets %q", h, shape, shapes[0])
			}
		}
	}
}

func TestScramDecoysAreStable(t *testing.T) {
	b := newBook(t)
	challenge := func(m Mechanism, user string) string {
		out := string(m.Start(Peer{}).Next(t.Context(), []byte("n,,n="+user+",r=x")).Out)
		return out[strings.Index(out, ",s="):]
	}
	one, two := NewScram(SHA256, b.dir, decoySecret), NewScram(SHA256, b.dir, decoySecret)
	if challenge(one, "stranger") != challenge(two, "stranger") {
		t.Error("two instances with one secret answer a stranger differently")
	}
	if challenge(one, "stranger") == challenge(one, "another") {
		t.Error("two strangers have one salt")
	}
	if challenge(one, "stranger") == challenge(NewScram(SHA256, b.dir, []byte("other")), "stranger") {
		t.Error("the salt does not depend on the secret")
	}
	random := NewScram(SHA256, b.dir, nil)
	again := challenge(random, "stranger")
	if challenge(random, "stranger") != again || challenge(random, "stranger") == challenge(one, "stranger") {
		t.Error("without a secret the decoys have to be random, and stable while the process lives")
	}
}

// shaped is a book that knows what its salts look like.
type shaped struct {
	*book
	shape SaltShape
}

func (s shaped) SaltShape(Hash) SaltShape { return s.shape }

func TestDecoySaltsLookLikeTheStoresOwn(t *testing.T) {
	b, d := newBook(t), newDecoys(decoySecret, SHA512)
	for _, n := range []int{0, 8, 16, 32, 64, 200} {
		want := n
		if n == 0 {
			want = 16
		}
		if got := len(d.entry("stranger", shaped{b, SaltShape{Length: n}}).Salt); got != want {
			t.Errorf("%d bytes for a store with salts of %d", got, n)
		}
	}
	lengths := map[int]int{}
	for i := range 200 {
		salt := d.entry(strings.Repeat("s", i), shaped{b, SaltShape{Kafka: true}}).Salt
		lengths[len(salt)]++
		if strings.Trim(string(salt), "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("not a salt of Kafka's: %q", salt)
		}
	}
	if lengths[25] < 60 || lengths[26] < 60 {
		t.Errorf("lengths %v: Kafka's are about as often 25 as 26", lengths)
	}
}

func TestScramAsksTheDirectoryOfTheMoment(t *testing.T) {
	dir := &book{}
	m := NewScram(SHA256, func() Directory { return dir }, decoySecret)
	before := m.Start(Peer{})
	dir = newBook(t)
	for _, x := range []struct {
		exchange Exchange
		known    bool
	}{{before, false}, {m.Start(Peer{}), true}} {
		step := x.exchange.Next(t.Context(), []byte("n,,n=alice,r=x"))
		salt := base64.StdEncoding.EncodeToString(dir.users["alice"][SHA256].Salt)
		if known := strings.Contains(string(step.Out), salt); known != x.known {
			t.Errorf("alice known: %v, not %v", known, x.known)
		}
	}
}

func TestScramWithABrokenDirectory(t *testing.T) {
	m := NewScram(SHA256, func() Directory { return broken{newBook(t)} }, decoySecret)
	client, err := NewClient(ScramSHA256, "alice", []byte("alice-secret"))
	if err != nil {
		t.Fatal(err)
	}
	x := m.Start(Peer{})
	first, _, _ := client.Next(nil)
	final, _, err := client.Next(x.Next(t.Context(), first).Out)
	if err != nil {
		t.Fatal(err)
	}
	wantReject(t, x.Next(t.Context(), final), CodeDirectoryFailure, publicInvalid(ScramSHA256))
}

// broken fails at every look-up, and answers all the same.
type broken struct{ *book }

func (b broken) Scram(user string, h Hash) (*ScramEntry, error) {
	entry, _ := b.book.Scram(user, h)
	return entry, errors.New("the disk is gone")
}

func BenchmarkScramServer(b *testing.B) {
	for _, h := range []Hash{SHA256, SHA512} {
		b.Run(string(h), func(b *testing.B) {
			m := NewScram(h, newBook(b).dir, decoySecret).(*scramMechanism)
			m.nonce = func() string { return "fixed" } // so that one final message is good for every round
			client, err := NewClient(h.mechanism(), "alice", []byte("alice-secret"))
			if err != nil {
				b.Fatal(err)
			}
			first, _, _ := client.Next(nil)
			final, _, err := client.Next(m.Start(Peer{}).Next(b.Context(), first).Out)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				x := m.Start(Peer{})
				x.Next(b.Context(), first)
				if step := x.Next(b.Context(), final); step.Principal == nil {
					b.Fatal(step.Reject)
				}
			}
		})
	}
}

func TestARefusalNamesTheMechanismAndWhoWasClaimed(t *testing.T) {
	dir := newBook(t).dir
	key := KeyPrefix + "0123456789abcdef_secret"
	for _, c := range []struct {
		mechanism Mechanism
		sent      string
		claimed   string
	}{
		{NewPlain(PlainOptions{Users: true}, dir), "\x00alice\x00guess", "alice"},
		{NewPlain(PlainOptions{KeyInUser: true}, dir), "\x00" + key + "\x00x", ""}, // a key is no name
		{NewPlain(PlainOptions{Users: true}, dir), "alice", ""},
		{NewScram(SHA256, dir, nil), "p=tls-unique,,n=alice,r=abc", ""},
	} {
		step := c.mechanism.Start(Peer{}).Next(t.Context(), []byte(c.sent))
		if step.Reject == nil || step.Reject.Mechanism != c.mechanism.Name() || step.Reject.Claimed != c.claimed {
			t.Errorf("%s, %.20q: %+v, want a refusal of %q", c.mechanism.Name(), c.sent, step.Reject, c.claimed)
		}
	}
}
