package proxy

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
)

// FuzzProxyHeader looks for headers that panic, that are read past their end, that cost more than they weigh, and for
// clients that no address is.
func FuzzProxyHeader(f *testing.F) {
	b, err := os.ReadFile("testdata/proxy-headers.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Split(line, "|"); len(fields) == 3 {
			if s, err := strconv.Unquote(`"` + strings.TrimSpace(fields[1]) + `"`); err == nil {
				f.Add([]byte(s))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const follows = "what follows the header"
		r := bytes.NewReader(append(bytes.Clone(in), follows...))
		client, ok, err := readHeader(r)
		rest, _ := io.ReadAll(r)
		read := len(in) + len(follows) - len(rest)
		switch {
		case read > headerV2Max:
			t.Fatalf("%d bytes were read", read)
		case err != nil:
			if ok || client != (netip.AddrPort{}) {
				t.Fatalf("an error and a client: %v, %v", client, err)
			}
		case ok != client.Addr().IsValid() || client.Addr().Is4In6():
			t.Fatalf("client %v, %v", client, ok)
		case !bytes.HasPrefix(in, []byte("PROXY ")) && !bytes.HasPrefix(in, []byte("\r\n\r\n\x00\r\nQUIT\n")) && read <= len(in):
			t.Fatalf("accepted without a signature: %q", in)
		}
		if again, ok2, err2 := readHeader(bytes.NewReader(append(bytes.Clone(in), follows...)[:read])); err == nil && (again != client || ok2 != ok || err2 != nil) {
			t.Fatalf("the header alone reads differently: %v, %v, %v", again, ok2, err2)
		}
	})
}
