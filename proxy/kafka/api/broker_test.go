package api_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// A refusal is what a broker with ACLs answers. ASYNCGATE_KAFKA is host:port of a SASL_PLAINTEXT listener of Apache
// Kafka with the StandardAuthorizer, where PLAIN user bob, password bob-secret, has no rights;
// ASYNCGATE_KAFKA_PLAINTEXT is a PLAINTEXT listener of the same broker, for the delegation-token APIs.
func TestRefusalsAreThoseOfABroker(t *testing.T) {
	bootstrap := os.Getenv("ASYNCGATE_KAFKA")
	if bootstrap == "" {
		t.Skip("ASYNCGATE_KAFKA names no broker to compare with")
	}
	bob := dial(t, bootstrap)
	bob.login("bob", "bob-secret")
	anyone := bob
	if plaintext := os.Getenv("ASYNCGATE_KAFKA_PLAINTEXT"); plaintext != "" {
		anyone = dial(t, plaintext)
	}
	versions := bob.versions()
	if _, hi, _ := versions(74); hi < 1 { // before 4.1 groups have no configurations, and one of them fails the rest
		all := resources
		resources = resources[:len(resources)-1]
		t.Cleanup(func() { resources = all })
	}
	compared := 0
	for _, a := range api.All() {
		broker := bob
		switch {
		case a.Class == api.Never && a.Code != 0:
			if anyone == bob {
				continue
			}
			broker = anyone
		case a.Class != api.Admin && a.Key != 32:
			continue
		}
		if len(samples[a.Key]) == 0 {
			t.Errorf("%s: no sample request", a.Name())
		}
		lo, hi, ok := versions(a.Key)
		if !ok {
			t.Logf("%s: not offered by this broker", a.Name())
			continue
		}
		for version := lo; version <= min(hi, a.Max()); version++ {
			for i, sample := range samples[a.Key] {
				t.Run(fmt.Sprintf("%s_v%d_%d", a.Name(), version, i), func(t *testing.T) {
					r := sample(version)
					body := r.AppendTo(nil)
					want := broker.ask(r)
					h := wire.RequestHeader{Key: a.Key, Version: version, Correlation: 1}
					frame, err := api.Refuse(h, body)
					if err != nil {
						t.Fatal(err)
					}
					got := decodeFrame(t, a.Key, version, frame[4:])
					if diff := gocmp.Diff(plain(want), plain(got)); diff != "" {
						t.Errorf("- broker, + gateway:\n%s", diff)
					}
					compared++
				})
			}
		}
	}
	t.Logf("%d refusals compared", compared)
}

// plain is a response without what differs by intent: messages (a broker's name connections and addresses) and order.
func plain(m kmsg.Response) any {
	b, _ := json.Marshal(m)
	b = regexp.MustCompile(`"ErrorMessage":("(\\"|[^"])*"|null)`).ReplaceAll(b, []byte(`"ErrorMessage":null`))
	b = regexp.MustCompile(`"(TokenRequester)?PrincipalName":"[^"]*"`).ReplaceAll(b, []byte(`"PrincipalName":""`)) // the client's own, which it knows
	b = bytes.ReplaceAll(b, []byte(`"RecordBatches":null`), []byte(`"RecordBatches":""`))                          // Kafka 3 and 4 differ
	b = regexp.MustCompile(`"Version":\d+,"ThrottleMillis":\d+`).ReplaceAll(b, []byte(`"ThrottleMillis":0`))
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		panic(err)
	}
	return sorted(v)
}

// sorted orders lists: a broker answers in the order of its hash tables.
func sorted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = sorted(v[k])
		}
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return v
}

// conn is a connection to a real broker.
type conn struct {
	t *testing.T
	net.Conn
}

func dial(t *testing.T, address string) *conn {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &conn{t, c}
}

func (c *conn) ask(r kmsg.Request) kmsg.Response {
	c.t.Helper()
	frame := wire.AppendRequestHeader(make([]byte, 4), r.Key(), r.GetVersion(), 1, "test")
	frame = r.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write(frame); err != nil {
		c.t.Fatal(err)
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		c.t.Fatalf("%s v%d: %v", wire.Name(r.Key()), r.GetVersion(), err)
	}
	payload := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(c, payload); err != nil {
		c.t.Fatal(err)
	}
	return decodeFrame(c.t, r.Key(), r.GetVersion(), payload)
}

func (c *conn) login(user, password string) {
	h := kmsg.NewPtrSASLHandshakeRequest()
	h.Version, h.Mechanism = 1, "PLAIN"
	c.ask(h)
	a := kmsg.NewPtrSASLAuthenticateRequest()
	a.SASLAuthBytes = []byte("\x00" + user + "\x00" + password)
	if r := c.ask(a).(*kmsg.SASLAuthenticateResponse); r.ErrorCode != 0 {
		c.t.Fatalf("login of %s: error %d", user, r.ErrorCode)
	}
}

func (c *conn) versions() func(key int16) (lo, hi int16, ok bool) {
	r := c.ask(kmsg.NewPtrApiVersionsRequest()).(*kmsg.ApiVersionsResponse)
	return func(key int16) (lo, hi int16, ok bool) {
		for _, k := range r.ApiKeys {
			if k.ApiKey == key {
				return k.MinVersion, k.MaxVersion, true
			}
		}
		return 0, 0, false
	}
}

func decodeFrame(t *testing.T, key, version int16, payload []byte) kmsg.Response {
	t.Helper()
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		t.Fatal(err)
	}
	m, err := wire.DecodeResponse(key, version, payload[n:])
	if err != nil {
		t.Fatalf("%s v%d: %v\n%x", wire.Name(key), version, err, payload)
	}
	return m
}
