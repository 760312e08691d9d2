package hostile_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// odd are users whose names would mean something else to a matcher of patterns. Nothing is granted to any of them.
var odd = []string{"*", "al*", "alic?", ".*", "#", "+"}

// allow is a rule for one address.
func allow(action plan.Action, segments ...plan.Segment) plan.Rule {
	return plan.Rule{Action: action, Segments: segments, File: "doc.yml", Line: 1}
}

func literal(text string) plan.Segment { return plan.Segment{Literal: text} }

// own stands for the name of the principal.
var own = plan.Segment{Parameter: &plan.Parameter{Name: "user", Principal: "name", Dots: true}}

// clusterTopics are what the canary has. Their ids are 1, 2, and so on.
var clusterTopics = []string{"open", "closed", "own.alice", "own.bob"}

// seek has the gateway ask for a topic's id, on a connection that it keeps.
var seek = mustParse(`== seek
> Metadata v12 client=legitimate : 02 (00)*15 01 00 00 00 00 00
< Metadata v12 errors error=0
`)

// newOperationsStage is a stage whose gateway enforces operations: everybody may produce to and consume from open,
// free.{id} and the topic own.NAME, and alice may use the group workers and the transactional id transfer.
func newOperationsStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t}
	s.canary = canary.Start(t, canary.Options{Answer: func(_ *canary.Conn, r canary.Request) ([]byte, bool) {
		if r.ClientID != watch && !asksForAll(r) || r.Key != int16(kmsg.Metadata) {
			return nil, false
		}
		return canary.Frame(r, s.cluster(r.Version)), true
	}})
	c := certificates(t)
	p := inprocess.Plan(inprocess.PlanOptions{Certificates: c, Session: time.Second, Bootstrap: []string{s.canary.Address()}})
	p.Enforce = plan.Operations
	for i := range p.Servers {
		for _, action := range []plan.Action{plan.Produce, plan.Consume} {
			p.Servers[i].Rules = append(p.Servers[i].Rules, allow(action, literal("open")), allow(action, literal("own."), own),
				allow(action, literal("free."), plan.Segment{Parameter: &plan.Parameter{Name: "id"}}))
		}
	}
	p.Grants = []plan.Grant{
		{Principal: "alice", Kind: "group", Name: "workers"},
		{Principal: "alice", Kind: "transaction", Name: "transfer"},
		{Principal: "bob", Kind: "group", Name: "others"},
		{Principal: "bob", Kind: "transaction", Name: "payment"},
	}
	s.gateway = inprocess.Start(t, p, inprocess.NewUsers(t, append(odd, "alice", "bob")...))
	s.target = &dialogue.Target{Addresses: s.gateway.Addresses, TLS: c.Client, Session: time.Second}
	return s
}

// asksForAll reports whether a vector asks for all topics there are.
func asksForAll(r canary.Request) bool {
	request, err := wire.DecodeRequest(r.Key, r.Version, r.Body)
	metadata, ok := request.(*kmsg.MetadataRequest)
	return err == nil && ok && metadata.Topics == nil && r.ClientID == dialogue.ClientID
}

// cluster is the canary with its topics.
func (s *stage) cluster(version int16) *kmsg.MetadataResponse {
	r := good(version)
	r.Brokers[0].Host, r.Brokers[0].Port = s.canary.Host, s.canary.Port
	for i, name := range clusterTopics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.TopicID = kmsg.StringPtr(name), [16]byte{15: byte(i + 1)}
		r.Topics = append(r.Topics, topic)
	}
	return r
}

// TestHostileOperations has every vector of a client that asks for more than the document allows, K10 and K12.
func TestHostileOperations(t *testing.T) {
	s := newOperationsStage(t)
	s.employ()
	s.work(seek)
	calm()
	counts := map[string]*costs{}
	for _, v := range vectors(t, "K1[02]") {
		if counts[v.class] == nil {
			counts[v.class] = &costs{}
		}
		s.try(v, counts[v.class])
	}
	report(t, counts, s.worked)
}
