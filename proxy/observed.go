package proxy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/asyncgate/asyncgate/sasl"
)

// maxObserved bounds what is kept of requests that would have been denied: names are the clients' to choose.
const maxObserved = 10_000

// Observation is what enforce: observe has seen of one principal, action and resource that the rules would deny. The JSON
// form is a contract: `asyncgate learn` and people's scripts read it.
type Observation struct {
	Server    string `json:"server"`
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"` // kind:name
	Reason    string `json:"reason"`   // of the first time
	Count     uint64 `json:"count"`
}

type observedKey struct{ server, principal, action, resource string }

// observed counts what would have been denied.
type observed struct {
	mu   sync.Mutex
	seen map[observedKey]*Observation
	lost uint64 // that found no place
}

// count returns how often this has been seen, this time included; 0: there is no place for it.
func (o *observed) count(key observedKey, reason string) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.seen[key]
	if seen == nil {
		if len(o.seen) >= maxObserved {
			o.lost++
			return 0
		}
		if o.seen == nil {
			o.seen = make(map[observedKey]*Observation)
		}
		seen = &Observation{Server: key.server, Principal: key.principal, Action: key.action, Resource: key.resource, Reason: reason}
		o.seen[key] = seen
	}
	seen.Count++
	return seen.Count
}

// all is what has been seen, the most frequent first, and how much more there was no place for.
func (o *observed) all() (list []Observation, lost uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, seen := range o.seen {
		list = append(list, *seen)
	}
	slices.SortFunc(list, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Principal, b.Principal),
			cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	return list, o.lost
}

// serve answers GET /observed.
func (o *observed) serve(w http.ResponseWriter, _ *http.Request) {
	list, lost := o.all()
	if list == nil {
		list = []Observation{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Observed []Observation `json:"observed"`
		Lost     uint64        `json:"lost"`
	}{list, lost})
}

// Observe notes something that the rules deny and that passes, because the plan says enforce: observe. It counts every
// time, and writes an audit record with the first, the tenth, the hundredth and so on.
func (s *Session) Observe(api, action, resource, reason string) {
	s.mu.Lock()
	principal := ""
	if s.principal != nil {
		principal = s.principal.Name
	}
	s.mu.Unlock()
	g := s.Server.gateway
	n := g.observed.count(observedKey{s.Server.name, principal, action, resource}, reason)
	if n == 0 || !powerOfTen(n) {
		return
	}
	record := s.record("observed").because(&sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed",
		Private: fmt.Sprintf("%s; seen %d times", reason, n)})
	record.decision, record.api, record.resource = "would-deny", api, action+" "+resource
	g.audit.write(record)
}

func powerOfTen(n uint64) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
