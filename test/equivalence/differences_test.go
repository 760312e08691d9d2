package equivalence_test

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// differences are what may differ; differences.txt says how they are written.
type differences struct {
	mu    sync.Mutex
	lines []*difference
}

// whole is the path of a difference after which nothing is compared.
const whole = "whole"

type difference struct {
	text           string
	key, lo, hi    int16
	path, from, to *regexp.Regexp // of the whole text
	whole          bool           // it is about answers whose error codes at the top differ
	sometimes      bool           // it need not show
	used           bool
}

func readDifferences(t *testing.T) *differences {
	t.Helper()
	text, err := os.ReadFile("differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all differences
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		text, sometimes := strings.CutPrefix(line, "sometimes ")
		what, to, found := strings.Cut(text, " => ")
		f := strings.SplitN(what, " ", 4)
		if !found || len(f) != 4 {
			t.Fatalf("differences.txt: %q is not KEY LO-HI PATH FROM => TO", line)
		}
		first, last, _ := strings.Cut(f[1], "-")
		d := &difference{text: line, sometimes: sometimes, path: glob(f[2]), whole: f[2] == whole, from: glob(f[3]), to: glob(to)}
		for i, number := range []*int16{&d.key, &d.lo, &d.hi} {
			n, err := strconv.ParseInt([]string{f[0], first, last}[i], 10, 16)
			if err != nil {
				t.Fatalf("differences.txt: %q: %v", line, err)
			}
			*number = int16(n)
		}
		all.lines = append(all.lines, d)
	}
	return &all
}

// glob is a text in which * stands for anything.
func glob(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}

// unlisted are the paths of which two answers say different things, and may not.
func (all *differences) unlisted(key, version int16, broker, gateway said) (paths []string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, path := range differ(broker, gateway) {
		if all.excuse(key, version, whole, broker.at("ErrorCode"), gateway.at("ErrorCode")) {
			return nil
		}
		if !all.excuse(key, version, path, broker.at(path), gateway.at(path)) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (all *differences) excuse(key, version int16, path, from, to string) bool {
	for _, d := range all.lines {
		if d.whole != (path == whole) {
			continue
		}
		if d.key == key && d.lo <= version && version <= d.hi && d.path.MatchString(path) && d.from.MatchString(from) && d.to.MatchString(to) {
			d.used = true
			return true
		}
	}
	return false
}

// unused are the lines that nothing needed.
func (all *differences) unused() (texts []string) {
	for _, d := range all.lines {
		if !d.used && !d.sometimes {
			texts = append(texts, d.text)
		}
	}
	return texts
}

// A gateway that allows more than the lists do is noticed, whatever may differ.
func TestARuleTooManyIsNoticed(t *testing.T) {
	w := newWorld(t, kafkatest.Newest)
	w.apply(rules{user: alice, plan: []plan.Rule{topic(plan.Consume, "eq.a"), topic(plan.Produce, "eq.a")}})
	listed := readDifferences(t)
	broker := &side{w: w, address: w.cluster.Addresses(kafkatest.SASL)[0]}
	gateway := &side{w: w, address: w.gateway.Addresses[inprocess.SASL]}
	offered, p := gateway.offered(), pick{topics: []string{"eq.a"}, parts: []int32{0}, group: alice, groups: []string{alice}, id: alice, ids: []string{alice}}
	for _, key := range []int16{0, 1, 2, 3, 8, 9, 23, 24, 28, 32, 47, 61, 68, 75, 76, 88} {
		for version := offered[key][0]; version <= min(offered[key][1], kmsg.RequestForKey(key).MaxVersion()); version++ {
			want, got := broker.ask(requests[key][0](w, version, p)), gateway.ask(requests[key][0](w, version, p))
			if !reflect.DeepEqual(want, ended) && len(listed.unlisted(key, version, want, got)) == 0 {
				t.Errorf("%s v%d: both say %v", wire.Name(key), version, want)
			}
		}
	}
}
