package kafka

import (
	"context"
	"hash/maphash"
	"regexp"
	"slices"
	"sync"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// keyConsumerGroupHeartbeat is the API key of ConsumerGroupHeartbeat (KIP-848).
const keyConsumerGroupHeartbeat = 68

// What subscriptions may take: the bytes of a regular expression, those of the names that are beside it, and the members
// that have one.
const (
	maxPattern       = 4 << 10
	maxNamed         = 64 << 10
	maxSubscriptions = 10_000
)

// subscriptions are the regular expressions of group members. The broker would expand them with the gateway's rights, so
// the gateway sends names instead, and new ones with a later heartbeat when the topics or the rules have changed. They
// outlive a connection: a member says its expression once.
type subscriptions struct {
	mu sync.Mutex
	of map[string]*subscription // by principal, group and member
}

type subscription struct {
	pattern *regexp.Regexp
	named   []string // what the member subscribes to besides
	sent    uint64   // hash of the names that the broker was sent last
}

var seed64 = maphash.MakeSeed()

// hashOf is the hash of a list of names.
func hashOf(names []string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed64)
	for _, name := range names {
		_, _ = h.WriteString(name)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// heartbeat decides on a ConsumerGroupHeartbeat.
func (r *enforced) heartbeat(ctx context.Context) (verdict, error) {
	s, err := api.SubscriptionOf(r.h, r.body)
	switch {
	case err != nil:
		return r.malformed(ctx, err)
	case r.observe:
		return r.carry(ctx, r.body, request{})
	}
	all, key := &r.connection.front.subscriptions, r.who.Name+"\x00"+s.Member
	mine, ok := all.update(key, &s)
	if !ok {
		frame, err := api.ErrorResponse(r.h, r.body, codeInvalidRegularExpression)
		if err != nil {
			return r.malformed(ctx, err)
		}
		return r.answer(ctx, frame, "subscription", "a regular expression that is none, or is longer than 4 KiB, or has more than 64 KiB of names beside it")
	}
	if mine == nil || !r.subject.Decide(policy.Use, policy.Resource{Kind: policy.Group, Name: policy.Text(s.Group)}).Allowed {
		return r.ask(ctx)
	}
	names, err := r.matching(ctx, mine, policy.Text(s.Group))
	if err != nil { // the member keeps what it has, and a new one must come again
		if s.Regexp || s.Named {
			return 0, r.connection.refuse(ctx, codeUpstreamUnavailable, "which topics a regular expression means is not known: %v", err)
		}
		return r.ask(ctx)
	}
	if sum := hashOf(names); s.Regexp || s.Named || sum != mine.sent {
		all.sent(key, sum)
		r.body = api.Resubscribe(r.h, r.body, names)
	}
	return r.ask(ctx)
}

// update notes what a heartbeat says of a subscription, and returns it if it has a regular expression. It is not ok for an
// expression that cannot be one.
func (all *subscriptions) update(key string, s *api.Subscription) (mine *subscription, ok bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	was := all.of[key]
	switch {
	case s.Epoch < 0, s.Regexp && s.Regex == "":
		delete(all.of, key)
		return nil, true
	case !s.Regexp && was == nil:
		return nil, true
	}
	now := subscription{}
	if was != nil {
		now = *was
	}
	if s.Regexp {
		var err error
		if len(s.Regex) > maxPattern {
			return nil, false
		}
		if now.pattern, err = regexp.Compile("^(?:" + s.Regex + ")$"); err != nil {
			return nil, false
		}
	}
	if s.Named {
		now.named = nil
		size := 0
		for _, name := range s.Names {
			now.named = append(now.named, string(name))
			size += len(name)
		}
		if size > maxNamed {
			return nil, false
		}
	}
	if all.of == nil || len(all.of) >= maxSubscriptions {
		all.of = make(map[string]*subscription)
	}
	all.of[key] = &now
	copied := now
	return &copied, true
}

// sent notes what the broker knows of a member's subscription.
func (all *subscriptions) sent(key string, sum uint64) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s := all.of[key]; s != nil {
		s.sent = sum
	}
}

// matching are the names that a subscription means: those it says, which are asked about like any others, and of those that
// its expression matches the ones that the principal may see.
func (r *enforced) matching(ctx context.Context, s *subscription, group string) ([]string, error) {
	there, err := r.connection.front.topics.everything(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(s.named)
	for _, name := range there {
		if s.pattern.MatchString(name) && r.subject.Decide(policy.Describe, policy.Resource{Name: name, Group: group}).Allowed {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
