package kafka

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// answerOf is a broker's ApiVersions response with the given ranges.
func answerOf(epoch int64, keys map[int16]span) *kmsg.ApiVersionsResponse {
	r := kmsg.NewPtrApiVersionsResponse()
	r.FinalizedFeaturesEpoch = epoch
	for key, s := range keys {
		r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MinVersion: s.min, MaxVersion: s.max})
	}
	return r
}

func TestWhatIsOfferedOfABrokersVersions(t *testing.T) {
	const fetch, addPartitionsToTxn, leaderAndISR, unknown = 1, 24, 4, 9999
	v := learnVersions(answerOf(1, map[int16]span{
		keyProduce:         {0, 12},
		fetch:              {4, 99},
		addPartitionsToTxn: {0, 5},
		leaderAndISR:       {0, 7},
		unknown:            {0, 1},
	}))
	for _, want := range []struct {
		why string
		key int16
		s   span
		ok  bool
	}{
		{"Produce keeps the broker's lowest version", keyProduce, span{0, 12}, true},
		{"a release of the future is cut to what the gateway can read", fetch, span{4, wire.Max(fetch)}, true},
		{"from version 4 on it is between brokers", addPartitionsToTxn, span{0, 3}, true},
		{"an API between brokers", leaderAndISR, span{}, false},
		{"an API that nobody knows", unknown, span{}, false},
		{"the gateway's own, which this broker does not name", keySaslHandshake, span{0, 1}, true},
		{"the gateway's own, which this broker does not name", keySaslAuthenticate, span{0, 2}, true},
	} {
		if s, ok := v.keys[want.key]; ok != want.ok || s != want.s {
			t.Errorf("key %d: offered %v %v, want %v %v: %s", want.key, s, ok, want.s, want.ok, want.why)
		}
	}
}

func TestABootstrapAddressOffersWhatAllBrokersHaveInCommon(t *testing.T) {
	old := &versions{keys: map[int16]span{0: {0, 9}, 1: {0, 11}, 3: {0, 8}}, epoch: 4, zkReady: true,
		supported: map[string]span{"metadata.version": {1, 20}, "kraft.version": {0, 1}},
		finalized: map[string]span{"metadata.version": {19, 19}}}
	next := &versions{keys: map[int16]span{0: {3, 12}, 1: {12, 17}, 60: {0, 1}}, epoch: 5,
		supported: map[string]span{"metadata.version": {7, 25}},
		finalized: map[string]span{"metadata.version": {20, 20}}}
	want := &versions{
		keys:      map[int16]span{0: {3, 9}}, // Fetch has no version in common, 3 and 60 are of one broker only
		supported: map[string]span{"metadata.version": {7, 20}},
		finalized: map[string]span{"metadata.version": {20, 20}},
		epoch:     5,
	}
	if diff := cmp.Diff(want, common([]*versions{old, next}), cmp.AllowUnexported(versions{}, span{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if common(nil) != nil {
		t.Error("without a broker there is something to offer")
	}
}

func TestApiVersionsAnswersCanBeReadInEveryVersion(t *testing.T) {
	v := &versions{keys: map[int16]span{0: {0, 12}, 18: {0, 4}}, epoch: 7, zkReady: true,
		supported: map[string]span{"kraft.version": {0, 1}, "metadata.version": {7, 25}},
		finalized: map[string]span{"metadata.version": {25, 25}}}
	for version := int16(0); version <= maxAPIVersionsVersion; version++ {
		frame := apiVersionsAnswer(version, 42, codeNone, v)
		r := newParser(frame)
		if n := r.int32(); int(n) != len(frame)-lengthSize {
			t.Fatalf("version %d: the frame says %d bytes and has %d", version, n, len(frame)-lengthSize)
		}
		if correlation := r.int32(); correlation != 42 {
			t.Fatalf("version %d: correlation id %d", version, correlation)
		}
		response, err := wire.DecodeResponse(keyAPIVersions, version, r.p)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		got := response.(*kmsg.ApiVersionsResponse)
		if len(got.ApiKeys) != 2 {
			t.Errorf("version %d: %d APIs", version, len(got.ApiKeys))
		}
		features := map[int16]int{3: 1, 4: 2}[version] // a range from 0 is for those who can read it
		if len(got.SupportedFeatures) != features {
			t.Errorf("version %d: %d supported features, want %d", version, len(got.SupportedFeatures), features)
		}
		if version >= 3 && (got.FinalizedFeaturesEpoch != 7 || len(got.FinalizedFeatures) != 1 || !got.ZkMigrationReady) {
			t.Errorf("version %d: finalized features %+v of epoch %d", version, got.FinalizedFeatures, got.FinalizedFeaturesEpoch)
		}
	}
}

func TestApiVersionsRequests(t *testing.T) {
	flexible := func(name, release string) []byte {
		return builder{}.compactString(name).compactString(release).tags()
	}
	for _, c := range []struct {
		name    string
		version int16
		body    []byte
		want    apiVersionsAsk
	}{
		{"version 0 has no body", 0, nil, asksVersions},
		{"bytes after it are tolerated below version 3", 0, []byte{1, 2, 3}, asksVersions},
		{"version 3 names the software", 3, flexible("librdkafka", "2.16.0"), asksVersions},
		{"version 4 too", 4, flexible("apache-kafka-java", "4.3.1"), asksVersions},
		{"version 5 is not known", 5, nil, asksUnsupported},
		{"nor is a negative one", -1, nil, asksUnsupported},
		{"nor the highest number there is", 32767, nil, asksUnsupported},
		{"an empty name", 3, flexible("", "1"), asksInvalid},
		{"a name with a space", 3, flexible("a b", "1"), asksInvalid},
		{"a name that ends with a dot", 3, flexible("a.", "1"), asksInvalid},
		{"a release that begins with a hyphen", 3, flexible("a", "-1"), asksInvalid},
		{"no body where there has to be one", 3, nil, asksMalformed},
		{"bytes after the end", 3, append(flexible("a", "1"), 0), asksMalformed},
		{"two to the thirty-second tags in five bytes", 3, append(builder{}.compactString("a").compactString("1"), 0xff, 0xff, 0xff, 0xff, 0x0f), asksMalformed},
	} {
		if got := parseAPIVersions(c.version, c.body); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
