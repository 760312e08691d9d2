package equivalence_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// Who asks, on both sides. Tests that run at the same time ask as different users.
const (
	alice = "alice"
	bob   = "bob"
)

// Topics that exist, and names of some that do not.
var (
	existing = []string{"eq.a", "eq.b", "eq.c", "eq.d", "eq.a.b", "Eq.a", "other", "deep.x.y"}
	missing  = []string{"eq.new", "eq.none", "ghost"}
	groups   = []string{"alice", "alice.x", "alice-1", "alicex", "bob", "shared-1"}
	ids      = []string{"alice", "alice-t", "alicet", "bob-t"} // transactional ids
)

// rules are one set of rules, with the access control lists that say the same.
type rules struct {
	name   string
	user   string
	plan   []plan.Rule
	grants []plan.Grant
	may    map[plan.Action]map[string]bool // topics
}

// chance makes a set of rules: literal addresses, templates, enums and grants.
func chance(seed uint64) rules {
	r := rand.New(rand.NewPCG(seed, 1))
	s := rules{name: fmt.Sprint("seed ", seed), user: alice, may: map[plan.Action]map[string]bool{}}
	allow := func(action plan.Action, topics ...string) {
		for _, t := range topics {
			if s.may[action] == nil {
				s.may[action] = map[string]bool{}
			}
			s.may[action][t] = true
		}
	}
	rule := func(action plan.Action, segments ...plan.Segment) {
		s.plan = append(s.plan, plan.Rule{Action: action, Segments: segments, File: "eq.yml", Line: len(s.plan) + 1})
	}
	literal := func(text string) plan.Segment { return plan.Segment{Literal: text} }
	parameter := func(values ...string) plan.Segment {
		return plan.Segment{Parameter: &plan.Parameter{Name: "p", Enum: values}}
	}
	for _, action := range []plan.Action{plan.Produce, plan.Consume} {
		switch r.IntN(4) {
		case 0:
			rule(action, literal("eq."), parameter())
			allow(action, "eq.a", "eq.b", "eq.c", "eq.d", "eq.new", "eq.none")
		case 1:
			rule(action, literal("eq."), parameter("a", "c", "new"))
			allow(action, "eq.a", "eq.c", "eq.new")
		case 2:
			rule(action, parameter("eq", "deep"), literal(".x."), parameter())
			allow(action, "deep.x.y")
			rule(action, literal("eq.b"))
			allow(action, "eq.b")
		case 3:
			rule(action, parameter())
			allow(action, "other", "ghost")
		}
	}
	if r.IntN(2) == 0 {
		s.grants = append(s.grants, plan.Grant{Principal: s.user, Kind: "topic", Name: "eq.d", Actions: []plan.Action{plan.Consume}})
		allow(plan.Consume, "eq.d")
	}
	s.grants = append(s.grants, plan.Grant{Principal: "*", Kind: "group", Prefix: "shared-"})
	return s
}

// lists are the access control lists that say what the rules say.
func (s *rules) lists() (all []kmsg.CreateACLsRequestCreation) {
	add := func(kind kmsg.ACLResourceType, name string, pattern kmsg.ACLResourcePatternType, operations ...kmsg.ACLOperation) {
		for _, operation := range operations {
			c := kmsg.NewCreateACLsRequestCreation()
			c.ResourceType, c.ResourceName, c.ResourcePatternType = kind, name, pattern
			c.Principal, c.Host, c.Operation, c.PermissionType = "User:"+s.user, "*", operation, kmsg.ACLPermissionTypeAllow
			all = append(all, c)
		}
	}
	const literal, prefixed = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLResourcePatternTypePrefixed
	for topic := range s.may[plan.Produce] {
		add(kmsg.ACLResourceTypeTopic, topic, literal, kmsg.ACLOperationWrite, kmsg.ACLOperationDescribeConfigs)
	}
	for topic := range s.may[plan.Consume] {
		add(kmsg.ACLResourceTypeTopic, topic, literal, kmsg.ACLOperationRead)
		if !s.may[plan.Produce][topic] {
			add(kmsg.ACLResourceTypeTopic, topic, literal, kmsg.ACLOperationDescribeConfigs)
		}
	}
	group := []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationDelete, kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs}
	transaction := []kmsg.ACLOperation{kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}
	for name, pattern := range map[string]kmsg.ACLResourcePatternType{s.user: literal, s.user + ".": prefixed, s.user + "-": prefixed} {
		add(kmsg.ACLResourceTypeGroup, name, pattern, group...)
		add(kmsg.ACLResourceTypeTransactionalId, name, pattern, transaction...)
	}
	add(kmsg.ACLResourceTypeGroup, "shared-", prefixed, group...)
	for _, g := range s.grants {
		if g.Kind == "topic" && g.Prefix != "" {
			for _, action := range g.Actions {
				add(kmsg.ACLResourceTypeTopic, g.Prefix, prefixed, operations[action]...)
			}
		}
	}
	return all
}

// operations are the operations of lists that are an action of grants. Whoever may create a topic may see it, at the gateway.
var operations = map[plan.Action][]kmsg.ACLOperation{
	plan.Produce: {kmsg.ACLOperationWrite},
	plan.Consume: {kmsg.ACLOperationRead},
	plan.Create:  {kmsg.ACLOperationCreate, kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs},
	plan.Delete:  {kmsg.ACLOperationDelete},
}

// world is a broker with a set of rules, in both forms.
type world struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	admin   *kgo.Client
	gateway *inprocess.Gateway
	topics  map[string][16]byte // ids
	user    string              // of the rules in force
}

// making is held by who makes topics.
var making sync.Mutex

// newWorld makes the topics, groups and transactional ids that the requests name.
func newWorld(t *testing.T, version string) *world {
	t.Helper()
	w := &world{t: t, cluster: brokers[version].Get(t)}
	w.admin = w.cluster.Client(t)
	making.Lock()
	defer making.Unlock()
	w.look()
	for _, topic := range existing {
		if _, there := w.topics[topic]; !there {
			w.cluster.CreateTopic(t, topic, 2)
		}
	}
	w.look()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, group := range groups {
		commit := kmsg.NewPtrOffsetCommitRequest()
		commit.Group, commit.Generation = group, -1
		for _, name := range []string{"eq.a", "eq.b", "other"} {
			topic := kmsg.NewOffsetCommitRequestTopic()
			topic.Topic = name
			topic.Partitions = append(topic.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
			commit.Topics = append(commit.Topics, topic)
		}
		if _, err := commit.RequestWith(ctx, w.admin); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		begin := kmsg.NewPtrInitProducerIDRequest()
		begin.TransactionalID, begin.TransactionTimeoutMillis = &id, 60_000
		if _, err := begin.RequestWith(ctx, w.admin); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// look learns which topics there are.
func (w *world) look() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	request := kmsg.NewPtrMetadataRequest()
	response, err := request.RequestWith(ctx, w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	w.topics = map[string][16]byte{}
	for _, topic := range response.Topics {
		w.topics[*topic.Topic] = topic.TopicID
	}
}

// appears waits for a topic to be there.
func (w *world) appears(name string) {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if w.look(); w.topics[name] != [16]byte{} {
			return
		}
	}
	w.t.Fatalf("%s is not there after %v", name, patience)
}

// apply puts a set of rules into force on both sides.
func (w *world) apply(s rules) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	remove := kmsg.NewPtrDeleteACLsRequest()
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	filter.Principal, filter.Operation, filter.PermissionType = kmsg.StringPtr("User:"+s.user), kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	remove.Filters = append(remove.Filters, filter)
	if _, err := remove.RequestWith(ctx, w.admin); err != nil {
		w.t.Fatal(err)
	}
	create := kmsg.NewPtrCreateACLsRequest()
	create.Creations = s.lists()
	response, err := create.RequestWith(ctx, w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, result := range response.Results {
		if err := kerr.ErrorForCode(result.ErrorCode); err != nil {
			w.t.Fatal(err)
		}
	}
	describe := kmsg.NewPtrDescribeACLsRequest()
	describe.ResourceType, describe.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	describe.Principal, describe.Operation, describe.PermissionType = kmsg.StringPtr("User:"+s.user), kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	for n := -1; n != len(create.Creations); { // until the broker has them, and no other
		got, err := describe.RequestWith(ctx, w.admin)
		if err != nil {
			w.t.Fatal(err)
		}
		n = 0
		for _, resource := range got.Resources {
			n += len(resource.ACLs)
		}
	}
	p := inprocess.Plan(inprocess.PlanOptions{Certificates: inprocess.NewCertificates(w.t), Bootstrap: w.cluster.Addresses(kafkatest.Plaintext)})
	for i := range p.Servers {
		p.Servers[i].Enforced = p.Servers[i].Name == inprocess.SASL
		p.Servers[i].Rules = s.plan
	}
	p.Enforce, p.Grants = plan.Operations, s.grants
	w.gateway, w.user = inprocess.Start(w.t, p, inprocess.NewUsers(w.t, alice, bob)), s.user
}

// conn is a connection on which single requests are asked, in the version that the test chooses.
type conn struct {
	net.Conn
	correlation int32
}

// dial logs the user in, at the broker or at the gateway.
func (w *world) dial(address string) *conn {
	w.t.Helper()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &conn{Conn: c}
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, sasl.Plain
	_, err = r.ask(handshake)
	token := kmsg.NewPtrSASLAuthenticateRequest()
	token.Version, token.SASLAuthBytes = 2, []byte("\x00"+w.user+"\x00"+kafkatest.Password(w.user))
	if err == nil {
		var response kmsg.Response
		if response, err = r.ask(token); err == nil {
			err = kerr.ErrorForCode(response.(*kmsg.SASLAuthenticateResponse).ErrorCode)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// ask sends a request and reads its answer; io.EOF if the connection ends instead.
func (c *conn) ask(request kmsg.Request) (kmsg.Response, error) {
	c.correlation++
	key, version := request.Key(), request.GetVersion()
	frame := wire.AppendRequestHeader(make([]byte, 4), key, version, c.correlation, "test")
	frame = request.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(frame); err != nil {
		return nil, err
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(c, payload); err != nil {
		return nil, err
	}
	correlation, n, err := wire.ParseResponseHeader(key, version, payload)
	if err == nil && correlation != c.correlation {
		err = fmt.Errorf("an answer to request %d instead of %d", correlation, c.correlation)
	}
	if err != nil {
		return nil, err
	}
	return wire.DecodeResponse(key, version, payload[n:])
}
