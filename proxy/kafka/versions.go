package kafka

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// versions is what a broker says of itself in its ApiVersions response, or what several brokers have in common.
type versions struct {
	keys      map[int16]span // by API key
	supported map[string]span
	finalized map[string]span
	epoch     int64 // of the finalized features; -1 unknown
	zkReady   bool
}

// equal reports whether both are the same, or neither is known.
func (v *versions) equal(o *versions) bool {
	if v == nil || o == nil {
		return v == o
	}
	return v.epoch == o.epoch && v.zkReady == o.zkReady && maps.Equal(v.keys, o.keys) &&
		maps.Equal(v.supported, o.supported) && maps.Equal(v.finalized, o.finalized)
}

// span is a range of versions, both ends included.
type span struct{ min, max int16 }

// meet is the range that both know; ok is false if there is none.
func (a span) meet(b span) (span, bool) {
	s := span{max(a.min, b.min), min(a.max, b.max)}
	return s, s.min <= s.max
}

// ownVersions are the versions of the APIs that the gateway answers itself.
var ownVersions = map[int16]span{
	keySaslHandshake:    {0, maxSaslHandshakeVersion},
	keyAPIVersions:      {0, maxAPIVersionsVersion},
	keySaslAuthenticate: {0, maxSaslAuthenticateVersion},
}

// learnVersions takes from a broker's answer what the gateway offers too: APIs that it knows and never refuses whole,
// in versions that it can read. The lower end stays the broker's, for Produce above all: a broker that can read
// Produce 0 says so only to let old librdkafka compress (KAFKA-18659).
func learnVersions(r *kmsg.ApiVersionsResponse) *versions {
	v := &versions{
		keys:      make(map[int16]span, len(r.ApiKeys)),
		supported: make(map[string]span, len(r.SupportedFeatures)),
		finalized: make(map[string]span, len(r.FinalizedFeatures)),
		epoch:     r.FinalizedFeaturesEpoch,
		zkReady:   r.ZkMigrationReady,
	}
	for _, k := range r.ApiKeys {
		if own, ok := ownVersions[k.ApiKey]; ok {
			v.keys[k.ApiKey] = own
			continue
		}
		limit, ok := api.MaxVersion(k.ApiKey)
		if !ok {
			continue
		}
		if s, ok := (span{k.MinVersion, k.MaxVersion}).meet(span{0, limit}); ok {
			v.keys[k.ApiKey] = s
		}
	}
	for key, own := range ownVersions { // brokers without SASL leave these out
		v.keys[key] = own
	}
	for _, f := range r.SupportedFeatures {
		v.supported[f.Name] = span{f.MinVersion, f.MaxVersion}
	}
	for _, f := range r.FinalizedFeatures {
		v.finalized[f.Name] = span{f.MinVersionLevel, f.MaxVersionLevel}
	}
	return v
}

// common is what all of them support: what may be said on an address behind which any of them may stand. Finalized
// features belong to the cluster: the newest epoch is right.
func common(all []*versions) *versions {
	if len(all) == 0 {
		return nil
	}
	newest := slices.MaxFunc(all, func(a, b *versions) int { return cmp.Compare(a.epoch, b.epoch) })
	v := &versions{
		keys:      meetAll(all, func(v *versions) map[int16]span { return v.keys }),
		supported: meetAll(all, func(v *versions) map[string]span { return v.supported }),
		finalized: newest.finalized,
		epoch:     newest.epoch,
		zkReady:   true,
	}
	for _, o := range all {
		v.zkReady = v.zkReady && o.zkReady
	}
	return v
}

func meetAll[K comparable](all []*versions, field func(*versions) map[K]span) map[K]span {
	out := make(map[K]span)
next:
	for k, s := range field(all[0]) {
		for _, o := range all[1:] {
			t, ok := field(o)[k]
			if !ok {
				continue next
			}
			if s, ok = s.meet(t); !ok {
				continue next
			}
		}
		out[k] = s
	}
	return out
}
