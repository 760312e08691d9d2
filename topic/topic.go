// Package topic knows the names of MQTT topics and the filters of subscriptions (MQTT 5 section 4.7): which are valid,
// what a filter matches, and what one filter says of another.
//
// [Covers] is the question of authorization: who may subscribe to a may subscribe to b exactly if every topic that b
// matches is matched by a. [Overlaps] is the question of a deny.
//
// It stands on the ground because two floors ask it: a proxy, of the bytes that a client sends, and the policy, of the rules
// of a document, which must not know of any proxy.
//
// Names and filters are compared byte by byte, and may be strings or bytes. Nothing allocates, and the work is linear in
// their length. Functions that compare expect what [CheckName] and [CheckFilter] have found valid, and a filter without
// the part that [Unshare] takes off.
package topic

import "errors"

// MaxLen is how many bytes a name or a filter can have: it travels with two bytes of length.
const MaxLen = 65535

// What is wrong with a name or a filter.
var (
	ErrEmpty    = errors.New("topic is empty")
	ErrLong     = errors.New("topic is longer than 65535 bytes")
	ErrNul      = errors.New("topic contains U+0000")
	ErrWildcard = errors.New("name of a topic contains a wildcard, '+' or '#'")
	ErrPlace    = errors.New("wildcard is not a level of its own, or '#' is not the last")
	ErrShare    = errors.New("shared subscription is not $share/GROUP/FILTER with a group without wildcards")
)

// Text is a name or a filter.
type Text interface{ ~string | ~[]byte }

// CheckName returns nil for the name of a topic: what a message is published to. That it is UTF-8 is not checked.
func CheckName[T Text](name T) error {
	if err := checkLen(name); err != nil {
		return err
	}
	for i := range len(name) {
		switch name[i] {
		case 0:
			return ErrNul
		case '+', '#':
			return ErrWildcard
		}
	}
	return nil
}

// CheckFilter returns nil for the filter of a subscription, shared ones included. That it is UTF-8 is not checked.
func CheckFilter[T Text](filter T) error {
	if err := checkLen(filter); err != nil {
		return err
	}
	if prefixed(filter, share) || len(filter) == len(share)-1 && prefixed(filter, share[:len(share)-1]) {
		group, inner, ok := Unshare(filter)
		if !ok || len(inner) == 0 || CheckName(group) != nil {
			return ErrShare
		}
		filter = inner
	}
	for i := range len(filter) {
		switch filter[i] {
		case 0:
			return ErrNul
		case '#':
			if i+1 != len(filter) {
				return ErrPlace
			}
			fallthrough
		case '+':
			if i > 0 && filter[i-1] != '/' || i+1 < len(filter) && filter[i+1] != '/' {
				return ErrPlace
			}
		}
	}
	return nil
}

func checkLen[T Text](t T) error {
	switch {
	case len(t) == 0:
		return ErrEmpty
	case len(t) > MaxLen:
		return ErrLong
	}
	return nil
}

// share begins the filters of shared subscriptions (MQTT 5 section 4.8.2).
const share = "$share/"

// Unshare takes a shared subscription apart: "$share/group/filter". For any other filter, and for one that has no group
// or no filter after it, it returns false.
func Unshare[T Text](filter T) (group, inner T, shared bool) {
	if !prefixed(filter, share) {
		return group, filter, false
	}
	group, inner, more := cut(filter[len(share):])
	if !more || len(group) == 0 {
		return group, filter, false
	}
	return group, inner, true
}

// Reserved reports whether the first level of a name or filter begins with '$'. Wildcards at the first level do not
// match such topics: they are the broker's own (MQTT 5 section 4.7.2).
func Reserved[T Text](t T) bool { return len(t) > 0 && t[0] == '$' }

// HasWildcard reports whether a valid filter matches more than one topic.
func HasWildcard[T Text](filter T) bool {
	for i := range len(filter) {
		if filter[i] == '+' || filter[i] == '#' {
			return true
		}
	}
	return false
}

// prefixed reports whether t begins with a prefix.
func prefixed[T Text](t T, prefix string) bool {
	if len(t) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if t[i] != prefix[i] {
			return false
		}
	}
	return true
}

// cut takes the first level off. More is whether there was a '/' after it: then another level follows, which may be
// empty.
func cut[T Text](t T) (level, rest T, more bool) {
	for i := range len(t) {
		if t[i] == '/' {
			return t[:i], t[i+1:], true
		}
	}
	return t, t[len(t):], false
}

// is reports whether a level is one wildcard.
func is[T Text](level T, wildcard byte) bool { return len(level) == 1 && level[0] == wildcard }

func equal[A, B Text](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
