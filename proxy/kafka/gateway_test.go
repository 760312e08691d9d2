package kafka_test

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka"
	"github.com/asyncgate/asyncgate/sasl"
)

// directory knows the users of a test, with the password NAME-secret.
type directory map[string]*sasl.ScramEntry

func users(names ...string) directory {
	d := directory{}
	for _, name := range names {
		d[name] = &sasl.ScramEntry{Account: sasl.Account{Name: name, Credential: "user:" + name}, Salt: []byte("salt-of-" + name), Iterations: 4096}
		salted, err := pbkdf2.Key(sha256.New, name+"-secret", d[name].Salt, 4096, sha256.Size)
		if err != nil {
			panic(err)
		}
		mac := func(text string) []byte {
			m := hmac.New(sha256.New, salted)
			m.Write([]byte(text))
			return m.Sum(nil)
		}
		stored := sha256.Sum256(mac("Client Key"))
		d[name].Keys = []sasl.ScramKeys{{StoredKey: stored[:], ServerKey: mac("Server Key")}}
	}
	return d
}

func (d directory) Scram(user string, hash sasl.Hash) (*sasl.ScramEntry, error) {
	if e := d[user]; e != nil && hash == sasl.SHA256 {
		return e, nil
	}
	return nil, sasl.ErrUnknown
}
func (d directory) Key(string) (*sasl.Account, error) { return nil, sasl.ErrUnknown }
func (d directory) Certificate(c *x509.Certificate) (*sasl.Account, error) {
	if d[c.Subject.CommonName] == nil {
		return nil, sasl.ErrUnknown
	}
	return &sasl.Account{Name: c.Subject.CommonName, Credential: "certificate:" + c.Subject.CommonName}, nil
}
func (d directory) Check(p *sasl.Principal) error {
	if d[p.Name] == nil {
		return sasl.ErrRevoked
	}
	return nil
}
func (d directory) Iterations(sasl.Hash) int { return 4096 }

// world is a gateway in front of embedded brokers.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	gateway *proxy.Gateway
	plan    *plan.Plan
	logs    *observer.ObservedLogs
	address string       // of the server's bootstrap
	drain   func()       // begins the drain
	serving atomic.Int64 // connections
}

// start runs a gateway with one server, "kafka", that asks for SCRAM-SHA-256 in clear; change edits the plan first.
func start(t *testing.T, change func(*plan.Plan)) *world {
	t.Helper()
	cluster := kfake.MustCluster(kfake.NumBrokers(3), kfake.SeedTopics(3, "lights"))
	t.Cleanup(cluster.Close)
	w := startBefore(t, cluster.ListenAddrs(), change)
	w.cluster = cluster
	return w
}

// startBefore is the same in front of any brokers.
func startBefore(t *testing.T, bootstrap []string, change func(*plan.Plan)) *world {
	t.Helper()
	return startWith(t, bootstrap, sasl.NoTokens{}, change)
}

// startWith is the same with a judge of tokens.
func startWith(t *testing.T, bootstrap []string, tokens sasl.Tokens, change func(*plan.Plan)) *world {
	t.Helper()
	limits := plan.DefaultLimits()
	p := &plan.Plan{
		Document: "test.yml", Limits: limits,
		Servers: []plan.Server{{
			Name: "kafka", Protocol: "kafka", Enforced: true,
			Listen: "127.0.0.1:0", Advertise: plan.Address{Host: "127.0.0.1"},
			Alternatives: []plan.Alternative{{Enabled: true, All: []plan.Requirement{{
				Scheme: "scram", Type: "scramSha256", Mechanisms: []string{sasl.ScramSHA256}}}}},
			Upstream: plan.Upstream{Bootstrap: bootstrap, Identity: "service"},
		}},
	}
	if change != nil {
		change(p)
	}
	w := &world{t: t, plan: p}
	core, logs := observer.New(zapcore.InfoLevel)
	gateway, err := proxy.New(proxy.Config{
		Plan: p, Log: zap.New(core), Protocols: []proxy.Protocol{counting{kafka.New(), &w.serving}},
		Directory: func(*plan.Plan) (sasl.Directory, error) { return users("alice", "ops"), nil },
		Tokens:    func(*plan.Plan) (sasl.Tokens, error) { return tokens, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	w.gateway, w.logs, w.drain = gateway, logs, stop
	eventually(t, "the gateway is ready", func() bool { return logs.FilterMessage("ready").Len() > 0 })
	w.address = fmt.Sprint(logs.FilterMessage("ready").All()[0].ContextMap()["servers"])
	w.address = w.address[strings.Index(w.address, "127.0.0.1:"):]
	w.address = w.address[:strings.IndexAny(w.address, " }]")]
	return w
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if is() {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%s: not within 30 s", what)
}

// client is a franz-go client of the gateway.
func (w *world) client(opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	base := []kgo.Opt{kgo.SeedBrokers(w.address), kgo.RetryTimeout(5 * time.Second), kgo.RequestRetries(2)}
	cl, err := kgo.NewClient(append(base, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(cl.Close)
	return cl
}

func as(user, password string) kgo.Opt {
	return kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism())
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAClientProducesAndConsumesThroughThreeBrokers(t *testing.T) {
	w := start(t, nil)
	var dialled atomic.Pointer[[]string]
	dialled.Store(&[]string{})
	cl := w.client(as("alice", "alice-secret"), kgo.ConsumeTopics("lights"), kgo.ConsumerGroup("alice"),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), // every partition, and so every broker
		kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
			seen := append(slices.Clone(*dialled.Load()), host)
			dialled.Store(&seen)
			return (&net.Dialer{}).DialContext(ctx, network, host)
		}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range 30 {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "lights", Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for got < 30 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", got, err)
		}
		got += fetches.NumRecords()
	}
	for _, host := range *dialled.Load() {
		if slices.Contains(w.cluster.ListenAddrs(), host) {
			t.Errorf("the client went around the gateway, to %s", host)
		}
	}
}

func TestWhoeverDoesNotProveItselfIsRefusedAndReachesNoBroker(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  kgo.Opt
		code string
	}{
		{"a wrong password", as("alice", "guess"), "wrong-password"},
		{"an unknown user", as("mallory", "guess"), "unknown-user"},
		{"a mechanism that is not offered", kgo.SASL(plain.Auth{User: "alice", Pass: "alice-secret"}.AsMechanism()), "unsupported-mechanism"},
		{"no login at all", kgo.ClientID("x"), "login-required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, nil)
			var reached atomic.Int32
			w.cluster.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.KeepControl()
				switch r := r.(type) { // the gateway itself asks for versions and brokers, and for no topic
				case *kmsg.ApiVersionsRequest:
				case *kmsg.MetadataRequest:
					if r.Topics == nil || len(r.Topics) > 0 {
						reached.Add(1)
					}
				default:
					reached.Add(1)
				}
				return nil, nil, false
			})
			cl := w.client(c.opt, kgo.RequestRetries(0))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := cl.Ping(ctx); err == nil {
				t.Fatal("it was let in")
			}
			if n := reached.Load(); n > 0 {
				t.Errorf("%d requests reached a broker", n)
			}
			eventually(t, "an audit record with code "+c.code, func() bool {
				return w.logs.FilterField(zap.String("code", c.code)).Len() > 0
			})
		})
	}
}

func TestAnAdminRequestIsRefusedToAPrincipalThatIsNone(t *testing.T) {
	t.Parallel()
	w := start(t, func(p *plan.Plan) { p.Admins = []string{"ops"} })
	create := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "new", 1, 1
	create.Topics = append(create.Topics, topic)
	create.TimeoutMillis = 5000
	for user, want := range map[string]int16{"alice": 29, "ops": 0} {
		cl := w.client(as(user, user+"-secret"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		response, err := create.RequestWith(ctx, cl)
		if err != nil {
			t.Fatalf("%s: %v", user, err)
		}
		if got := response.Topics[0].ErrorCode; got != want {
			t.Errorf("%s creates a topic: error %d, want %d", user, got, want)
		}
	}
}

func TestConfigurationsOfTopicsAreForEverybodyAndThoseOfBrokersForAdmins(t *testing.T) {
	t.Parallel()
	w := start(t, func(p *plan.Plan) { p.Admins = []string{"ops"} })
	describe := kmsg.NewPtrDescribeConfigsRequest()
	for _, r := range []struct {
		kind kmsg.ConfigResourceType
		name string
	}{{kmsg.ConfigResourceTypeTopic, "lights"}, {kmsg.ConfigResourceTypeBroker, "0"}, {kmsg.ConfigResourceTypeTopic, "lights"}} {
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = r.kind, r.name
		describe.Resources = append(describe.Resources, resource)
	}
	for user, want := range map[string][]int16{"alice": {0, 0, 31}, "ops": {0, 0, 0}} {
		cl := w.client(as(user, user+"-secret"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		response, err := cl.Broker(0).Request(ctx, describe)
		if err != nil {
			t.Fatalf("%s: %v", user, err)
		}
		var got []int16
		for _, r := range response.(*kmsg.DescribeConfigsResponse).Resources {
			got = append(got, r.ErrorCode)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s asks for a topic, a broker and a topic: errors %v, want %v", user, got, want)
		}
	}
}

func TestADeadClusterIsNoReasonToStop(t *testing.T) {
	t.Parallel()
	w := start(t, func(p *plan.Plan) { p.Limits.Handshake = time.Second })
	cl := w.client(as("alice", "alice-secret"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	w.cluster.Close()
	eventually(t, "the operator is told", func() bool { return w.logs.FilterMessage("upstream unavailable").Len() > 0 })
	short, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if err := cl.Ping(short); err == nil {
		t.Fatal("a dead cluster answers")
	}
}

func TestPlaintextTLSAndSilenceEndAtTheHandshakeDeadline(t *testing.T) {
	t.Parallel()
	w := start(t, func(p *plan.Plan) { p.Limits.Handshake = 300 * time.Millisecond })
	for name, sent := range map[string]string{
		"silence":              "",
		"half a length":        "\x00\x00",
		"half a frame":         "\x00\x00\x00\x20\x00\x12",
		"a TLS hello":          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"an HTTP request":      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"an endless length":    "\x7f\xff\xff\xff",
		"a negative length":    "\xff\xff\xff\xff",
		"an empty frame":       "\x00\x00\x00\x00",
		"an unknown API key":   "\x00\x00\x00\x0a\x27\x0f\x00\x00\x00\x00\x00\x01\xff\xff",
		"Metadata before SASL": "\x00\x00\x00\x0e\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", w.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.Write([]byte(sent))
			conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			n, err := conn.Read(make([]byte, 100))
			if n > 0 || err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%d bytes answered, %v", n, err)
			}
			if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
				t.Fatal("the connection stays open")
			}
		})
	}
}

// refused is how many audit records of refused connections have the code.
func (w *world) refused(code string) int {
	return w.logs.FilterMessage("refused").FilterField(zap.String("code", code)).Len()
}

// stuck reports whether a goroutine of that method is writing.
func (w *world) stuck(method string) bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "IO wait") && strings.Contains(stack, ")."+method) && strings.Contains(stack, "Write") {
			return true
		}
	}
	return false
}

// forgets waits until the gateway has no connection any more.
func (w *world) forgets(t *testing.T, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for w.serving.Load() > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("the connection is still there after %v", within)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// counting is a protocol that counts its connections.
type counting struct {
	proxy.Protocol
	serving *atomic.Int64
}

type countingFront struct {
	proxy.Front
	serving *atomic.Int64
}

func (c counting) Open(s *proxy.Server) (proxy.Front, error) {
	f, err := c.Protocol.Open(s)
	return countingFront{f, c.serving}, err
}

func (c countingFront) Serve(ctx context.Context, s *proxy.Session) error {
	c.serving.Add(1)
	defer c.serving.Add(-1)
	return c.Front.Serve(ctx, s)
}
