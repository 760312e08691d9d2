package cluster_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// leaks finds addresses of the cluster's listeners in what a client has received: as text, and as the port of the
// messages, an int32 that stands behind the host or alone.
func leaks(t *testing.T, c *kafkatest.Cluster, received []byte) (found []string) {
	t.Helper()
	for _, n := range c.Nodes {
		for listener, address := range n.Listeners {
			_, text, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			port, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			needles := map[string][]byte{"the port as text": []byte(text)}
			if port%256 != 0 { // or it is found between two APIs in every answer to ApiVersions
				needles["the port as int32"] = binary.BigEndian.AppendUint32(nil, uint32(port))
			}
			for form, needle := range needles {
				if at := bytes.Index(received, needle); at >= 0 {
					from, to := max(0, at-60), min(len(received), at+60)
					found = append(found, fmt.Sprintf("node %d, %s, %s: %q", n.ID, listener, form, received[from:to]))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// Between the gateway and its clients stands a relay: the gateway is on 127.0.0.1, and advertises the same ports of
// 127.0.0.2, where the relay listens. So whatever the client, every byte it gets is seen.
func TestNoByteThatReachesAClientNamesAnAddressOfTheCluster(t *testing.T) {
	c := shared.Get(t)
	if l, err := net.Listen("tcp", "127.0.0.2:0"); err != nil {
		parts.Absent(t, "the loopback interface has no second address: %v", err)
	} else {
		l.Close()
	}
	first := freePorts(t, 10)
	server := onPorts(plain(upstream(c, kafkatest.Plaintext)), first)
	bootstrap := fmt.Sprintf("127.0.0.2:%d", first)
	g := start(t, c, map[string]settings{"clear": server.with(settings{"advertise": bootstrap})})
	var relays []*relay
	for port := first; port <= first+len(c.Nodes); port++ {
		relays = append(relays, newRelay(t, fmt.Sprintf("127.0.0.2:%d", port), fmt.Sprintf("127.0.0.1:%d", port), nil))
	}
	at := func(t *testing.T, broker int32, user string) *raw { // 0 is the bootstrap
		r := dialRaw(t, fmt.Sprintf("127.0.0.2:%d", first+int(broker)), nil)
		r.login(user, secret(user))
		return r
	}

	topic := topicOf(t, c, "leaks")
	t.Run("in any version of what names brokers", func(t *testing.T) {
		named := namesOfBrokers(t, at(t, 0, ops), topic)
		for id, address := range named {
			if want := fmt.Sprintf("127.0.0.2:%d", first+int(id)); address != want {
				t.Errorf("broker %d is at %s, want %s", id, address, want)
			}
		}
		if len(named) != len(c.Nodes) {
			t.Errorf("%v are named, want all %d", named, len(c.Nodes))
		}
	})
	t.Run("from a broker that does not lead", func(t *testing.T) {
		alone, id, leader := aloneOnOneBroker(t, c)
		r := at(t, leader%int32(len(c.Nodes))+1, alice)
		for what, endpoints := range asksTheWrongBroker(t, r, alone, id) {
			if want := fmt.Sprintf("%d at 127.0.0.2:%d", leader, first+int(leader)); !slices.Equal(endpoints, []string{want}) {
				t.Errorf("%s names %v, want %s", what, endpoints, want)
			}
		}
	})
	t.Run("in configurations and error texts", func(t *testing.T) { provokesTexts(t, at(t, 1, ops), topic) })
	t.Run("to clients at work while leaders move", func(t *testing.T) {
		client := func(options ...kgo.Opt) *kgo.Client {
			return newClient(t, append(options, login(alice), kgo.SeedBrokers(bootstrap))...)
		}
		w := steadily(t, topic, client)
		w.goesOn(t, "before a move")
		moveLeaders(t, c, topic)
		w.goesOn(t, "after a move")
		w.halt(t)
		shares(t, c, client)
	})
	t.Run("to Java's share consumer", func(t *testing.T) {
		shared := topicOf(t, c, "java-share")
		c.ShareFromEarliest(t, "alice-java")
		produce(t, c.Client(t), shared, "to be shared")
		config := g.properties(t, alice)
		got := c.Tool(t, "org.apache.kafka.tools.consumer.ConsoleShareConsumer", "--bootstrap-server", bootstrap, "--command-config", config,
			"--topic", shared, "--group", "alice-java", "--max-messages", "1", "--timeout-ms", "30000")
		if strings.TrimSpace(got) != "to be shared" {
			t.Errorf("it consumed %q", got)
		}
	})

	total := 0
	for _, r := range relays {
		received := r.received()
		total += len(received)
		for _, leak := range leaks(t, c, received) {
			t.Error(leak)
		}
	}
	t.Logf("%d bytes reached the clients", total)
}

func TestTheScanSeesTheAddressesThatABrokerNames(t *testing.T) {
	c := shared.Get(t)
	topic := topicOf(t, c, "no-leaks")
	for what, session := range map[string]func(*raw){
		"as text, in configurations": func(r *raw) { provokesTexts(t, r, topic) },
		"as int32, in metadata":      func(r *raw) { namesOfBrokers(t, r, topic) },
	} {
		watched := newRelay(t, "127.0.0.1:0", c.Addresses(kafkatest.Plaintext)[0], nil)
		session(dialRaw(t, watched.address(), nil))
		form, _, _ := strings.Cut(what, ",")
		if found := leaks(t, c, watched.received()); !slices.ContainsFunc(found, func(l string) bool { return strings.Contains(l, form) }) {
			t.Errorf("%s: found were %q", what, found)
		}
	}
}

// namesOfBrokers asks everything that is answered with the brokers' addresses, in every version, and returns what was
// named.
func namesOfBrokers(t *testing.T, r *raw, topic string) map[int32]string {
	t.Helper()
	named := map[int32]string{}
	note := func(id int32, host string, port int32) {
		if host != "" {
			named[id] = fmt.Sprintf("%s:%d", host, port)
		}
	}
	offered := r.offered()
	every := func(request kmsg.Request, ask func(version int16)) {
		o, ok := offered[request.Key()]
		if !ok {
			t.Errorf("API %d is not offered", request.Key())
		}
		for v := o.MinVersion; ok && v <= min(o.MaxVersion, request.MaxVersion()); v++ {
			ask(v)
		}
	}
	every(&kmsg.MetadataRequest{}, func(v int16) {
		request := kmsg.NewPtrMetadataRequest()
		request.Version = v
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = &topic
		request.Topics = []kmsg.MetadataRequestTopic{one}
		for _, b := range r.ask(request).(*kmsg.MetadataResponse).Brokers {
			note(b.NodeID, b.Host, b.Port)
		}
	})
	every(&kmsg.FindCoordinatorRequest{}, func(v int16) {
		for kind := range min(v+1, 2) { // a group's, and from version 1 on a transaction's
			request := kmsg.NewPtrFindCoordinatorRequest()
			request.Version, request.CoordinatorType = v, int8(kind)
			request.CoordinatorKey, request.CoordinatorKeys = "alice-1", []string{"alice-1", "alice-2", "alice-3"}
			response := r.ask(request).(*kmsg.FindCoordinatorResponse)
			note(response.NodeID, response.Host, response.Port)
			for _, found := range response.Coordinators {
				note(found.NodeID, found.Host, found.Port)
			}
		}
	})
	every(&kmsg.DescribeClusterRequest{}, func(v int16) {
		request := kmsg.NewPtrDescribeClusterRequest()
		request.Version, request.EndpointType = v, 1
		for _, b := range r.ask(request).(*kmsg.DescribeClusterResponse).Brokers {
			note(b.NodeID, b.Host, b.Port)
		}
	})
	every(&kmsg.DescribeQuorumRequest{}, func(v int16) {
		request := kmsg.NewPtrDescribeQuorumRequest()
		request.Version = v
		of := kmsg.NewDescribeQuorumRequestTopic()
		of.Topic = "__cluster_metadata"
		of.Partitions = append(of.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
		request.Topics = append(request.Topics, of)
		response := r.ask(request).(*kmsg.DescribeQuorumResponse)
		if response.ErrorCode != 0 {
			t.Errorf("DescribeQuorum v%d: error %d", v, response.ErrorCode)
		}
	})
	return named
}

// provokesTexts asks broker 1 what is answered with texts in which addresses could stand: its configuration, and errors.
func provokesTexts(t *testing.T, r *raw, topic string) {
	t.Helper()
	offered := r.offered()
	for v := offered[int16(kmsg.DescribeConfigs)].MinVersion; v <= offered[int16(kmsg.DescribeConfigs)].MaxVersion; v++ {
		request := kmsg.NewPtrDescribeConfigsRequest()
		request.Version, request.IncludeSynonyms, request.IncludeDocumentation = v, true, true
		for _, resource := range []struct {
			kind kmsg.ConfigResourceType
			name string
		}{{kmsg.ConfigResourceTypeBroker, "1"}, {kmsg.ConfigResourceTypeTopic, topic}} {
			one := kmsg.NewDescribeConfigsRequestResource()
			one.ResourceType, one.ResourceName = resource.kind, resource.name
			request.Resources = append(request.Resources, one)
		}
		known := 0
		for _, found := range r.ask(request).(*kmsg.DescribeConfigsResponse).Resources {
			known += len(found.Configs)
		}
		if known < 100 {
			t.Errorf("DescribeConfigs v%d tells %d settings only", v, known)
		}
	}
	changes := kmsg.NewPtrIncrementalAlterConfigsRequest()
	changes.Version, changes.ValidateOnly = 1, true
	for _, name := range []string{"listeners", "advertised.listeners", "controller.quorum.voters", "listener.security.protocol.map"} {
		change := kmsg.NewIncrementalAlterConfigsRequestResource()
		change.ResourceType, change.ResourceName = kmsg.ConfigResourceTypeBroker, "1"
		to := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		to.Name, to.Value = name, kmsg.StringPtr("nonsense")
		change.Configs = append(change.Configs, to)
		changes.Resources = []kmsg.IncrementalAlterConfigsRequestResource{change}
		r.ask(changes)
	}
	creation := kmsg.NewPtrCreateTopicsRequest()
	creation.Version, creation.TimeoutMillis = 7, 5000
	wish := kmsg.NewCreateTopicsRequestTopic()
	wish.Topic, wish.NumPartitions, wish.ReplicationFactor = "too-many-replicas", 1, 99
	creation.Topics = append(creation.Topics, wish)
	if got := r.ask(creation).(*kmsg.CreateTopicsResponse).Topics[0]; got.ErrorMessage == nil || *got.ErrorMessage == "" {
		t.Errorf("CreateTopics with 99 replicas: %+v, want a text", got)
	}
	unknown := kmsg.NewPtrUnregisterBrokerRequest()
	unknown.BrokerID = 99
	r.ask(unknown)
	removal := kmsg.NewPtrRemoveRaftVoterRequest()
	removal.VoterID = 99
	r.ask(removal)
	directories := kmsg.NewPtrDescribeLogDirsRequest()
	directories.Version = 4
	r.ask(directories)
}

// aloneOnOneBroker creates a topic with one partition that one broker alone has, and returns which.
func aloneOnOneBroker(t *testing.T, c *kafkatest.Cluster) (topic string, id [16]byte, leader int32) {
	t.Helper()
	client := c.Client(t)
	wish := kmsg.NewCreateTopicsRequestTopic()
	wish.Topic, wish.NumPartitions, wish.ReplicationFactor = fmt.Sprintf("alone-%d", time.Now().UnixNano()), 1, 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = 5000
	request.Topics = append(request.Topics, wish)
	if _, err := request.RequestWith(within(t), client); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes { // also the one that will be asked must know
		eventually(t, "the topic is there", func() error {
			where, found, err := leaders(t.Context(), client.Broker(n.ID), wish.Topic)
			if err == nil {
				leader, id = where[0], found.TopicID
			}
			return err
		})
	}
	return wish.Topic, id, leader
}

// asksTheWrongBroker produces to and fetches from a broker that does not lead a topic's first partition, in every version
// that is answered with the leader's address, and returns who was named as "ID at HOST:PORT".
func asksTheWrongBroker(t *testing.T, r *raw, topic string, id [16]byte) map[string][]string {
	t.Helper()
	named := map[string][]string{}
	offered := r.offered()
	at := func(node int32, host string, port int32) string { return fmt.Sprintf("%d at %s:%d", node, host, port) }
	for v := int16(10); v <= offered[int16(kmsg.Produce)].MaxVersion; v++ {
		request := kmsg.NewPtrProduceRequest()
		request.Version, request.Acks, request.TimeoutMillis = v, -1, 5000
		to := kmsg.NewProduceRequestTopic()
		to.Topic, to.TopicID = topic, id
		partition := kmsg.NewProduceRequestTopicPartition()
		partition.Records = kafkatest.Batch("for another broker", false)
		to.Partitions = append(to.Partitions, partition)
		request.Topics = append(request.Topics, to)
		what := fmt.Sprintf("Produce v%d", v)
		named[what] = nil
		for _, b := range r.ask(request).(*kmsg.ProduceResponse).Brokers {
			named[what] = append(named[what], at(b.NodeID, b.Host, b.Port))
		}
	}
	for v := int16(16); v <= offered[int16(kmsg.Fetch)].MaxVersion; v++ {
		request := kmsg.NewPtrFetchRequest()
		request.Version, request.MaxWaitMillis, request.MaxBytes, request.SessionEpoch = v, 100, 1<<20, -1
		of := kmsg.NewFetchRequestTopic()
		of.Topic, of.TopicID = topic, id
		partition := kmsg.NewFetchRequestTopicPartition()
		partition.PartitionMaxBytes, partition.CurrentLeaderEpoch = 1<<20, -1
		of.Partitions = append(of.Partitions, partition)
		request.Topics = append(request.Topics, of)
		what := fmt.Sprintf("Fetch v%d", v)
		named[what] = nil
		for _, b := range r.ask(request).(*kmsg.FetchResponse).Brokers {
			named[what] = append(named[what], at(b.NodeID, b.Host, b.Port))
		}
	}
	if len(named) < 6 {
		t.Errorf("only %d versions name a leader", len(named))
	}
	return named
}
