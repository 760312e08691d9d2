package topic_test

import (
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/topic"
)

// maxModel is how many levels the filters of the model have. Names have one more, so that what "#" stands for goes
// beyond every filter.
const maxModel = 4

// grow lists everything of one to most levels that these make.
func grow(levels []string, most int) []string {
	var all []string
	last := []string{""}
	for depth := range most {
		var next []string
		for _, prefix := range last {
			for _, level := range levels {
				if depth > 0 {
					level = prefix + "/" + level
				}
				next = append(next, level)
			}
		}
		all = append(all, next...)
		last = next
	}
	return all
}

func valid(all []string, check func(string) error) []string {
	var kept []string
	for _, t := range all {
		if check(t) == nil {
			kept = append(kept, t)
		}
	}
	return kept
}

// modelMatch is section 4.7 of MQTT 5 said as plainly as can be.
func modelMatch(f, n []string) bool {
	if strings.HasPrefix(n[0], "$") && (f[0] == "#" || f[0] == "+") {
		return false
	}
	for i := range f {
		switch {
		case f[i] == "#":
			return len(n) >= i
		case i >= len(n):
			return false
		case f[i] != "+" && f[i] != n[i]:
			return false
		}
	}
	return len(n) == len(f)
}

// TestAgainstModel compares matching, covering and overlapping with what a model finds that looks at every name.
func TestAgainstModel(t *testing.T) {
	filters := valid(grow([]string{"a", "b", "", "$a", "+", "#"}, maxModel), topic.CheckFilter[string])
	names := valid(grow([]string{"a", "b", "c", "", "$a", "$c"}, maxModel+1), topic.CheckName[string])
	words := (len(names) + 63) / 64
	levels := make([][]string, len(names))
	for i, n := range names {
		levels[i] = strings.Split(n, "/")
	}
	matched := make([][]uint64, len(filters))
	for i, f := range filters {
		split := strings.Split(f, "/")
		matched[i] = make([]uint64, words)
		for j, n := range names {
			want := modelMatch(split, levels[j])
			if got := topic.Matches(f, n); got != want {
				t.Fatalf("%q matches %q: %v", f, n, got)
			}
			if want {
				matched[i][j/64] |= 1 << (j % 64)
			}
		}
	}
	covering, overlapping := 0, 0
	for i, a := range filters {
		for j, b := range filters {
			covers, overlaps := true, false
			for w := range words {
				covers = covers && matched[j][w]&^matched[i][w] == 0
				overlaps = overlaps || matched[j][w]&matched[i][w] != 0
			}
			if got := topic.Covers(a, b); got != covers {
				t.Fatalf("%q covers %q: %v", a, b, got)
			}
			if got := topic.Overlaps(a, []byte(b)); got != overlaps {
				t.Fatalf("%q overlaps %q: %v", a, b, got)
			}
			if covers {
				covering++
			}
			if overlaps {
				overlapping++
			}
		}
	}
	t.Logf("%d filters with %d names, and all %d pairs of filters: %d cover, %d overlap",
		len(filters), len(names), len(filters)*len(filters), covering, overlapping)
}
