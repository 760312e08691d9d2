package api_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

var update = flag.Bool("update", false, "write docs/kafka-apis.md and the golden files anew")

func TestEveryKnownKeyHasAClass(t *testing.T) {
	for _, key := range wire.Keys() {
		if a := api.Of(key); a.Class == api.Unclassed || a.Reason == "" || a.Key != key {
			t.Errorf("api key %d (%s) has no class or no reason", key, wire.Name(key))
		}
	}
	for i, a := range api.All() {
		if int(a.Key) != i || !wire.Known(a.Key) {
			t.Errorf("entry %d is for api key %d", i, a.Key)
		}
	}
	for _, key := range []int16{-32768, -1, 95, 200, 9999, 32767} {
		if _, ok := api.MaxVersion(key); ok || api.Of(key).Class != api.Unclassed {
			t.Errorf("api key %d is offered", key)
		}
	}
}

// The never list is a promise of the design: no setting lets one of these pass.
func TestWhatIsNeverOffered(t *testing.T) {
	never := map[int16]bool{}
	for _, key := range []int16{4, 5, 6, 7, 27, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87} {
		never[key] = true
		if _, ok := api.MaxVersion(key); ok || api.Of(key).Class != api.Never {
			t.Errorf("%s is offered", wire.Name(key))
		}
	}
	for key := int16(38); key <= 41; key++ {
		never[key] = true
		if a := api.Of(key); a.Class != api.Never || a.Code != 64 || a.Max() < 0 {
			t.Errorf("%s: %+v", a.Name(), a)
		}
	}
	for _, a := range api.All() {
		if a.Class == api.Never != never[a.Key] {
			t.Errorf("%s has class %s", a.Name(), a.Class)
		}
	}
	for key, want := range map[int16]int16{22: 5, 24: 3} { // two-phase commit, and what brokers send one another
		if limit, _ := api.MaxVersion(key); limit != want {
			t.Errorf("%s is offered up to version %d", wire.Name(key), limit)
		}
	}
}

func TestTheDocumentationIsTheTable(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`# Kafka APIs

What the gateway does with each API of Apache Kafka. This page is made from the code (` + "`go test ./proxy/kafka/api -update`" + `);
a test compares them.

- **pass**: any authenticated principal. Operations on topics, groups and transactions are then subject to the document's
  rules.
- **admin**: the principals that the settings list under ` + "`admins`" + `. Others get the error that a broker with ACLs answers.
- **never**: nobody, whatever the settings say. Without an error code the API is not advertised, and a request closes the
  connection.

The classes follow what Apache Kafka's broker asks its authorizer for: an API is for admins if it asks for a right on the
cluster, or for a right on topics that neither a producer nor a consumer needs. *To* is the highest version that the
gateway advertises; brokers that know less lower it.

*Asks* is what a request asks of policy under ` + "`enforce: operations`" + `: *produce*, *consume*, *describe* (which both give),
*create* and *delete* of topics, and the use of groups and transactional ids. docs/operations.md says what that means.

| key | API | class | to | why | asks |
|---|---|---|---|---|---|
`)
	for _, a := range api.All() {
		to := "–"
		if limit := a.Max(); limit >= 0 {
			to = fmt.Sprint(limit)
		}
		class := a.Class.String()
		if a.Code != 0 {
			class += fmt.Sprintf(", error %d", a.Code)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", a.Key, a.Name(), class, to, a.Reason, a.Asked())
	}
	b.WriteString(`
## Requests of an allowed API that are refused

Whatever the settings say: a replica id of 0 or more in Fetch, ListOffsets or OffsetForLeaderEpoch (only brokers replicate),
and FindCoordinator for a share coordinator (only brokers ask for it).

## Where refusals differ from a broker's

Refusals carry the codes of a broker with Kafka's StandardAuthorizer, in the same places; a test compares each version with
a real broker. By intent they differ in this:

- messages are constant texts; a broker's name connections, and with them addresses;
- resources stand in the order of the request; a broker's order is that of its hash tables;
- DeleteTopics by an id: 29 whether the id exists or not; a broker answers 100 for one that does not;
- CreateDelegationToken leaves the principal's name empty;
- DescribeUserScramCredentials without users is answered; a broker (4.3.1) never answers it;
- AlterUserScramCredentials answers once for each mention of a user, a broker once for each user.
`)
	golden(t, filepath.Join("..", "..", "..", "docs", "kafka-apis.md"), b.Bytes())
}

// golden compares got with a file, or writes it under -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the code; run go test ./proxy/kafka/api -update", file)
	}
}
