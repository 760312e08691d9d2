package operations_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/asyncgate/asyncgate/test/gateway"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// password is everybody's at the gateway, and nobody's at the brokers.
const password = "at the gate"

// allowed is the outcome without an error.
const allowed = "allowed"

// made are the topics that the shared cluster has, each with a record.
var made = map[string]bool{}

// kafkaWorld is an example in front of the shared cluster.
type kafkaWorld struct {
	*example
	cluster     *kafkatest.Cluster
	gateway     *gatewaytest.Gateway
	credentials *gatewaytest.Credentials
}

// newKafka starts the gateway and makes the topics that the cases name.
func newKafka(t *testing.T, e *example) *kafkaWorld {
	t.Helper()
	w := &kafkaWorld{example: e, cluster: shared.Get(t), credentials: gatewaytest.NewCredentials(t)}
	for _, s := range e.steps(t) {
		if verb, topics, _, _ := parse(e.full(s.does)); verb != "create" {
			for _, topic := range topics {
				w.topic(t, topic)
			}
		}
	}
	e.issue(t)
	for name, p := range e.Principals {
		switch {
		case p.Certificate != "":
			w.credentials.Certificate(name, "CN="+p.Certificate, p.scopes()...)
		case p.Token == "":
			w.credentials.User(name, password, p.scopes()...)
		}
	}
	w.gateway = e.gateway(t, w.credentials, w.wire())
	return w
}

// wire are the settings of a server that say where things are.
func (w *kafkaWorld) wire() map[string]any {
	return map[string]any{
		"listen": "127.0.0.1:0", "advertise": "127.0.0.1:0",
		"upstream": map[string]any{"bootstrap": w.cluster.Addresses(kafkatest.Plaintext)},
		"tls": map[string]string{
			"certificate": w.cluster.Certificate("gateway-server.crt"), "key": w.cluster.Certificate("gateway-server.key"),
			"clientCA": w.cluster.Certificate("ca.crt"),
		},
	}
}

// partitions are those of every topic: a request is about several.
const partitions = 3

// topic makes a topic with a record in it.
func (w *kafkaWorld) topic(t *testing.T, name string) {
	t.Helper()
	if made[name] {
		return
	}
	made[name] = true
	w.cluster.CreateTopic(t, name, partitions)
	w.record(t, name)
}

// record writes a record to a topic, past the gateway.
func (w *kafkaWorld) record(t *testing.T, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.cluster.Client(t).ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("first")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// client logs a principal in.
func (w *kafkaWorld) client(t *testing.T, who string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	p := w.Principals[who]
	options = append(options, kgo.SeedBrokers(w.gateway.Address(t, p.Server)), kgo.DialTLSConfig(w.tls(t, p)),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // others read it too, and not all have Snappy
		kgo.RetryTimeout(patience), kgo.UnknownTopicRetries(0))
	switch issuer := w.issuer(who); {
	case issuer != nil:
		options = append(options, kgo.SASL(oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := issuer.Token(who)
			return oauth.Auth{Token: token}, err
		})))
	case p.Certificate == "":
		options = append(options, kgo.SASL(scram.Auth{User: who, Pass: password}.AsSha256Mechanism()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func (w *kafkaWorld) tls(t *testing.T, p principal) *tls.Config {
	t.Helper()
	config := w.cluster.TLS(t, p.Certificate)
	config.ServerName = "localhost"
	return config
}

// parse reads what a client does: verb, topics, then "as GROUP", "in TRANSACTION" or "without group".
func parse(does string) (verb string, topics []string, how, with string) {
	words := strings.Fields(does)
	verb = words[0]
	for i, word := range words[1:] {
		switch word {
		case "and":
		case "as", "in", "without":
			return verb, topics, word, words[i+2]
		default:
			topics = append(topics, word)
		}
	}
	return verb, topics, "", ""
}

// onKafka has clients do every case of a document.
func onKafka(t *testing.T, e *example) {
	t.Helper()
	w := newKafka(t, e)
	for _, s := range e.steps(t) {
		t.Run(s.who+" "+s.does, func(t *testing.T) {
			t.Parallel()
			if got := w.do(t, s.who, e.full(s.does)); got != s.outcomes[0] {
				t.Errorf("%s, want %s", got, s.outcomes[0])
			}
		})
	}
}

// do has a principal do something, and says what came out.
func (w *kafkaWorld) do(t *testing.T, who, does string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	verb, topics, how, with := parse(does)
	if refusal := w.refusal(ctx, t, who); refusal != "" {
		return refusal
	}
	switch verb {
	case "produce":
		return w.produce(ctx, t, who, topics, with)
	case "consume":
		if how == "" {
			how, with = "as", fmt.Sprintf("%s-%d", who, time.Now().UnixNano())
		}
		return w.consume(ctx, t, who, topics[0], how, with)
	case "list":
		return w.list(ctx, t, who, topics[0])
	case "create":
		return w.create(ctx, t, who, topics[0])
	}
	t.Fatalf("what is %s?", verb)
	return ""
}

// refusal is why a principal with a token does not get in; empty: it does. franz-go would try again until the end.
func (w *kafkaWorld) refusal(ctx context.Context, t *testing.T, who string) string {
	t.Helper()
	if w.issuer(who) == nil {
		return ""
	}
	if err := w.client(t, who, kgo.RequestRetries(0)).Ping(ctx); err != nil {
		return outcome(err)
	}
	return ""
}

// produce writes a record to each topic, if there is an id in a transaction.
func (w *kafkaWorld) produce(ctx context.Context, t *testing.T, who string, topics []string, id string) string {
	t.Helper()
	var options []kgo.Opt
	if id != "" {
		options = append(options, kgo.TransactionalID(id))
	}
	client := w.client(t, who, options...)
	if id != "" {
		if err := client.BeginTransaction(); err != nil {
			return outcome(err)
		}
	}
	var records []*kgo.Record
	for _, topic := range topics {
		for key := range 4 * partitions { // so that they lie in all of them
			records = append(records, &kgo.Record{Topic: topic, Key: []byte{byte(key)}, Value: []byte(who)})
		}
	}
	outcomes := make([]string, len(topics))
	for _, result := range client.ProduceSync(ctx, records...) {
		if at, got := slices.Index(topics, result.Record.Topic), outcome(result.Err); outcomes[at] == "" || got != allowed {
			outcomes[at] = got
		}
	}
	if id != "" && outcomes[0] == allowed {
		outcomes[0] = outcome(client.EndTransaction(ctx, kgo.TryCommit))
	}
	return strings.Join(outcomes, ", ")
}

// consume reads the first record of a topic, as a member of a group or without one.
func (w *kafkaWorld) consume(ctx context.Context, t *testing.T, who, topic, how, group string) string {
	t.Helper()
	options := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	if how == "as" {
		options = append(options, kgo.ConsumerGroup(group), kgo.DisableAutoCommit())
	}
	client := w.client(t, who, options...)
	for {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			return outcome(e.Err)
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		if how == "as" {
			return outcome(client.CommitUncommittedOffsets(ctx))
		}
		return allowed
	}
}

// list says whether a principal that asks for all topics is told of one.
func (w *kafkaWorld) list(ctx context.Context, t *testing.T, who, topic string) string {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest() // no list: all
	response, err := request.RequestWith(ctx, w.client(t, who))
	if err != nil {
		return err.Error()
	}
	if slices.ContainsFunc(response.Topics, func(r kmsg.MetadataResponseTopic) bool { return r.Topic != nil && *r.Topic == topic }) {
		return "there"
	}
	return "not there"
}

// create makes a topic.
func (w *kafkaWorld) create(ctx context.Context, t *testing.T, who, topic string) string {
	t.Helper()
	r := kmsg.NewCreateTopicsRequestTopic()
	r.Topic, r.NumPartitions, r.ReplicationFactor = topic, 1, -1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, r), int32(patience.Milliseconds())
	response, err := request.RequestWith(ctx, w.client(t, who))
	if err != nil {
		return err.Error()
	}
	return outcome(kerr.ErrorForCode(response.Topics[0].ErrorCode))
}

// outcome names an error as the protocol does.
func outcome(err error) string {
	var protocol *kerr.Error
	switch {
	case err == nil:
		return allowed
	case errors.As(err, &protocol):
		return fmt.Sprint(protocol.Code, " ", protocol.Message)
	}
	for code := int16(1); code < 200; code++ { // franz-go keeps of some errors the text alone
		if errors.As(kerr.ErrorForCode(code), &protocol) && strings.Contains(err.Error(), protocol.Message+":") {
			return fmt.Sprint(code, " ", protocol.Message)
		}
	}
	return err.Error()
}
