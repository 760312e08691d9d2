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

// side is one of the two that are asked.
type side struct {
	w       *world
	address string
	conn    *conn
}

// ask returns what the other side says to a request; the end of the connection is an answer too.
func (s *side) ask(request kmsg.Request) said {
	_, says := s.exchange(request)
	return says
}

// exchange is ask with the response; nil if there is none.
func (s *side) exchange(request kmsg.Request) (kmsg.Response, said) {
	if s.conn == nil {
		s.conn = s.w.dial(s.address)
		c := s.conn
		s.w.t.Cleanup(func() { c.Close() })
	}
	response, err := s.conn.ask(request)
	if err == nil {
		return response, canonical(response)
	}
	s.conn.Close()
	s.conn = nil
	if !errors.Is(err, io.EOF) {
		return nil, said{"connection": err.Error()}
	}
	if records := s.w.gateway.Log.Records(func(inprocess.Record) bool { return true }); s.address == s.w.gateway.Addresses[inprocess.SASL] && len(records) > 0 {
		s.w.t.Logf("the gateway: %s", records[len(records)-1].Text)
	}
	return nil, ended
}

// picks are what the requests of one set of rules name.
func picks(r *rand.Rand) []pick {
	some := func(from []string, n int) []string {
		from = slices.Clone(from)
		r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		return from[:n]
	}
	parts := [][]int32{{0}, {1, 0}, {0, 7, 1}} // the last one has a partition that no topic has
	all := []pick{{topics: append(slices.Clone(existing), missing...), parts: parts[0], group: "alice", groups: groups, id: "alice-t", ids: ids, all: true}}
	for i := range 4 {
		all = append(all, pick{topics: some(append(slices.Clone(existing), missing...), 1+i), parts: parts[r.IntN(len(parts))], group: groups[r.IntN(len(groups))],
			groups: some(groups, 1+r.IntN(3)), id: ids[r.IntN(len(ids))], ids: some(ids, 2)})
	}
	return append(all, pick{topics: some(append(slices.Clone(existing), missing...), 11), parts: parts[2], group: "alice.x", groups: groups, id: "alice", ids: ids})
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
	t.Parallel()
	listed := readDifferences(t)
	seeds := uint64(6)
	if n, err := strconv.ParseUint(os.Getenv("EQUIVALENCE_SEEDS"), 10, 64); err == nil {
		seeds = n
	}
	t.Run("brokers", func(t *testing.T) {
		for version := range brokers {
			t.Run(version, func(t *testing.T) {
				t.Parallel()
				c := comparison{world: newWorld(t, version), listed: listed, apis: map[int16]bool{}, versions: map[[2]int16]bool{}}
				for seed := range seeds {
					c.with(t, seed)
				}
				matrix.Show(fmt.Sprintf("equivalence with %s: %d APIs, %d versions, %d cases\n", c.world.cluster, len(c.apis), len(c.versions), c.cases))
			})
		}
	})
	for _, text := range listed.unused() {
		t.Errorf("differences.txt: %s: does not differ any more", text)
	}
	matrix.Show(fmt.Sprintf("equivalence: %d listed differences\n", len(listed.lines)))
}

// comparison is one broker's, and what has been compared.
type comparison struct {
	world    *world
	listed   *differences
	apis     map[int16]bool
	versions map[[2]int16]bool
	cases    int
}

// with compares the answers under one set of rules.
func (c *comparison) with(t *testing.T, seed uint64) {
	s := chance(seed)
	t.Run(s.name, func(t *testing.T) {
		w := *c.world
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
				c.apis[key], c.versions[[2]int16{key, version}] = true, true
				for i, p := range picks(r) {
					for form, build := range requests[key] {
						c.cases++
						want, got := broker.ask(build(&w, version, p)), gateway.ask(build(&w, version, p))
						if paths := c.listed.unlisted(key, version, want, got); len(paths) > 0 {
							t.Errorf("%s v%d, pick %d, form %d %+v:%s", wire.Name(key), version, i, form, p, lines(paths, want, got))
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

// lines are what two answers say at some paths.
func lines(paths []string, broker, gateway said) string {
	var text strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&text, "\n  %s: broker %s, gateway %s", path, broker.at(path), gateway.at(path))
	}
	return text.String()
}
