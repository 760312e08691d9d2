package kafkatest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// adminTimeout bounds one administrative request of a test.
const adminTimeout = 60 * time.Second

// TLS returns a client's side of TLS: it believes the cluster's authority, and shows the certificate of a user unless
// the name is empty.
func (c *Cluster) TLS(t testing.TB, user string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(c.Certificate("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(ca)
	if user != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate(user+".crt"), c.Certificate(user+".key"))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

// Client returns a client of the cluster itself, past any gateway, that may do everything. It is closed with the test. What
// it produces every other client can read: not all have Snappy, which is this one's own choice.
func (c *Cluster) Client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.Addresses(Plaintext)...), kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// CreateTopic creates a topic with so many partitions, on as many nodes as there are up to three, and waits until every
// node knows it.
func (c *Cluster) CreateTopic(t testing.TB, name string, partitions int32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), adminTimeout)
	defer cancel()
	client := c.Client(t)
	defer client.Close()

	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, -1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	request.TimeoutMillis = int32(adminTimeout.Milliseconds())
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	if err := kerr.ErrorForCode(response.Topics[0].ErrorCode); err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	for _, node := range c.Nodes {
		for !c.knows(ctx, client, node, name) {
			if ctx.Err() != nil {
				t.Fatalf("node %d does not know topic %s after %v", node.ID, name, adminTimeout)
			}
		}
	}
}

// knows reports whether a node lists a topic with a leader for every partition.
func (c *Cluster) knows(ctx context.Context, client *kgo.Client, node Node, name string) bool {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, topic)
	response, err := client.Broker(node.ID).RetriableRequest(ctx, request)
	if err != nil {
		return false
	}
	found := response.(*kmsg.MetadataResponse).Topics[0]
	for _, p := range found.Partitions {
		if p.ErrorCode != 0 || p.Leader < 0 {
			return false
		}
	}
	return found.ErrorCode == 0
}

// Allow lets a user do everything with a topic and with the groups and transactional ids that begin with its own name,
// and waits until every node knows it.
func (c *Cluster) Allow(t testing.TB, user, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), adminTimeout)
	defer cancel()
	request := kmsg.NewPtrCreateACLsRequest()
	for _, resource := range []struct {
		kind    kmsg.ACLResourceType
		name    string
		pattern kmsg.ACLResourcePatternType
	}{
		{kmsg.ACLResourceTypeGroup, user, kmsg.ACLResourcePatternTypePrefixed},
		{kmsg.ACLResourceTypeTransactionalId, user, kmsg.ACLResourcePatternTypePrefixed},
		{kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral}, // last: allowed waits for this one
	} {
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.ResourceName, creation.ResourcePatternType = resource.kind, resource.name, resource.pattern
		creation.Principal, creation.Host = "User:"+user, "*"
		creation.Operation, creation.PermissionType = kmsg.ACLOperationAll, kmsg.ACLPermissionTypeAllow
		request.Creations = append(request.Creations, creation)
	}
	client := c.Client(t)
	defer client.Close()
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		t.Fatalf("allow %s: %v", user, err)
	}
	for _, result := range response.Results {
		if err := kerr.ErrorForCode(result.ErrorCode); err != nil {
			t.Fatalf("allow %s: %v", user, err)
		}
	}
	for _, node := range c.Nodes {
		for !allowed(ctx, client, node, user, topic) {
			if ctx.Err() != nil {
				t.Fatalf("node %d does not let %s use topic %s after %v", node.ID, user, topic, adminTimeout)
			}
		}
	}
}

// allowed reports whether a node's authorizer has an entry for a user and a topic.
func allowed(ctx context.Context, client *kgo.Client, node Node, user, topic string) bool {
	request := kmsg.NewPtrDescribeACLsRequest()
	request.ResourceType, request.ResourceName = kmsg.ACLResourceTypeTopic, kmsg.StringPtr(topic)
	request.ResourcePatternType = kmsg.ACLResourcePatternTypeLiteral
	request.Principal = kmsg.StringPtr("User:" + user)
	request.Operation, request.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	response, err := client.Broker(node.ID).RetriableRequest(ctx, request)
	return err == nil && len(response.(*kmsg.DescribeACLsResponse).Resources) > 0
}

// ShareFromEarliest has a share group begin at the earliest record of a topic, not at the latest.
func (c *Cluster) ShareFromEarliest(t testing.TB, group string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), adminTimeout)
	defer cancel()
	entry := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	entry.Name, entry.Value = "share.auto.offset.reset", kmsg.StringPtr("earliest")
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	resource.Configs = append(resource.Configs, entry)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	client := c.Client(t)
	defer client.Close()
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		t.Fatalf("configure group %s: %v", group, err)
	}
	if err := kerr.ErrorForCode(response.Resources[0].ErrorCode); err != nil {
		t.Fatalf("configure group %s: %v", group, err)
	}
}
