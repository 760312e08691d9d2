package wire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

func TestRequestHeaders(t *testing.T) {
	for _, c := range []struct {
		name, frame string // hexadecimal, blanks are ignored
		key         int16
		version     int16
		client      string // "null" is null
		size        int
		err         string
	}{
		{name: "version 1", frame: "0003 0001 0000002a 0002 6162 ff", key: 3, version: 1, client: "ab", size: 12},
		{name: "version 2", frame: "0003 0009 0000002a 0002 6162 00", key: 3, version: 9, client: "ab", size: 13},
		{name: "tagged fields", frame: "0003 0009 0000002a ffff 02 00 01 aa 07 00 bb", key: 3, version: 9, client: "null", size: 16},
		{name: "null client id", frame: "0003 0001 0000002a ffff", key: 3, version: 1, client: "null", size: 10},
		{name: "empty client id", frame: "0003 0001 0000002a 0000", key: 3, version: 1, size: 10},
		{name: "ControlledShutdown 0 has no client id", frame: "0007 0000 0000002a", key: 7, client: "null", size: 8},
		{name: "ControlledShutdown 1 has", frame: "0007 0001 0000002a ffff", key: 7, version: 1, client: "null", size: 10},
		{name: "ApiVersions 3", frame: "0012 0003 0000002a 0001 61 00", key: 18, version: 3, client: "a", size: 12},
		{name: "ApiVersions of the future", frame: "0012 0063 0000002a 0001 61 00", key: 18, version: 99, client: "a", size: 12},
		{name: "ApiVersions -1", frame: "0012 ffff 0000002a 0001 61", key: 18, version: -1, client: "a", size: 11},
		{name: "SaslHandshake is never flexible", frame: "0011 0001 0000002a 0001 61", key: 17, version: 1, client: "a", size: 11},

		{name: "nothing", frame: "", err: "ends too early"},
		{name: "half a correlation id", frame: "0003 0001 0000", err: "ends too early"},
		{name: "no client id", frame: "0003 0001 0000002a", key: 3, version: 1, err: "ends too early"},
		{name: "short client id", frame: "0003 0001 0000002a 0003 6162", key: 3, version: 1, err: "ends too early"},
		{name: "no tagged fields", frame: "0003 0009 0000002a ffff", key: 3, version: 9, err: "ends too early"},
		{name: "short tagged field", frame: "0003 0009 0000002a ffff 01 00 05 aa", key: 3, version: 9, err: "ends too early"},
		{name: "client id of length -2", frame: "0003 0001 0000002a fffe", key: 3, version: 1, err: "negative length"},
		{name: "four billion tagged fields", frame: "0012 0003 0000002a ffff ffffffff0f", key: 18, version: 3, err: "beyond 31 bits"},
		{name: "a million tagged fields", frame: "0012 0003 0000002a ffff 808040", key: 18, version: 3, err: "beyond 4096 bytes"},
		{name: "a tagged field of 1 MiB", frame: "0012 0003 0000002a ffff 01 00 808040", key: 18, version: 3, err: "beyond 4096 bytes"},
		{name: "tags out of order", frame: "0012 0003 0000002a ffff 02 01 00 01 00", key: 18, version: 3, err: "ascending"},
		{name: "unknown key", frame: "03e7 0000 0000002a ffff", key: 999, err: "unknown api key"},
		{name: "negative key", frame: "8000 0000 0000002a ffff", key: -32768, err: "unknown api key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame, err := hex.DecodeString(strings.ReplaceAll(c.frame, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			h, n, err := wire.ParseRequestHeader(frame)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				if len(frame) >= 8 && (h.Key != c.key || h.Version != c.version || h.Correlation != 42) {
					t.Errorf("%+v", h)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			client := string(h.ClientID)
			if h.ClientID == nil {
				client = "null"
			}
			if h.Key != c.key || h.Version != c.version || h.Correlation != 42 || client != c.client || n != c.size {
				t.Errorf("%+v, client id %q, %d bytes", h, client, n)
			}
			for cut := range n {
				if _, _, err := wire.ParseRequestHeader(frame[:cut]); !errors.Is(err, wire.ErrShort) {
					t.Errorf("%d bytes of it: %v", cut, err)
				}
			}
		})
	}
}

// kmsg's own formatter is the second opinion on header versions.
func TestHeadersAreThoseOfKmsg(t *testing.T) {
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("me"))
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		r := kmsg.RequestForKey(key)
		lo, hi := wire.Versions(key)
		for version := lo; version <= hi; version++ {
			if key == 7 && version == 0 { // kmsg writes a client id that Kafka does not read
				continue
			}
			r.SetVersion(version)
			frame := formatter.AppendRequest(nil, r, 42)[4:]
			h, n, err := wire.ParseRequestHeader(frame)
			if err != nil || h.Key != key || h.Version != version || string(h.ClientID) != "me" {
				t.Fatalf("%s v%d: %+v %v", wire.Name(key), version, h, err)
			}
			if !bytes.Equal(frame[:n], wire.AppendRequestHeader(nil, key, version, 42, "me")) {
				t.Errorf("%s v%d: header differs", wire.Name(key), version)
			}
			if err := wire.CheckRequest(key, version, frame[n:]); err != nil {
				t.Errorf("%s v%d: %v", wire.Name(key), version, err)
			}
			response := r.ResponseKind()
			response.SetVersion(version)
			want := int16(0)
			if response.IsFlexible() && key != 18 {
				want = 1
			}
			if got := wire.ResponseHeaderVersion(key, version); got != want {
				t.Errorf("%s v%d: response header %d, want %d", wire.Name(key), version, got, want)
			}
			header := wire.AppendResponseHeader(nil, key, version, -7)
			if correlation, n, err := wire.ParseResponseHeader(key, version, header); correlation != -7 || n != len(header) || err != nil {
				t.Errorf("%s v%d: response header %d %d %v", wire.Name(key), version, correlation, n, err)
			}
		}
	}
}

func TestHeadersAllocateNothing(t *testing.T) {
	frame := wire.AppendRequestHeader(nil, 1, 16, 42, "some client")
	answer := wire.AppendResponseHeader(nil, 1, 16, 42)
	if n := testing.AllocsPerRun(100, func() {
		_, _, _ = wire.ParseRequestHeader(frame)
		_, _, _ = wire.ParseResponseHeader(1, 16, answer)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
