package behaviour_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/test/canary"
	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// gatewayTarget is a gateway before a cluster.
func gatewayTarget(t testing.TB, bootstrap ...string) *dialogue.Target {
	t.Helper()
	certificates := inprocess.NewCertificates(t)
	users := inprocess.NewUsers(t, "alice", "bob")
	p := inprocess.Plan(inprocess.PlanOptions{Certificates: certificates, Session: sessionTime, Bootstrap: bootstrap,
		Issuer: &plan.Issuer{Issuer: issuer.URL(), Audiences: []string{audience}, JWKS: issuer.URL() + "/jwks"}})
	g := inprocess.Start(t, p, users)
	return &dialogue.Target{Addresses: g.Addresses, TLS: certificates.Client, Session: sessionTime, Token: token}
}

func TestTheGatewayAnswersAsABroker(t *testing.T) {
	target := gatewayTarget(t, canary.Start(t, canary.Options{}).Address())
	if *update {
		recordDifferences(t, target)
	}
	compare(t, target, "a broker's recorded answers")
}

func TestTheGatewayBeforeABrokerAnswersAsTheBroker(t *testing.T) {
	c := cluster.Get(t)
	compare(t, gatewayTarget(t, c.Addresses(kafkatest.Plaintext)...), "Apache Kafka "+kafkatest.Newest)
}

// compare has all dialogues with the gateway and fails for every difference that is not listed, and for every listed
// one that is none any more.
func compare(t *testing.T, target *dialogue.Target, with string) {
	t.Helper()
	all, list := topics(t), readDifferences(t)
	expected := func(f topic, d *dialogue.Dialogue) *dialogue.Dialogue {
		if as := list.of(f.name + "/" + d.Name); as != nil {
			return as
		}
		return d
	}
	results := playAll(t, target, all, patience, expected)
	different := 0
	for _, f := range all {
		for _, d := range f.file.Dialogues {
			name := f.name + "/" + d.Name
			r := results[name]
			switch listed := list.of(name); {
			case r == nil: // has failed already
			case listed == nil && r.Transcript() != d.Transcript():
				t.Errorf("%s: a difference that is not listed: a broker says\n%sthe gateway says\n%s", name, d.Transcript(), r.Transcript())
			case listed == nil:
			case r.Transcript() == d.Transcript():
				t.Errorf("%s: is listed, and goes with the gateway as with a broker", name)
			case r.Transcript() != listed.Transcript():
				t.Errorf("%s: listed is\n%sthe gateway now says\n%s", name, listed.Transcript(), r.Transcript())
			default:
				different++
			}
		}
	}
	t.Logf("%d dialogues against %s: %d the same, %d listed differences for %d reasons",
		len(results), with, len(results)-different, different, len(list))
}

// recordDifferences brings the list up to date.
func recordDifferences(t *testing.T, target *dialogue.Target) {
	list, all := readDifferences(t), topics(t)
	results := playAll(t, target, all, recording, asUnknown)
	recorded := map[string]*dialogue.Dialogue{}
	for _, f := range all {
		for _, d := range f.file.Dialogues {
			recorded[f.name+"/"+d.Name] = d
		}
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if results[name].Transcript() == recorded[name].Transcript() {
			list.drop(name)
		} else {
			list.set(name, results[name].Dialogue)
		}
	}
	if err := os.WriteFile(differencesPath, []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
