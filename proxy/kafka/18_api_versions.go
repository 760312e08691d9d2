package kafka

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ApiVersions, versions 0 to 4 (KIP-35). Version 3 is flexible and names the client's software (KIP-511), version 4
// may hold features of version range 0 (KIP-584). The gateway answers it itself, before authentication too: librdkafka
// and franz-go ask once, before SASL, and keep the answer.
const (
	keyAPIVersions        = 18
	maxAPIVersionsVersion = 4
)

// apiVersionsAsk is what can be asked of ApiVersions.
type apiVersionsAsk int

const (
	asksVersions    apiVersionsAsk = iota
	asksUnsupported                // a version that is not known here
	asksInvalid                    // names its software in a way that KIP-511 forbids
	asksMalformed                  // not to be answered at all
)

// parseAPIVersions judges a request. Below version 3 the body is empty, and brokers accept bytes after it.
func parseAPIVersions(version int16, body []byte) apiVersionsAsk {
	switch {
	case version < 0 || version > maxAPIVersionsVersion:
		return asksUnsupported
	case version < 3:
		return asksVersions
	}
	r := newParser(body)
	name, release := r.compactString(), r.compactString()
	r.tags()
	switch {
	case !r.ok || len(r.p) > 0:
		return asksMalformed
	case !softwareName(name) || !softwareName(release):
		return asksInvalid
	}
	return asksVersions
}

// softwareName says whether KIP-511 allows the name: letters, digits, '-' and '.', the latter two not at the ends.
func softwareName(p []byte) bool {
	for i, c := range p {
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
		case (c == '-' || c == '.') && i > 0 && i < len(p)-1:
		default:
			return false
		}
	}
	return len(p) > 0
}

// apiVersionsAnswer is a response in the given version, as a frame. The header is version 0 always: the client does not
// know yet what the server can read.
func apiVersionsAnswer(version int16, correlation int32, code int16, v *versions) []byte {
	r := kmsg.NewPtrApiVersionsResponse()
	r.Version = version
	r.ErrorCode = code
	for _, key := range slices.Sorted(maps.Keys(v.keys)) {
		r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{
			ApiKey: key, MinVersion: v.keys[key].min, MaxVersion: v.keys[key].max})
	}
	r.FinalizedFeaturesEpoch = v.epoch
	r.ZkMigrationReady = v.zkReady
	for name, s := range sorted(v.supported) {
		if s.min == 0 && version < 4 {
			continue // what an older client cannot read (KIP-584, KAFKA-17011)
		}
		r.SupportedFeatures = append(r.SupportedFeatures, kmsg.ApiVersionsResponseSupportedFeature{
			Name: name, MinVersion: s.min, MaxVersion: s.max})
	}
	for name, s := range sorted(v.finalized) {
		r.FinalizedFeatures = append(r.FinalizedFeatures, kmsg.ApiVersionsResponseFinalizedFeature{
			Name: name, MinVersionLevel: s.min, MaxVersionLevel: s.max})
	}
	return builder(r.AppendTo(newFrame(1024).int32(correlation))).finish()
}

// apiVersionsRefusal answers a version that is not known here: error 35 in the body of version 0, which every client
// can read, with the one range that tells it what to ask with instead.
func apiVersionsRefusal(correlation int32) []byte {
	only := &versions{keys: map[int16]span{keyAPIVersions: ownVersions[keyAPIVersions]}}
	return apiVersionsAnswer(0, correlation, codeUnsupportedVersion, only)
}

// apiVersionsInvalid answers a software name that KIP-511 forbids.
func apiVersionsInvalid(version int16, correlation int32) []byte {
	return apiVersionsAnswer(version, correlation, codeInvalidRequest, &versions{epoch: -1})
}

// sorted ranges over a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) func(func(K, V) bool) {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
