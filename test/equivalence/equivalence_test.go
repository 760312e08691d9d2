package equivalence_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/matrix"
)

// difference is one line of differences.txt.
type difference struct {
	key      int16
	lo, hi   int16
	from, to string // what the broker says, and the gateway instead
	used     bool
}

// differences reads what may differ.
func differences(t *testing.T) []*difference {
	t.Helper()
	text, err := os.ReadFile("differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []*difference
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		what, to, found := strings.Cut(line, " => ")
		f := strings.SplitN(what, " ", 3)
		if !found || len(f) != 3 {
			t.Fatalf("differences.txt: %q is not KEY LO-HI FROM => TO", line)
		}
		key, _ := strconv.ParseInt(f[0], 10, 16)
		first, last, _ := strings.Cut(f[1], "-")
		lo, _ := strconv.ParseInt(first, 10, 16)
		hi, _ := strconv.ParseInt(last, 10, 16)
		all = append(all, &difference{int16(key), int16(lo), int16(hi), f[2], to, false})
	}
	return all
}

// side is one of the two that are asked.
type side struct {
	w       *world
	address string
	conn    *conn
}

// ask returns what the other side says to a request; the end of the connection is an answer too.
func (s *side) ask(request kmsg.Request) string {
	if s.conn == nil {
		s.conn = s.w.dial(s.address)
		c := s.conn
		s.w.t.Cleanup(func() { c.Close() })
	}
	response, err := s.conn.ask(request)
	if err != nil {
		s.conn.Close()
		s.conn = nil
		if errors.Is(err, io.EOF) {
			if records := s.w.gateway.Log.Records(func(inprocess.Record) bool { return true }); s.address == s.w.gateway.Addresses[inprocess.SASL] && len(records) > 0 {
				s.w.t.Logf("the gateway: %s", records[len(records)-1].Text)
			}
			return "the connection ends"
		}
		return "no answer: " + err.Error()
	}
	return canonical(response)
}

// picks are what the requests of one set of rules name.
func picks(r *rand.Rand) []pick {
	some := func(from []string, n int) []string {
		from = slices.Clone(from)
		r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		return from[:n]
	}
	all := []pick{{topics: append(slices.Clone(existing), missing...), group: "alice", groups: groups, id: "alice-t", ids: ids, all: true}}
	for i := range 4 {
		all = append(all, pick{topics: some(append(slices.Clone(existing), missing...), 1+i), group: groups[r.IntN(len(groups))],
			groups: some(groups, 1+r.IntN(3)), id: ids[r.IntN(len(ids))], ids: some(ids, 2)})
	}
	return append(all, pick{topics: append(slices.Clone(existing), missing...), group: "alice.x", groups: groups, id: "alice", ids: ids})
}

// offered are the versions of an address.
func (s *side) offered() map[int16][2]int16 {
	s.w.t.Helper()
	request := kmsg.NewPtrApiVersionsRequest()
	request.Version, request.ClientSoftwareName, request.ClientSoftwareVersion = 3, "test", "1"
	c := s.w.dial(s.address)
	defer c.Close()
	response, err := c.ask(request)
	if err != nil {
		s.w.t.Fatal(err)
	}
	all := map[int16][2]int16{}
	for _, k := range response.(*kmsg.ApiVersionsResponse).ApiKeys {
		all[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	return all
}

func TestGatewayAnswersAsABrokerWithLists(t *testing.T) {
	w := newWorld(t)
	listed := differences(t)
	seeds := uint64(6)
	if n, err := strconv.ParseUint(os.Getenv("EQUIVALENCE_SEEDS"), 10, 64); err == nil {
		seeds = n
	}
	apis, versions, cases := map[int16]bool{}, map[[2]int16]bool{}, 0
	for seed := range seeds {
		s := chance(seed)
		t.Run(s.name, func(t *testing.T) {
			w := *w
			w.t = t
			w.apply(s)
			broker := &side{w: &w, address: w.cluster.Addresses(kafkatest.SASL)[0]}
			gateway := &side{w: &w, address: w.gateway.Addresses[inprocess.SASL]}
			offered, r := gateway.offered(), rand.New(rand.NewPCG(seed, 2))
			for _, key := range slices.Sorted(maps.Keys(requests)) {
				span, ok := offered[key]
				if !ok {
					continue
				}
				for version := span[0]; version <= min(span[1], kmsg.RequestForKey(key).MaxVersion()); version++ {
					apis[key], versions[[2]int16{key, version}] = true, true
					for i, p := range picks(r) {
						for form, build := range requests[key] {
							cases++
							want, got := broker.ask(build(&w, version, p)), gateway.ask(build(&w, version, p))
							if want, got = excuse(listed, key, version, want, got); want != got {
								t.Errorf("%s v%d, pick %d, form %d %+v:\n  broker  %s\n  gateway %s", wire.Name(key), version, i, form, p, want, got)
							}
						}
					}
				}
			}
			if t.Failed() {
				t.Logf("rules %+v\nmay %+v", s.plan, s.may)
			}
		})
	}
	for _, d := range listed {
		if !d.used {
			t.Errorf("differences.txt: %s %s does not differ any more", wire.Name(d.key), d.from)
		}
	}
	matrix.Show(fmt.Sprintf("equivalence with %s: %d APIs, %d versions, %d cases, %d listed differences\n", w.cluster, len(apis), len(versions), cases, len(listed)))
}

// excuse makes the listed differences in what the broker says.
func excuse(listed []*difference, key, version int16, want, got string) (string, string) {
	if want == got {
		return want, got
	}
	for _, d := range listed {
		if d.key != key || version < d.lo || version > d.hi {
			continue
		}
		if d.to == "*" {
			if strings.Contains(want, d.from) || strings.Contains(got, d.from) { // a broker is behind both
				d.used = true
				return "", ""
			}
			continue
		}
		if changed := strings.ReplaceAll(want, d.from, d.to); changed != want && strings.Contains(got, d.to) {
			d.used = true
			want, got = changed, strings.ReplaceAll(got, d.from, d.to)
		}
	}
	return want, got
}
