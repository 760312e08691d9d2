package api_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// The refusals of every admin API in its highest version, as a page to read. TestRefusalsAreThoseOfABroker compares
// all versions with a real broker.
func TestRefusals(t *testing.T) {
	var b strings.Builder
	for _, a := range api.All() {
		if a.Max() < 0 || a.Class == api.Pass && a.Key != 32 {
			continue
		}
		if len(samples[a.Key]) == 0 {
			t.Errorf("%s: no sample request", a.Name())
			continue
		}
		lo, _ := wire.Versions(a.Key)
		for version := lo; version <= a.Max(); version++ {
			for _, sample := range samples[a.Key] {
				r := sample(version)
				frame, err := api.Refuse(wire.RequestHeader{Key: a.Key, Version: version, Correlation: 9}, r.AppendTo(nil))
				if err != nil {
					t.Fatalf("%s v%d: %v", a.Name(), version, err)
				}
				m := decodeFrame(t, a.Key, version, frame[4:])
				if version == a.Max() {
					text, _ := json.MarshalIndent(m, "", "  ")
					fmt.Fprintf(&b, "%s v%d\n%s\n\n", a.Name(), version, text)
				}
			}
		}
	}
	golden(t, filepath.Join("testdata", "refusals.txt"), []byte(b.String()))
}

func TestReplicasAndShareCoordinatorsAreForbidden(t *testing.T) {
	fetch := func(version int16, replica int32) kmsg.Request {
		m := kmsg.NewPtrFetchRequest()
		m.Version, m.ReplicaID = version, -1
		if version >= 15 {
			m.ReplicaState.ID = replica
		} else {
			m.ReplicaID = replica
		}
		return m
	}
	offsets := func(version int16, replica int32) kmsg.Request {
		m := kmsg.NewPtrListOffsetsRequest()
		m.Version, m.ReplicaID = version, replica
		return m
	}
	epochs := func(version int16, replica int32) kmsg.Request {
		m := kmsg.NewPtrOffsetForLeaderEpochRequest()
		m.Version, m.ReplicaID = version, replica
		return m
	}
	for key, c := range map[int16]struct {
		from int16
		make func(version int16, replica int32) kmsg.Request
	}{1: {0, fetch}, 2: {0, offsets}, 23: {3, epochs}} {
		for version := c.from; version <= wire.Max(key); version++ {
			for replica, want := range map[int32]bool{-2: false, -1: false, 0: true, 1: true, 1 << 30: true} {
				h := wire.RequestHeader{Key: key, Version: version}
				body := c.make(version, replica).AppendTo(nil)
				if reason, err := api.Forbidden(h, body); (reason != "") != want || err != nil {
					t.Errorf("%s v%d, replica %d: %q, %v", wire.Name(key), version, replica, reason, err)
				}
				if n := testing.AllocsPerRun(10, func() { api.Forbidden(h, body) }); n != 0 {
					t.Errorf("%s v%d: %v allocations", wire.Name(key), version, n)
				}
				if _, err := api.Forbidden(h, append(body, 0)); err == nil {
					t.Errorf("%s v%d: a byte too many passes", wire.Name(key), version)
				}
			}
		}
	}
	for version := int16(1); version <= wire.Max(10); version++ {
		for kind, want := range map[int8]bool{0: false, 1: false, 2: true} {
			m := kmsg.NewPtrFindCoordinatorRequest()
			m.Version, m.CoordinatorType, m.CoordinatorKeys = version, kind, []string{"g:t:0"}
			reason, err := api.Forbidden(wire.RequestHeader{Key: 10, Version: version}, m.AppendTo(nil))
			if (reason != "") != want || err != nil {
				t.Errorf("FindCoordinator v%d, type %d: %q, %v", version, kind, reason, err)
			}
		}
	}
	for _, a := range api.All() {
		if _, err := api.Forbidden(wire.RequestHeader{Key: a.Key}, nil); (err != nil) != (a.Inspected() && a.Key != 32) {
			t.Errorf("%s: %v, inspected %v", a.Name(), err, a.Inspected())
		}
	}
}

func TestMixedDescribeConfigsGetsBothAnswers(t *testing.T) {
	for version := int16(0); version <= wire.Max(32); version++ {
		h := wire.RequestHeader{Key: 32, Version: version, Correlation: 5}
		request := samples[32][0](version).(*kmsg.DescribeConfigsRequest)
		s, err := api.SplitConfigs(h, request.AppendTo(nil))
		if err != nil || s.Refused != 3 {
			t.Fatalf("v%d: %+v %v", version, s, err)
		}
		forwarded, err := wire.DecodeRequest(32, version, s.Forward)
		if err != nil {
			t.Fatal(err)
		}
		response := kmsg.NewPtrDescribeConfigsResponse()
		response.Version = version
		var asked []string
		for _, r := range forwarded.(*kmsg.DescribeConfigsRequest).Resources {
			asked = append(asked, r.ResourceName)
			a := kmsg.NewDescribeConfigsResponseResource()
			a.ResourceType, a.ResourceName = r.ResourceType, r.ResourceName
			response.Resources = append(response.Resources, a)
		}
		if fmt.Sprint(asked) != "[orders group]" {
			t.Errorf("v%d: %v are forwarded", version, asked)
		}
		frame, err := s.Merge(response.AppendTo(wire.AppendResponseHeader(nil, 32, version, 5)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range decodeFrame(t, 32, version, frame[4:]).(*kmsg.DescribeConfigsResponse).Resources {
			got = append(got, fmt.Sprintf("%s %s %d", r.ResourceType, r.ResourceName, r.ErrorCode))
		}
		if want := "[TOPIC orders 0 GROUP_CONFIG group 0 BROKER 1 31 BROKER_LOGGER 1 31 CLIENT_METRICS metrics 31]"; fmt.Sprint(got) != want {
			t.Errorf("v%d: %v\nwant %s", version, got, want)
		}

		request.Resources = request.Resources[:1]
		body := request.AppendTo(nil)
		if s, err := api.SplitConfigs(h, body); err != nil || s.Refused != 0 || &s.Forward[0] != &body[0] {
			t.Errorf("v%d: topics alone: %+v %v", version, s, err)
		}
		request.Resources[0].ResourceType = kmsg.ConfigResourceTypeBroker
		if s, err := api.SplitConfigs(h, request.AppendTo(nil)); err != nil || s.Forward != nil || s.Refused != 1 {
			t.Errorf("v%d: a broker alone: %+v %v", version, s, err)
		}
	}
}

// An error response costs no more memory than 4 times its request and 64 KiB, however many empty names it asks about.
func TestErrorResponsesAreBounded(t *testing.T) {
	for _, c := range []struct {
		key, version int16
		body         []byte
	}{
		{15, 5, manyEmpty(1)},              // DescribeGroups
		{3, 9, append(manyEmpty(2), 0, 0)}, // Metadata
		{69, 0, manyEmpty(1)},              // ConsumerGroupDescribe
	} {
		if err := wire.CheckRequest(c.key, c.version, c.body); err != nil {
			t.Fatalf("%s: %v", wire.Name(c.key), err)
		}
		h := wire.RequestHeader{Key: c.key, Version: c.version}
		_, _ = api.ErrorResponse(h, c.body, illegalSaslState) // compiles the structures of the version
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		frame, err := api.ErrorResponse(h, c.body, illegalSaslState)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: answered with %d bytes", wire.Name(c.key), len(frame))
		}
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(4*len(c.body)+64<<10); got > limit {
			t.Errorf("%s: %d bytes allocated for %d", wire.Name(c.key), got, len(c.body))
		}
	}
}

// manyEmpty is a flexible request whose only array has 60000 elements of so many bytes that make empty names.
func manyEmpty(size int) []byte {
	b := wire.AppendUvarint(nil, 60001)
	for range 60000 {
		b = append(b, []byte{1, 0}[:size]...)
	}
	return append(b, 0, 0)
}
