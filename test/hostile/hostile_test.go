package hostile_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// What every hostile input may cost, at most (DESIGN of the gateway: "Every bad input").
const (
	promptly  = time.Second          // until it is refused, the quickest of a few tries on a machine that does other things
	costBytes = 4                    // bytes allocated for each byte that came
	costFree  = 64 << 10             // bytes allocated besides
	costCPU   = 5 * time.Millisecond // of the whole process, the client's work included
	costTries = 12                   // measurements; the least counts, for the runtime works meanwhile
	lateTries = 3
	quiet     = 30 * time.Second      // until goroutines and descriptors are back
	surprise  = 60 * time.Millisecond // for something to show itself that should not be
)

// legitimate is the client id of those who mean well; the gateway's own requests have "asyncgate". Nothing else may
// reach the upstream.
const (
	legitimate = "legitimate"
	watch      = "asyncgate"
)

// stage is a gateway before a canary, with one client that works all the time.
type stage struct {
	t       *testing.T
	canary  *canary.Broker
	gateway *inprocess.Gateway
	target  *dialogue.Target
	client  net.Conn // the client that works all the time
	worked  int
}

func newStage(t *testing.T, certificates *inprocess.Certificates, change func(*inprocess.PlanOptions)) *stage {
	t.Helper()
	s := &stage{t: t, canary: canary.Start(t, canary.Options{})}
	o := inprocess.PlanOptions{Certificates: certificates, Session: time.Second, Bootstrap: []string{s.canary.Address()}}
	if change != nil {
		change(&o)
	}
	p := inprocess.Plan(o)
	p.Admins = []string{"bob"}
	s.gateway = inprocess.Start(t, p, inprocess.NewUsers(t, "alice", "bob"))
	s.target = &dialogue.Target{Addresses: s.gateway.Addresses, TLS: certificates.Client, Session: time.Second}
	return s
}

// TestHostile has every vector of testdata with the gateway and measures what it costs.
func TestHostile(t *testing.T) {
	s := newStage(t, certificates(t), nil)
	s.employ()
	calm()
	counts := map[string]*costs{}
	for _, v := range vectors(t, "[KST]0[1-9]") {
		if counts[v.class] == nil {
			counts[v.class] = &costs{}
		}
		s.try(v, counts[v.class])
	}
	report(t, counts, s.worked)
}

// employ begins the work of the legitimate client.
func (s *stage) employ() {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.gateway.Addresses[inprocess.SASL])
	if err != nil {
		s.t.Fatal(err)
	}
	s.client = conn
	s.t.Cleanup(func() { _ = conn.Close() })
	s.work(login)
	s.work(ping)
}

// What the legitimate client says.
var (
	login = mustParse(`== login
> SaslHandshake v1 "SCRAM-SHA-256" client=legitimate
< SaslHandshake v1 error=0 mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
> SaslAuthenticate v1 "n,,n=alice,r={nonce}" client=legitimate
< SaslAuthenticate v1 error=0 message="" bytes=r=NONCE,s=SALT,i=4096 lifetime=0
> SaslAuthenticate v1 "c=biws,r={r},p={proof}" client=legitimate
< SaslAuthenticate v1 error=0 message="" bytes=v=SIGNATURE lifetime=0
`)
	ping = mustParse(`== ping
> Metadata v12 client=legitimate
< Metadata v12 brokers=1 topics=0 cluster=true controller=true
`)
)

func mustParse(text string) *dialogue.Dialogue {
	f, err := dialogue.Parse(text)
	if err != nil {
		panic(err)
	}
	return f.Dialogues[0]
}

// work has the legitimate client say something, on the connection that it has all the time.
func (s *stage) work(d *dialogue.Dialogue) {
	r, err := d.Continue(s.t.Context(), s.client, s.target, dialogue.Patience{Expected: patience})
	if err != nil || r.Transcript() != d.Transcript() {
		s.t.Errorf("the legitimate client: %v\n%v", err, r)
	}
	s.worked++
}

// try has one vector with the gateway, as often as it takes to measure it.
func (s *stage) try(v vector, sum *costs) {
	name := v.class + "/" + v.Name
	before := resources()
	worked := make(chan struct{})
	go func() { defer close(worked); s.work(ping) }() // U6
	result := s.play(name, v, dialogue.Patience{Expected: patience, Unexpected: surprise})
	for tries := 1; result != nil && result.Late > promptly && tries < lateTries; tries++ {
		result = s.play(name, v, dialogue.Patience{Expected: patience, Unexpected: surprise})
	}
	<-worked
	if result == nil {
		return
	}
	if got, want := result.Transcript(), v.Transcript(); got != want {
		s.t.Errorf("%s: it should go\n%sand went\n%s", name, want, got)
	}
	if result.Late > promptly { // U2
		s.t.Errorf("%s: was refused only %v after it was sent", name, result.Late)
	}
	s.checkAudit(name, v, result)
	s.checkUpstream(name, v)
	if after := resources(); after.above(before) && !settle(before) { // U4
		s.t.Errorf("%s: %v before, %v after %v", name, before, resources(), quiet)
	}
	sum.count++
	if instrumented {
		return
	}
	// Counted is what comes after the TLS handshake. In TLS 1.3 a client has ended its own when the server has yet to judge
	// its certificate.
	if v.stage == "tls" && !v.InClear || v.TLS["certificate"] != "" {
		return
	}
	least := s.measure(name, v)
	if least.allocated > uint64(costBytes*result.Sent)+costFree { // U3
		s.t.Errorf("%s: %d bytes sent made the gateway allocate %d", name, result.Sent, least.allocated)
	}
	if least.cpu > costCPU {
		s.t.Errorf("%s: took %v of CPU", name, least.cpu)
	}
	sum.add(least, result.Sent)
}

func (s *stage) play(name string, v vector, p dialogue.Patience) *dialogue.Result {
	r, err := v.Play(s.t.Context(), s.target, p)
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return nil
	}
	return r
}

// checkAudit is U5: one record, with the expected code, and nothing secret in any.
func (s *stage) checkAudit(name string, v vector, r *dialogue.Result) {
	s.expectAudit(name, v, r)
	for _, secret := range []string{"-secret", "swordfish"} {
		if s.gateway.Log.Contains([]byte(secret)) {
			s.t.Errorf("%s: the log has a password in it", name)
		}
	}
	s.gateway.Log.Forget()
}

// expectAudit waits for the one record that refuses a vector.
func (s *stage) expectAudit(name string, v vector, r *dialogue.Result) {
	ours := func(r2 inprocess.Record) bool {
		return r2.Logger == "audit" && r2.Field("remote") == r.Local && r2.Field("decision") == "deny"
	}
	if v.code != "" {
		if _, ok := s.gateway.Log.Await(patience, ours); !ok {
			s.t.Errorf("%s: no audit record", name)
		}
	}
	var got []string
	for _, record := range s.gateway.Log.Records(ours) {
		got = append(got, record.Field("stage")+" "+record.Field("code"))
	}
	want := []string{v.stage + " " + v.code}
	if v.code == "" {
		want = nil
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: audit records %q, want %q", name, got, want)
	}
}

// checkUpstream is U1: besides the gateway's own requests and the legitimate client's the broker has had what the vector
// says, and nothing else.
func (s *stage) checkUpstream(name string, v vector) {
	var got []string
	for _, r := range s.canary.Requests(func(id string) bool { return id != legitimate && id != watch }) {
		request, err := wire.DecodeRequest(r.Key, r.Version, r.Body)
		if err != nil {
			s.t.Errorf("%s: reached the broker: %x", name, r.Frame)
			continue
		}
		got = append(got, strings.TrimSpace(wire.Name(r.Key)+" "+dialogue.Named(request)))
	}
	if !slices.Equal(got, v.upstream) {
		s.t.Errorf("%s: the broker has had %q, want %q", name, got, v.upstream)
	}
	if odd := s.canary.Odd(); len(odd) > 0 {
		s.t.Errorf("%s: reached the broker: %x", name, odd)
	}
	s.canary.Forget()
}

// report prints what the classes cost.
func report(t *testing.T, counts map[string]*costs, worked int) {
	var table bytes.Buffer
	fmt.Fprintf(&table, "class  vectors  most CPU  most allocated  largest\n")
	total := 0
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		c := counts[class]
		total += c.count
		fmt.Fprintf(&table, "%-6s %7d %9s %12d B %6d B\n", class, c.count, c.cpu.Round(10*time.Microsecond), c.allocated, c.sent)
	}
	t.Logf("%d hostile inputs, while a legitimate client was answered %d times\n%s", total, worked, table.String())
}

// costs are what the vectors of a class cost at most.
type costs struct {
	count int
	cost
	sent int
}

func (c *costs) add(one cost, sent int) {
	c.allocated, c.cpu = max(c.allocated, one.allocated), max(c.cpu, one.cpu)
	c.sent = max(c.sent, sent)
}

// held is what a process holds that it must give back.
type held struct{ goroutines, descriptors int }

func (h held) above(base held) bool {
	return h.goroutines > base.goroutines || h.descriptors > base.descriptors
}

func (h held) String() string {
	return fmt.Sprintf("%d goroutines and %d descriptors", h.goroutines, h.descriptors)
}

func resources() held {
	h := held{goroutines: runtime.NumGoroutine()}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil { // elsewhere than on Linux goroutines must do
		h.descriptors = len(entries)
	}
	return h
}

// calm waits until what is held has not changed for a while: the gateway's watch of the cluster has begun.
func calm() held {
	last, since := resources(), time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(quiet); time.Now().Before(end) && time.Since(since) < 200*time.Millisecond; <-tick.C {
		if now := resources(); now != last {
			last, since = now, time.Now()
		}
	}
	return last
}

// settle waits until no more is held than before.
func settle(before held) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(quiet); time.Now().Before(end); <-tick.C {
		if !resources().above(before) {
			return true
		}
	}
	return false
}
