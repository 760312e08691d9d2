package topic

// Matches reports whether a filter matches a topic of that name.
//
// The name may end with a level that "#" stands for, or before it: "a/#" matches "a" too. "+" matches an empty level.
func Matches[F, N Text](filter F, name N) bool {
	// A name is a filter that matches itself alone.
	return Covers(filter, name)
}

// Covers reports whether every topic that b matches is matched by a. It is exact for all valid filters: it sees, for
// example, that "#" matches no more than "+/#", and that "a/#" matches "a", which "a/+/#" does not.
func Covers[A, B Text](a A, b B) bool {
	if Reserved(b) && len(a) > 0 && (a[0] == '+' || a[0] == '#') {
		return false
	}
	// A name has one byte at least: until something of it has been seen, "#" cannot stand for nothing.
	begun := false
	for first := true; ; first = false {
		la, ra, moreA := cut(a)
		lb, rb, moreB := cut(b)
		switch {
		case is(la, '#'):
			return true
		case is(lb, '#'):
			return !begun && is(la, '+') && moreA && is(ra, '#')
		case !is(la, '+') && !equal(la, lb):
			return false
		}
		begun = !first || len(lb) > 0
		switch {
		case !moreA && !moreB:
			return true
		case !moreA:
			// What a matches ends here; b goes on.
			return false
		case !moreB:
			return is(ra, '#')
		}
		a, b = ra, rb
	}
}

// Overlaps reports whether some topic is matched by both filters.
func Overlaps[A, B Text](a A, b B) bool {
	if Reserved(a) && len(b) > 0 && (b[0] == '+' || b[0] == '#') || Reserved(b) && len(a) > 0 && (a[0] == '+' || a[0] == '#') {
		return false
	}
	for first := true; ; first = false {
		la, ra, moreA := cut(a)
		lb, rb, moreB := cut(b)
		begun := !first || len(la) > 0 && len(lb) > 0
		switch {
		case is(la, '#'), is(lb, '#'):
			return true
		case !is(la, '+') && !is(lb, '+') && !equal(la, lb):
			return false
		case !moreA && !moreB:
			return true
		case !moreA:
			return begun && is(rb, '#')
		case !moreB:
			return begun && is(ra, '#')
		}
		a, b = ra, rb
	}
}
