// Command franz is the driver of franz-go. See ../README.md for the jobs, the arguments and the answer.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/oauth2/clientcredentials"
)

// job is one thing to do, as its arguments say.
type job struct {
	name      string
	arguments map[string]string
	values    []string // what to produce
}

type answer struct {
	Client  string `json:"client"`
	Job     string `json:"job"`
	Outcome string `json:"outcome"`
	Error   string `json:"error"`
	Message string `json:"message"`
	Records int    `json:"records"`
}

func main() {
	if len(os.Args) > 1 {
		do(os.Args[1:])
		return
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		do(strings.Split(lines.Text(), "\t"))
	}
}

// do does one job and prints the answer.
func do(words []string) {
	j := job{name: words[0], arguments: map[string]string{}}
	for _, argument := range words[1:] {
		name, value, _ := strings.Cut(argument, "=")
		j.arguments[name] = value
	}
	for i := range j.number("count", 10) {
		j.values = append(j.values, fmt.Sprintf("%s-%d", j.arguments["group"], i))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(j.number("timeout", 60))*time.Second)
	defer cancel()

	said := answer{Client: "franz-go", Job: j.name, Outcome: "accepted"}
	records, err := j.run(ctx)
	said.Records = records
	if err != nil {
		said.Outcome, said.Error, said.Message = classify(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
}

func (j *job) number(name string, unless int) int {
	if n, err := strconv.Atoi(j.arguments[name]); err == nil {
		return n
	}
	return unless
}

// classify names what went wrong: refused if SASL or TLS said no.
func classify(err error) (outcome, class, message string) {
	message = err.Error()
	if protocol := (*kerr.Error)(nil); errors.As(err, &protocol) {
		if errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kerr.UnsupportedSaslMechanism) {
			return "refused", protocol.Message, message
		}
		return "failed", protocol.Message, message
	}
	// An alert of the other side has no type that could be asked for.
	if strings.Contains(message, "remote error: tls:") {
		return "refused", "tls.alert", message
	}
	return "failed", fmt.Sprintf("%T", err), message
}

func (j *job) run(ctx context.Context) (int, error) {
	switch j.name {
	case "login":
		return 0, j.login(ctx)
	case "produce-consume":
		if err := j.produceAll(ctx); err != nil {
			return 0, err
		}
		return j.consume(ctx)
	case "transaction":
		if err := j.transaction(ctx); err != nil {
			return 0, err
		}
		return j.consume(ctx)
	case "stay":
		return j.stay(ctx)
	}
	return 0, fmt.Errorf("unknown job %q", j.name)
}

func (j *job) client(more ...kgo.Opt) (*kgo.Client, error) {
	options := append([]kgo.Opt{kgo.SeedBrokers(strings.Split(j.arguments["bootstrap"], ",")...)}, more...)
	if strings.HasSuffix(j.arguments["protocol"], "SSL") {
		config, err := j.tls()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	if mechanism := j.mechanism(); mechanism != nil {
		options = append(options, kgo.SASL(mechanism))
	}
	return kgo.NewClient(options...)
}

func (j *job) mechanism() sasl.Mechanism {
	user, password := j.arguments["user"], j.arguments["password"]
	switch j.arguments["mechanism"] {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
	case "OAUTHBEARER":
		grant := &clientcredentials.Config{ClientID: user, ClientSecret: password, TokenURL: j.arguments["endpoint"],
			Scopes: strings.Fields(j.arguments["scope"])}
		return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
			token, err := grant.Token(ctx)
			if err != nil {
				return oauth.Auth{}, err
			}
			return oauth.Auth{Token: token.AccessToken}, nil
		})
	}
	return nil
}

func (j *job) tls() (*tls.Config, error) {
	ca, err := os.ReadFile(j.arguments["ca"])
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(ca)
	if j.arguments["cert"] != "" {
		pair, err := tls.LoadX509KeyPair(j.arguments["cert"], j.arguments["key"])
		if err != nil {
			return nil, err
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return config, nil
}

func (j *job) login(ctx context.Context) error {
	client, err := j.client()
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Ping(ctx)
}

// stay produces one record after the other on the same connections, for as long as it is told to.
func (j *job) stay(ctx context.Context) (sent int, err error) {
	client, err := j.client()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Duration(j.number("stay", 0)) * time.Second); time.Now().Before(end); <-tick.C {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: j.arguments["topic"], Value: fmt.Appendf(nil, "stay-%d", sent)}).FirstErr(); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

func (j *job) records(prefix string) []*kgo.Record {
	var all []*kgo.Record
	for _, value := range j.values {
		all = append(all, &kgo.Record{
			Topic: j.arguments["topic"], Key: []byte(value), Value: []byte(prefix + value),
			Headers: []kgo.RecordHeader{{Key: "by", Value: []byte("franz-go")}},
		})
	}
	return all
}

func (j *job) produceAll(ctx context.Context) error {
	client, err := j.client(kgo.ProducerBatchCompression(kgo.GzipCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, j.records("")...).FirstErr()
}

func (j *job) transaction(ctx context.Context) error {
	client, err := j.client(kgo.TransactionalID(j.arguments["group"]))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, t := range []struct {
		prefix string
		end    kgo.TransactionEndTry
	}{{"", kgo.TryCommit}, {"aborted-", kgo.TryAbort}} {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		if err := client.ProduceSync(ctx, j.records(t.prefix)...).FirstErr(); err != nil {
			return err
		}
		if err := client.EndTransaction(ctx, t.end); err != nil {
			return err
		}
	}
	return nil
}

// consume reads as the group what was committed, and reports an error unless it is exactly what was produced.
func (j *job) consume(ctx context.Context) (int, error) {
	client, err := j.client(
		kgo.ConsumerGroup(j.arguments["group"]), kgo.ConsumeTopics(j.arguments["topic"]), kgo.DisableAutoCommit(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	var got []string
	for len(got) < len(j.values) {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return len(got), err
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return len(got), err
	}
	want := slices.Clone(j.values)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		return len(got), fmt.Errorf("consumed other records than were produced: %q", got)
	}
	return len(got), nil
}
