package topic_test

import (
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/topic"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]error{
		"a": nil, "/": nil, "a//b": nil, " ": nil, "$SYS/x": nil, "$share/g/x": nil, "{a}": nil, strings.Repeat("/", 65535): nil,
		"": topic.ErrEmpty, "a/+": topic.ErrWildcard, "a#": topic.ErrWildcard, "a\x00": topic.ErrNul, strings.Repeat("a", 65536): topic.ErrLong,
	} {
		if got := topic.CheckName(name); got != want {
			t.Errorf("%.20q: %v, want %v", name, got, want)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	for filter, want := range map[string]error{
		"a": nil, "/": nil, "+": nil, "#": nil, "+/+/#": nil, "/#": nil, "+/": nil, "$SYS/#": nil, "$shared": nil, "$share2/+": nil,
		"$share/g/a": nil, "$share/g/#": nil, "$share/g//": nil, "$share/g/$share/g/a": nil,
		"": topic.ErrEmpty, "a\x00": topic.ErrNul, strings.Repeat("a", 65536): topic.ErrLong,
		"a#": topic.ErrPlace, "#/": topic.ErrPlace, "a/#/b": topic.ErrPlace, "##": topic.ErrPlace, "a+": topic.ErrPlace, "+a": topic.ErrPlace, "a/+b": topic.ErrPlace, "++": topic.ErrPlace, "+#": topic.ErrPlace,
		"$share": topic.ErrShare, "$share/": topic.ErrShare, "$share/g": topic.ErrShare, "$share/g/": topic.ErrShare, "$share//a": topic.ErrShare, "$share/+/a": topic.ErrShare, "$share/g#/a": topic.ErrShare,
		"$share/g/a#": topic.ErrPlace,
	} {
		if got := topic.CheckFilter(filter); got != want {
			t.Errorf("%.20q: %v, want %v", filter, got, want)
		}
	}
}

// What one would like to be told of containment, in words. TestAgainstModel has all of it.
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"#", "a/b/c", true},
		{"#", "$SYS/uptime", false},
		{"+/uptime", "$SYS/uptime", false},
		{"$SYS/#", "$SYS/+/uptime", true},
		{"#", "$SYS/#", false},
		{"$SYS/#", "#", false},
		{"lights/+/measured", "lights/#", false},
		{"lights/#", "lights/+/measured", true},
		{"lights/#", "lights", true},
		{"lights/+/#", "lights/#", false}, // "lights" itself
		{"+/#", "#", true},
		{"/+/#", "/#", true},
		{"+", "/", false},
	} {
		if got := topic.Covers(c.a, c.b); got != c.want {
			t.Errorf("%q covers %q: %v", c.a, c.b, got)
		}
	}
}

func TestLinear(t *testing.T) {
	long := strings.Repeat("+/", 32767) + "+"
	allocations := testing.AllocsPerRun(5, func() {
		if topic.CheckFilter(long) != nil || !topic.Covers(long, long) || !topic.Overlaps(long, "#") || topic.Matches(long, "a/b") {
			t.Error("32768 levels")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkCovers(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !topic.Covers("smartylighting/streetlights/+/+/event/+/lighting/measured", "smartylighting/streetlights/1/0/event/+/lighting/measured") {
			b.Fatal("not covered")
		}
	}
}
