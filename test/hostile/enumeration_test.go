package hostile_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/internal/throwaway"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// road is one way to log in, as testdata/enumeration.txt has it.
type road struct {
	name, on string
	audits   []string // codes of the audit records
	says     []string
}

// claimant is somebody who does not get in.
type claimant struct {
	name  string // of the case
	user  string
	token string
	key   string
}

// known is the only user of the gateway.
const known = "alice"

// strangers are names that nobody has: as long as the known one, shorter, longer, and with letters of their own.
var strangers = []string{"carol", "z", strings.Repeat("nobody-", 20), "zoë"}

// TestAnswersDoNotTellWhoIsKnown has every road gone by somebody who is known and by strangers. They are answered the same
// bytes; of SCRAM's nonce and salt, which are random, the same number, and to the same name the same salt each time.
func TestAnswersDoNotTellWhoIsKnown(t *testing.T) {
	e := newEnumeration(t)
	for _, r := range roads(t) {
		t.Run(r.name, func(t *testing.T) {
			var want string
			for _, c := range e.claimants(t, r) {
				got, salts := e.try(t, r, c)
				again, saltsAgain := e.try(t, r, c)
				if got != again || salts != saltsAgain {
					t.Errorf("%s: answered %q with salt %q, then %q with salt %q", c.name, got, salts, again, saltsAgain)
				}
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s is answered\n%q, others\n%q", c.name, got, want)
				}
			}
			if want == "" {
				t.Error("nobody is answered")
			}
			for _, code := range r.audits {
				e.gateway.Log.Wait(t, patience, func(r inprocess.Record) bool { return r.Logger == "audit" && r.Field("code") == code })
			}
			for _, r := range e.gateway.Log.Records(func(r inprocess.Record) bool { return r.Field("decision") == "allow" }) {
				t.Errorf("somebody got in: %s", r.Text)
			}
			e.gateway.Log.Forget()
		})
	}
}

// BenchmarkRefusal compares what a refusal takes, by who is refused: the medians of the two belong together.
func BenchmarkRefusal(b *testing.B) {
	e := newEnumeration(b)
	for _, r := range roads(b) {
		for _, c := range e.claimants(b, r)[:2] {
			b.Run(r.name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					e.try(b, r, c)
				}
			})
		}
	}
}

// roads reads the file.
func roads(t testing.TB) (all []road) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "enumeration.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		r := road{name: name}
		for line := range strings.Lines(rest) {
			switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
			case "on":
				r.on = rest
			case "audit":
				r.audits = strings.Fields(rest)
			case ">":
				r.says = append(r.says, rest)
			case "":
			default:
				t.Fatalf("enumeration.txt: %s: %q", name, line)
			}
		}
		all = append(all, r)
	}
	return all
}

// enumeration is a gateway that takes passwords, keys and tokens on every road.
type enumeration struct {
	gateway *inprocess.Gateway
	issuer  *throwaway.Issuer
	keys    map[string]string // of claimants, by what is wrong with each
}

// keyring is a directory of users that has API keys too.
type keyring struct {
	*inprocess.Users
	keys *credentials.Store
}

// Key is of [sasl.Directory].
func (k keyring) Key(key string) (*sasl.Account, error) { return k.keys.Key(key) }

// newKeyring has a key of the known user's and one that was revoked. What it returns besides are keys that let nobody in: the
// first with the id of one that would.
func newKeyring(t testing.TB) (keyring, map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials.yaml")
	var key, revoked string
	err := credentials.Create(path)
	if err == nil {
		err = credentials.Edit(path, func(f *credentials.File) error {
			var faults [3]error
			key, faults[0] = f.AddKey(known, credentials.Grant{})
			revoked, faults[1] = f.AddKey("revoked", credentials.Grant{})
			faults[2] = f.Revoke("revoked")
			return errors.Join(faults[:]...)
		})
	}
	var store *credentials.Store
	if err == nil {
		store, err = credentials.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := credentials.NewKey()
	id := len(sasl.KeyPrefix) + sasl.KeyIDLength
	return keyring{inprocess.NewUsers(t, known), store}, map[string]string{
		known: key[:id] + stranger[id:], "stranger": stranger, "revoked": revoked, "of another form": sasl.KeyPrefix + "x",
		"too long": sasl.KeyPrefix + strings.Repeat("x", 200),
	}
}

func newEnumeration(t testing.TB) *enumeration {
	t.Helper()
	issuer, err := throwaway.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	broker := canary.StartMQTT(t)
	p := inprocess.MQTTPlan(inprocess.PlanOptions{Bootstrap: []string{"mqtt://" + broker.Address()}})
	p.Servers = nil
	p.Tokens = []plan.Issuer{{Issuer: issuer.URL(), Audiences: []string{"gateway"}, JWKS: issuer.URL() + "/jwks"}}
	way := func(kind, in string, mechanisms ...string) plan.Alternative {
		return plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: kind, In: in, Mechanisms: mechanisms, Issuers: []string{issuer.URL()}}}}
	}
	add := func(name, protocol, upstream string, ways ...plan.Alternative) *plan.Server {
		p.Servers = append(p.Servers, plan.Server{
			Name: name, Protocol: protocol, Enforced: true, Listen: "127.0.0.1:0", Advertise: plan.Address{Host: "127.0.0.1"},
			Alternatives: ways, Upstream: plan.Upstream{Bootstrap: []string{upstream}, Identity: plan.IdentityService},
		})
		return &p.Servers[len(p.Servers)-1]
	}
	add("kafka", "kafka", "127.0.0.1:1", // nobody gets so far
		way("userPassword", "", sasl.ScramSHA512, sasl.ScramSHA256, sasl.Plain), way("openIdConnect", "", sasl.OAuthBearer),
		way("apiKey", "user", sasl.Plain), way("apiKey", "password", sasl.Plain))
	add("mqtt", "mqtt", "mqtt://"+broker.Address(), way("userPassword", "", sasl.Password), way("plain", "", sasl.Plain),
		way("scramSha256", "", sasl.ScramSHA256), way("scramSha512", "", sasl.ScramSHA512),
		way("openIdConnect", "", sasl.OAuthBearer, sasl.Password), way("apiKey", "user", sasl.Password),
		way("apiKey", "password", sasl.Password)).MQTT = &plan.MQTT{ClientIDs: plan.DerivedIDs}
	inHTTP := func(in string) plan.Alternative {
		a := way("httpApiKey", in, sasl.HTTPKey)
		a.All[0].Name = "key"
		return a
	}
	add("ws", "ws", "mqtt://"+broker.Address(), way("http", "basic", sasl.Basic), way("http", "bearer", sasl.Header),
		inHTTP("header"), inHTTP("query"), inHTTP("cookie")).MQTT = &plan.MQTT{ClientIDs: plan.DerivedIDs, WebSocket: true}
	users, keys := newKeyring(t)
	return &enumeration{inprocess.Start(t, p, users), issuer, keys}
}

// claimants are who goes a road: the one who is known first, a stranger second.
func (e *enumeration) claimants(t testing.TB, r road) (all []claimant) {
	t.Helper()
	says := strings.Join(r.says, "")
	if strings.Contains(says, "{key}") {
		all = append(all, claimant{name: known, key: e.keys[known]}, claimant{name: "stranger", key: e.keys["stranger"]})
		for name, key := range e.keys {
			all = append(all, claimant{name: name, key: key})
		}
		return all
	}
	if !strings.Contains(says, "{token}") {
		all = append(all, claimant{name: known, user: known})
		for i, name := range strangers {
			all = append(all, claimant{name: fmt.Sprintf("stranger %d", i+1), user: name})
		}
		return all
	}
	for _, fault := range []struct {
		name   string
		change func(map[string]any)
		cut    bool
	}{
		{"expired", func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }, false},
		{"for another", func(c map[string]any) { c["aud"] = "billing" }, false},
		{"of another", func(c map[string]any) { c["iss"] = "https://id.example.org" }, false},
		{"forged", func(map[string]any) {}, true},
	} {
		for _, user := range []string{known, "carol"} {
			claims := e.issuer.Claims(user, "gateway", time.Hour)
			fault.change(claims)
			token, err := e.issuer.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			if fault.cut {
				token = token[:strings.LastIndexByte(token, '.')+1] + strings.Repeat("A", 342)
			}
			all = append(all, claimant{name: user + " " + fault.name, user: user, token: token})
		}
	}
	return append(all, claimant{name: "not signed", user: known, token: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."})
}

var (
	nonceOf = regexp.MustCompile(`r=([^,]+)`)
	saltOf  = regexp.MustCompile(`s=([^,]+)`)
	dated   = regexp.MustCompile(`Date: [^\r]+`)
)

// try goes a road once. It returns what was answered, without what is random in it, and the salt apart.
func (e *enumeration) try(t testing.TB, r road, c claimant) (shape, salt string) {
	t.Helper()
	conn, err := net.Dial("tcp", e.gateway.Addresses[r.on])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	var all strings.Builder
	with := map[string]string{"{user}": c.user, "{token}": c.token, "{key}": c.key, "{basic}": base64.StdEncoding.EncodeToString([]byte(c.user + ":wrong"))}
	for i, text := range r.says {
		for name, value := range with {
			text = strings.ReplaceAll(text, name, value)
		}
		if _, err := conn.Write(spoken(t, text, int32(i))); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if i == len(r.says)-1 {
			break
		}
		answer, err := oneAnswer(conn, r.on)
		if err != nil {
			t.Fatalf("%s: after message %d: %v", c.name, i+1, err)
		}
		if m := nonceOf.FindStringSubmatch(answer); m != nil {
			with["{r}"] = m[1]
		}
		all.WriteString(answer)
	}
	rest, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%s: the end: %v", c.name, err)
	}
	all.Write(rest)
	got := dated.ReplaceAllString(all.String(), "Date: now")
	if m := saltOf.FindStringSubmatch(got); m != nil {
		salt = m[1]
	}
	hidden := func(m string) string { return m[:2] + strings.Repeat("?", len(m)-2) }
	return saltOf.ReplaceAllStringFunc(nonceOf.ReplaceAllStringFunc(got, hidden), hidden), salt
}

// spoken are the bytes of one message.
func spoken(t testing.TB, text string, correlation int32) []byte {
	t.Helper()
	verb, argument, _ := strings.Cut(text, " ")
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("s05"))
	switch verb {
	case "handshake":
		r := kmsg.NewPtrSASLHandshakeRequest()
		r.Version, r.Mechanism = 1, argument
		return formatter.AppendRequest(nil, r, correlation)
	case "auth":
		said, err := strconv.Unquote(argument)
		if err != nil {
			t.Fatalf("enumeration.txt: %s: %v", text, err)
		}
		r := kmsg.NewPtrSASLAuthenticateRequest()
		r.Version, r.SASLAuthBytes = 1, []byte(said)
		return formatter.AppendRequest(nil, r, correlation)
	}
	return spell(text)
}

// oneAnswer reads a frame of Kafka, or a packet of MQTT that is shorter than 128 or 16,384 bytes.
func oneAnswer(conn net.Conn, on string) (string, error) {
	head := make([]byte, 4)
	if on != "kafka" {
		head = head[:2]
	}
	if _, err := io.ReadFull(conn, head); err != nil {
		return "", err
	}
	prefix, length := string(head), int(head[1])
	if on == "kafka" {
		length = int(binary.BigEndian.Uint32(head))
	} else if length >= 0x80 {
		more := make([]byte, 1)
		if _, err := io.ReadFull(conn, more); err != nil {
			return "", err
		}
		prefix, length = prefix+string(more), length&0x7f|int(more[0])<<7
	}
	body := make([]byte, min(length, 1<<16))
	_, err := io.ReadFull(conn, body)
	return prefix + string(body), err
}
