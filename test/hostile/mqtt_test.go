package hostile_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/internal/assembly"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// costRecord is what the log of the test itself allocates to keep one record, in bytes: there is one for each part of an
// input that is refused.
const costRecord = 6 << 10

// patience is how long something that has to come is waited for. How long it takes is another question.
const patience = 30 * time.Second

// honestWill marks the connection of the client that means well: the broker sees the will as the client sent it.
const honestWill = "honest"

// What the client that means well says, and is answered.
var (
	honestConnect = spell(`10 [ "MQTT" 04 C6 003C "legitimate" "honest" "gone" "bob" "bob-secret" ]`)
	honestPublish = spell(`32 [ "t" 0001 'fine' ]`)
)

func spell(text string) []byte {
	b, err := assembly.Bytes(text)
	if err != nil {
		panic(err)
	}
	return b
}

func honest(c *wire.Connect) bool { return c.Will != nil && c.Will.Topic == honestWill }

func hostile(c *wire.Connect) bool { return !honest(c) }

// mqttStage is a gateway before an MQTT canary, with one client that works all the time.
type mqttStage struct {
	t       *testing.T
	canary  *canary.MQTT
	gateway *inprocess.Gateway
	dial    func(server string) (net.Conn, error)
	client  net.Conn
	worked  int
}

func newMQTTStage(t *testing.T, change func(*plan.Plan)) *mqttStage {
	t.Helper()
	return newMQTTStageOf(t, inprocess.NewUsers(t, "alice", "bob"), change)
}

// newMQTTStageOf is newMQTTStage for other users.
func newMQTTStageOf(t *testing.T, users *inprocess.Users, change func(*plan.Plan)) *mqttStage {
	t.Helper()
	s := &mqttStage{t: t, canary: canary.StartMQTT(t)}
	p := inprocess.MQTTPlan(inprocess.PlanOptions{Bootstrap: []string{"mqtt://" + s.canary.Address()}})
	if change != nil {
		change(p)
	}
	s.gateway = inprocess.Start(t, p, users)
	s.dial = func(server string) (net.Conn, error) { return net.Dial("tcp", s.gateway.Addresses[server]) }
	return s
}

// TestHostileMQTT has every vector of an MQTT client with the gateway and measures what it costs.
func TestHostileMQTT(t *testing.T) {
	s := newMQTTStage(t, nil)
	s.employ()
	calm()
	counts := map[string]*costs{}
	for _, v := range mqttVectors(t, "M[01][0-9]") {
		if counts[v.class] == nil {
			counts[v.class] = &costs{}
		}
		s.try(v, counts[v.class])
	}
	report(t, counts, s.worked)
}

// employ begins the work of the legitimate client.
func (s *mqttStage) employ() {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.gateway.Addresses[inprocess.ByPassword])
	if err != nil {
		s.t.Fatal(err)
	}
	s.client = conn
	s.t.Cleanup(func() { _ = conn.Close() })
	s.work(honestConnect, "20020000")
	s.work(honestPublish, "40020001")
}

// work has the legitimate client say something, on the connection that it has all the time.
func (s *mqttStage) work(say []byte, want string) {
	answer := make([]byte, len(want)/2)
	_ = s.client.SetDeadline(time.Now().Add(patience))
	_, err := s.client.Write(say)
	for n := 0; err == nil && n < len(answer); {
		var m int
		m, err = s.client.Read(answer[n:])
		n += m
	}
	if err != nil || fmt.Sprintf("%x", answer) != want {
		s.t.Errorf("the legitimate client was answered %x, %v", answer, err)
	}
	s.worked++
}

// try has one vector with the gateway, as often as it takes to measure it.
func (s *mqttStage) try(v *mqttVector, sum *costs) {
	name := v.class + "/" + v.name
	before := resources()
	worked := make(chan struct{})
	go func() { defer close(worked); s.work(honestPublish, "40020001") }() // U6
	r := s.play(name, v, nil)
	for tries := 1; r != nil && r.late > promptly && tries < lateTries; tries++ {
		r = s.play(name, v, nil)
	}
	<-worked
	if r == nil || !s.judge(name, v, r) {
		return
	}
	if after := resources(); after.above(before) && !settle(before) { // U4
		s.t.Errorf("%s: %v before, %v after %v", name, before, resources(), quiet)
	}
	sum.count++
	if instrumented {
		return
	}
	least := s.measure(name, v)
	if least.allocated > uint64(costBytes*r.sent+costRecord*max(len(v.audits)-1, 0))+costFree { // U3
		s.t.Errorf("%s: %d bytes sent made the gateway allocate %d", name, r.sent, least.allocated)
	}
	if least.cpu > costCPU {
		s.t.Errorf("%s: took %v of CPU", name, least.cpu)
	}
	sum.add(least, r.sent)
}

// judge compares a vector as it went with what is expected of it. False: it went otherwise.
func (s *mqttStage) judge(name string, v *mqttVector, r *mqttResult) bool {
	asExpected := r.transcript() == v.transcript()
	if !asExpected {
		s.t.Errorf("%s: it should go\n%sand went\n%s", name, short(v.transcript()), short(r.transcript()))
	}
	if r.late > promptly { // U2
		s.t.Errorf("%s: was refused only %v after it was sent", name, r.late)
	}
	s.checkAudit(name, v, r)
	s.checkUpstream(name, v)
	return asExpected
}

// short is a transcript whose lines are cut.
func short(transcript string) string {
	var b strings.Builder
	for line := range strings.Lines(transcript) {
		if len(line) > 200 {
			line = line[:200] + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

func (s *mqttStage) play(name string, v *mqttVector, mark func()) *mqttResult {
	conn, err := s.dial(v.on)
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return nil
	}
	r, err := v.play(conn, patience, mark, s.canary)
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return nil
	}
	return r
}

// checkAudit is U5: one record for each refusal, with the expected code, and nothing secret in any.
func (s *mqttStage) checkAudit(name string, v *mqttVector, r *mqttResult) {
	s.expectAudits(name, v, r)
	for _, secret := range []string{"-secret", "swordfish"} {
		if s.gateway.Log.Contains([]byte(secret)) {
			s.t.Errorf("%s: the log has a password in it", name)
		}
	}
	s.gateway.Log.Forget()
}

// expectAudits waits for the records that refuse a vector.
func (s *mqttStage) expectAudits(name string, v *mqttVector, r *mqttResult) {
	ours := func(r2 inprocess.Record) bool {
		return r2.Logger == "audit" && r2.Field("remote") == r.local && r2.Field("decision") == "deny"
	}
	s.gateway.Log.AwaitMany(patience, len(v.audits), ours)
	var got []string
	for _, record := range s.gateway.Log.Records(ours) {
		got = append(got, record.Field("stage")+" "+record.Field("code"))
	}
	if !slices.Equal(got, v.audits) {
		s.t.Errorf("%s: audit records %q, want %q", name, got, v.audits)
	}
}

// checkUpstream is U1: of what a vector sends the broker has had what the vector says, under an id that is not the
// client's, and nothing besides.
func (s *mqttStage) checkUpstream(name string, v *mqttVector) {
	for deadline := time.Now().Add(patience); !s.canary.Idle(hostile) && time.Now().Before(deadline); {
		select {
		case <-s.canary.Changed():
		case <-time.After(time.Until(deadline)):
		}
	}
	var want []string
	if v.upstream != "" {
		want = []string{v.upstream}
	}
	got := s.canary.Seen(hostile)
	if v.end == "open" && len(got) == 1 { // the ping that shows that it is open
		got[0] = strings.TrimSuffix(got[0], " PINGREQ")
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: the broker has had %q, want %q", name, got, want)
	}
	for _, c := range s.canary.Connects() {
		if hostile(c) && !derived(c.ClientID) {
			s.t.Errorf("%s: the broker was shown the client id %.40q", name, c.ClientID)
		}
	}
	s.canary.Forget()
}

// derived reports whether an id may be one that the gateway makes.
func derived(id string) bool {
	return len(id) >= 23 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// measure has a vector with the gateway several times and returns the least that it cost.
func (s *mqttStage) measure(name string, v *mqttVector) cost {
	var least cost
	for try := range costTries {
		before := resources()
		var from cost
		r := s.play(name, v, func() { from = used() })
		if r == nil {
			return least
		}
		settle(before) // until the gateway has done all that it does about it
		to := used()
		one := cost{to.allocated - from.allocated, to.cpu - from.cpu}
		if try == 0 {
			least = one
		}
		least.allocated, least.cpu = min(least.allocated, one.allocated), min(least.cpu, one.cpu)
		if least.allocated <= uint64(costBytes*r.sent)+costFree && least.cpu <= costCPU {
			break
		}
	}
	s.gateway.Log.Forget()
	s.canary.Forget()
	return least
}
