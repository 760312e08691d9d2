package policy

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/asyncgate/asyncgate/plan"
)

// many are the rules of a document with n channels: names, templates of several forms, and parameters that are narrowed.
func many(n int) []plan.Rule {
	var rules []plan.Rule
	for i := range n {
		switch i % 5 {
		case 0:
			rules = append(rules, allow(Produce, fmt.Sprintf("shop.orders.%d", i)))
		case 1:
			rules = append(rules, allow(Consume, fmt.Sprintf("shop.%d.{region}.done", i)))
		case 2:
			rules = append(rules, allow(Consume, fmt.Sprintf("{tenant}.%d.events", i)))
		case 3:
			rules = append(rules, allow(Produce, fmt.Sprintf("device-%d-{id}.up", i)))
		case 4:
			rules = append(rules, secured(allow(Produce, fmt.Sprintf("zone.%d.{zone}", i), plan.Parameter{Name: "zone", Enum: []string{"a", "b", "c"}}),
				way(withScopes(scram, "zone:write"))))
		}
	}
	return rules
}

var benchNames = []string{"shop.orders.5000", "shop.5001.eu.done", "acme.5002.events", "device-5003-x.up", "zone.5004.b", "shop.orders.none", "nothing"}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		s := compiled(b, &plan.Plan{}, "kafka", many(n)...).Subject(nil, user("alice", "zone:write"))
		b.Run(fmt.Sprint(n, "-rules"), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Decide(Produce, Resource{Name: benchNames[i%len(benchNames)]})
				i++
			}
		})
	}
}

// One address for as many topics as `asyncgate learn --template` may fold.
func BenchmarkDecideEnum(b *testing.B) {
	var values []string
	for i := range 5000 {
		values = append(values, fmt.Sprintf("region-%d", i))
	}
	s := compiled(b, &plan.Plan{}, "kafka", allow(Produce, "shop.orders.{region}", plan.Parameter{Name: "region", Enum: values})).Subject(nil, user("alice"))
	b.ReportAllocs()
	for b.Loop() {
		if !s.Decide(Produce, Resource{Name: "shop.orders.region-4999"}).Allowed {
			b.Fatal("denied")
		}
	}
}

func BenchmarkDecideFilter(b *testing.B) {
	var rules []plan.Rule
	for i := range 10_000 {
		rules = append(rules, allow(Consume, fmt.Sprintf("site/%d/{sensor}/state", i)))
	}
	s := compiled(b, &plan.Plan{}, "mqtt", rules...).Subject(nil, user("alice"))
	b.ReportAllocs()
	for b.Loop() {
		if !s.Decide(Consume, Resource{Name: "site/77/+/state"}).Allowed {
			b.Fatal("denied")
		}
	}
}

func TestDecisionAllocatesNothing(t *testing.T) {
	s := compiled(t, &plan.Plan{}, "kafka", many(10_000)...).Subject(nil, user("alice", "zone:write"))
	for _, name := range benchNames {
		if n := testing.AllocsPerRun(100, func() { s.Decide(Produce, Resource{Name: name}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// The aim is 20 MB for 10,000 channels; the plan itself is not counted, the gateway has it anyway.
func TestMemoryOfTenThousandChannels(t *testing.T) {
	rules := many(10_000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := compiled(t, &plan.Plan{}, "kafka", rules...)
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%.1f MB", float64(used)/1e6)
	if used > 20e6 {
		t.Errorf("%d bytes, want at most 20 MB", used)
	}
	runtime.KeepAlive(r)
}

// FuzzCompile holds the compiler and its decisions against hostile addresses and names.
func FuzzCompile(f *testing.F) {
	f.Add("orders.{region}", "eu|us", "^e", "orders.eu", true)
	f.Add("{a}{b}{c}{d}", "", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true)
	f.Add("a/{b}/+/#", "", "(", "a/+/#", false)
	f.Add("{}{", "", "[a-", "$share/g/#", false)
	f.Fuzz(func(t *testing.T, text, enum, pattern, name string, overKafka bool) {
		protocol := "mqtt"
		if overKafka {
			protocol = "kafka"
		}
		var values []string
		if enum != "" {
			values = []string{enum, name}
		}
		rule := allow(Consume, text, plan.Parameter{Name: "b", Enum: values, Pattern: pattern}, plan.Parameter{Name: "c", Dots: true},
			plan.Parameter{Name: "region", Principal: "name"})
		server := &plan.Server{Protocol: protocol, Rules: []plan.Rule{rule}}
		r, err := Compile(&plan.Plan{}, server)
		if err != nil {
			return
		}
		s := r.Subject(nil, user("alice"))
		for _, action := range []plan.Action{Produce, Consume, Describe} {
			for _, kind := range []Kind{Topic, Group, Transaction} {
				if d := s.Decide(action, Resource{Kind: kind, Name: name}); d.Reason == "" || d.Allowed && kind == Topic && d.Rule == nil {
					t.Fatalf("%+v", d)
				}
			}
		}
	})
}
