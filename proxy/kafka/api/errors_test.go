package api_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// errors.txt is made by testdata/ErrorResponses.java from what this flag writes; see there.
var questions = flag.String("questions", "", "write requests for testdata/ErrorResponses.java to this file")

const illegalSaslState = 34

func TestErrorResponsesAreThoseOfKafka(t *testing.T) {
	if *questions != "" {
		if err := os.WriteFile(*questions, ask(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compared := map[int16]int{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if strings.HasPrefix(sc.Text(), "#") {
			continue
		}
		var key, version, code int16
		var request, response string
		if _, err := fmt.Sscan(sc.Text(), &key, &version, &code, &request, &response); err != nil {
			t.Fatalf("%q: %v", sc.Text(), err)
		}
		body, err := hex.DecodeString(strings.TrimPrefix(request, "-"))
		if err != nil {
			t.Fatal(err)
		}
		h := wire.RequestHeader{Key: key, Version: version, Correlation: 77}
		frame, err := api.ErrorResponse(h, body, code)
		compared[key]++
		if response == "null" {
			if err == nil {
				t.Errorf("%s v%d: answered, which Kafka does not", wire.Name(key), version)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s v%d: %v", wire.Name(key), version, err)
			continue
		}
		want, err := hex.DecodeString(response)
		if err != nil {
			t.Fatal(err)
		}
		wanted := decodeFrame(t, key, version, append(wire.AppendResponseHeader(nil, key, version, 77), want...))
		got := decodeFrame(t, key, version, frame[4:])
		if diff := gocmp.Diff(plain(wanted), plain(got)); diff != "" {
			t.Errorf("%s v%d: - Kafka, + gateway:\n%s\nrequest %x", wire.Name(key), version, diff, body)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	for _, a := range api.All() {
		if a.Max() >= 0 && compared[a.Key] == 0 && !own(a.Key) {
			t.Errorf("%s: no error response to compare with", a.Name())
		}
	}
}

// own reports whether the gateway answers an API itself, always.
func own(key int16) bool { return key == 17 || key == 18 || key == 36 }

// ask makes two requests for every version that is offered.
func ask() []byte {
	r := rand.New(rand.NewPCG(31, 32))
	var b bytes.Buffer
	for _, a := range api.All() {
		lo, _ := wire.Versions(a.Key)
		for version := lo; version <= a.Max() && !own(a.Key); version++ {
			for n := 0; n < 2; {
				m, body := random.Request(r, a.Key, version, 2)
				if sane(m) {
					fmt.Fprintf(&b, "%d %d %d -%x\n", a.Key, version, illegalSaslState, body)
					n++
				}
			}
		}
	}
	return b.Bytes()
}

// sane leaves out what makes Kafka's own classes fail, or answer with less than was asked.
func sane(m kmsg.Request) bool {
	switch m := m.(type) {
	case *kmsg.ProduceRequest:
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				if p.Records == nil {
					return false
				}
			}
			if len(t.Partitions) == 0 {
				return false
			}
		}
	case *kmsg.MetadataRequest:
		for _, t := range m.Topics {
			if t.Topic == nil { // the response has the empty name in Kafka, and null here
				return false
			}
		}
	case *kmsg.DescribeUserSCRAMCredentialsRequest:
		return m.Users != nil
	case *kmsg.AlterUserSCRAMCredentialsRequest:
		names := map[string]bool{}
		for _, d := range m.Deletions {
			names[d.Name] = true
		}
		for _, u := range m.Upsertions {
			names[u.Name] = true
		}
		return len(names) == len(m.Deletions)+len(m.Upsertions) // Kafka answers once for a name that comes twice
	case *kmsg.AddPartitionsToTxnRequest:
		return m.Version < 4
	}
	return true
}

func TestWhatGetsNoErrorResponse(t *testing.T) {
	h := wire.RequestHeader{Key: 3, Version: 12}
	for name, c := range map[string]struct {
		h    wire.RequestHeader
		body []byte
	}{
		"unknown key":          {wire.RequestHeader{Key: 999}, nil},
		"unknown version":      {wire.RequestHeader{Key: 3, Version: 99}, nil},
		"malformed":            {h, []byte{9}},
		"more than 1 MiB":      {h, make([]byte, 1<<20+1)},
		"Produce without acks": {wire.RequestHeader{Key: 0, Version: 3}, []byte{0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		if frame, err := api.ErrorResponse(c.h, c.body, 31); frame != nil || err == nil {
			t.Errorf("%s: %x", name, frame)
		}
	}
	for _, key := range []int16{4, 27, 56, 62, 83, 999, -1} {
		if frame, err := api.Refuse(wire.RequestHeader{Key: key}, nil); frame != nil || err == nil {
			t.Errorf("api key %d: %x", key, frame)
		}
	}
}

// FuzzErrorResponse: what is answered is a well-formed response, and no larger than its request allows.
func FuzzErrorResponse(f *testing.F) {
	r := rand.New(rand.NewPCG(33, 34))
	for _, a := range api.All() {
		if a.Max() >= 0 {
			_, body := random.Request(r, a.Key, a.Max(), 2)
			f.Add(a.Key, a.Max(), body)
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		h := wire.RequestHeader{Key: key, Version: version}
		for _, answer := range []func() ([]byte, error){
			func() ([]byte, error) { return api.ErrorResponse(h, body, illegalSaslState) },
			func() ([]byte, error) { return api.Refuse(h, body) },
		} {
			frame, err := answer()
			if err != nil {
				continue
			}
			_, n, err := wire.ParseResponseHeader(key, version, frame[4:])
			if err != nil {
				t.Fatal(err)
			}
			if err := wire.CheckResponse(key, version, frame[4+n:]); err != nil {
				t.Fatalf("%v: %x answered with %x", err, body, frame)
			}
			if len(frame) > 4*len(body)+16<<10 {
				t.Fatalf("%d bytes answered with %d", len(body), len(frame))
			}
		}
		api.Forbidden(h, body)
		if s, err := api.SplitConfigs(h, body); err == nil && s.Forward != nil {
			if err := wire.CheckRequest(key, version, s.Forward); err != nil {
				t.Fatalf("%v: %x became %x", err, body, s.Forward)
			}
		}
	})
}
