package topic_test

import (
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/topic"
)

// FuzzFilters: matching agrees with the model, and what covers and overlaps say of two filters is true of any name.
func FuzzFilters(f *testing.F) {
	for _, one := range [][3]string{
		{"a/#", "a/+/b", "a/x/b"}, {"#", "+/#", "a"}, {"$SYS/#", "#", "$SYS/x"}, {"/#", "+", "/"}, {"$share/g/a/+", "a/+", "a/"}, {"+/+", "/+", "/b"},
	} {
		f.Add(one[0], one[1], one[2])
	}
	f.Fuzz(func(t *testing.T, a, b, name string) {
		if topic.CheckFilter(a) != nil || topic.CheckFilter(b) != nil || topic.CheckName(name) != nil {
			return
		}
		_, a, _ = topic.Unshare(a)
		_, b, _ = topic.Unshare(b)
		inA, inB := topic.Matches(a, name), topic.Matches(b, name)
		if inA != modelMatch(strings.Split(a, "/"), strings.Split(name, "/")) {
			t.Fatalf("%q matches %q: %v", a, name, inA)
		}
		if topic.Covers(a, b) && inB && !inA {
			t.Fatalf("%q covers %q, but does not match %q", a, b, name)
		}
		if inA && inB && !topic.Overlaps(a, b) {
			t.Fatalf("%q and %q both match %q", a, b, name)
		}
		if topic.Overlaps(a, b) != topic.Overlaps(b, a) {
			t.Fatalf("%q and %q overlap from one side", a, b)
		}
		if !topic.Covers(a, a) || topic.Covers(a, b) && !topic.Overlaps(a, b) {
			t.Fatalf("%q and %q", a, b)
		}
		if topic.Covers(a, name) != inA || !topic.HasWildcard(a) && inA != (a == name) {
			t.Fatalf("%q and the name %q", a, name)
		}
	})
}

// FuzzCheck: what is a good name is a good filter that matches itself alone.
func FuzzCheck(f *testing.F) {
	for _, one := range []string{"", "a", "/", "a/b", "+", "#", "a/#", "a/#/b", "a+", "+a", "$share/g/a", "$share", "$share//a", "$share/g/", "$share/+/a", "$SYS/#", "a\x00"} {
		f.Add(one)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, filter := topic.CheckName(text), topic.CheckFilter(text)
		if name == nil && filter != nil && filter != topic.ErrShare {
			t.Fatalf("%q is a name and no filter: %v", text, filter)
		}
		if name == nil && !topic.Matches(text, text) {
			t.Fatalf("%q does not match itself", text)
		}
		if byName, byFilter := topic.CheckName([]byte(text)), topic.CheckFilter([]byte(text)); byName != name || byFilter != filter {
			t.Fatalf("%q as bytes: %v and %v", text, byName, byFilter)
		}
		group, inner, shared := topic.Unshare(text)
		if shared && "$share/"+group+"/"+inner != text || !shared && inner != text {
			t.Fatalf("%q is %q and %q", text, group, inner)
		}
		if shared && filter == nil && (topic.CheckFilter(inner) != nil && topic.CheckFilter(inner) != topic.ErrShare || topic.HasWildcard(group)) {
			t.Fatalf("%q is shared, but %q is no filter", text, inner)
		}
	})
}
