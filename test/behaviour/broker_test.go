package behaviour_test

import (
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/dialogue"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

var update = flag.Bool("update", false, "record the broker's answers anew, and the differences of the gateway")

var cluster *kafkatest.Shared

func TestMain(m *testing.M) {
	flag.Parse()
	if err := startIssuer(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cluster = kafkatest.Share(kafkatest.Options{Reauth: sessionTime,
		Issuer: &kafkatest.Issuer{Name: issuer.URL(), Audience: audience, JWKS: issuer.URL() + "/jwks"}})
	os.Exit(parts.Main(m))
}

// brokerTarget is a real broker.
func brokerTarget(t testing.TB) *dialogue.Target {
	t.Helper()
	c := cluster.Get(t)
	node := c.Nodes[0].Listeners
	return &dialogue.Target{
		Addresses: map[string]string{
			"plaintext": node[kafkatest.Plaintext], "sasl": node[kafkatest.SASL], "sasl-tls": node[kafkatest.SASLTLS],
			"sasl-tls-optional": node[kafkatest.OptTLS], "mtls": node[kafkatest.MTLS], "sasl-expiring": node[kafkatest.Reauth],
			"bearer": node[kafkatest.Bearer],
		},
		TLS:     func(certificate string) (*tls.Config, error) { return c.TLS(t, certificate), nil },
		Session: sessionTime,
		Token:   token,
	}
}

func TestTheRecordedAnswersAreABrokers(t *testing.T) {
	target := brokerTarget(t)
	all := topics(t)
	if *update {
		record(t, target, all)
		return
	}
	results := playAll(t, target, all, patience, asRecorded)
	count := 0
	for _, f := range all {
		for _, d := range f.file.Dialogues {
			r := results[f.name+"/"+d.Name]
			if r == nil {
				continue
			}
			count++
			if r.Transcript() != d.Transcript() {
				t.Errorf("%s: %s/%s: recorded is\n%sthe broker now says\n%s", f.path, f.name, d.Name, d.Transcript(), r.Transcript())
			}
		}
	}
	t.Logf("%d dialogues with Apache Kafka %s", count, kafkatest.Newest)
}

// record writes the broker's answers into the files.
func record(t *testing.T, target *dialogue.Target, all []topic) {
	results := playAll(t, target, all, recording, asUnknown)
	for _, f := range all {
		for i, d := range f.file.Dialogues {
			if r := results[f.name+"/"+d.Name]; r != nil {
				f.file.Dialogues[i] = r.Dialogue
			}
		}
		f.write(t, f.file)
	}
}
