package proposal

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestARecordIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range MaxSeen + 5 {
		fmt.Fprintf(&b, `{"observed":[{"server":"a","principal":"p","action":"produce","resource":"topic:%d"}],"lost":1}`+"\n", i)
	}
	var r Record
	r.Read("a", []byte(b.String()+strings.Repeat("broken\n", maxFault+5)))
	if r.Len() != MaxSeen || r.Full != MaxSeen+10 || r.Broken != maxFault+5 || len(r.Faults) != maxFault {
		t.Errorf("%d kept, %d without a place, %d broken, %d told", r.Len(), r.Full, r.Broken, len(r.Faults))
	}
}

// FuzzRecord looks for inputs that panic, and for observations whose names nobody can have meant.
func FuzzRecord(f *testing.F) {
	for _, name := range []string{"kafka-and-mqtt", "counterparty-2.6", "json", "log"} {
		data, err := os.ReadFile("../cmd/asyncgate/testdata/learn/" + name + "/record.json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"", "null", "[]", "{", `{"observed":null}`, `{"observed":[null]}`, `{"observed":[{"resource":":"}],"lost":-1}`,
		`{"msg":"observed","decision":"would-deny","resource":"produce topic:a","reason":"; seen 9999999999999999999 times"}`, "\ufeff{}\r\n{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Record
		r.Read("f", data)
		if len(r.Faults) > maxFault || r.Len() > MaxSeen || r.Full < 0 {
			t.Fatalf("out of bounds: %+v", r)
		}
		for s, n := range r.All() {
			if n == 0 || s.Name == "" || !known(s.Action) {
				t.Fatalf("%d times %+v", n, s)
			}
			if text := s.String(); len(text) > 5*4*(maxShown+8)+64 || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("not fit for a terminal: %q", text)
			}
			back, err := json.Marshal(map[string]any{"observed": []observation{{s.Server, s.Principal, string(s.Action), s.Kind + ":" + s.Name, n}}})
			var again Record
			if again.Read("again", back); err != nil || again.seen[s] != n {
				t.Fatalf("%+v is read back as %+v", s, again.seen)
			}
		}
	})
}
