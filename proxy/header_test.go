package proxy_test

import (
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vector is a line of proxy-headers.txt.
type vector struct{ name, bytes, expected string }

func vectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/proxy-headers.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "|")
		if len(fields) != 3 {
			t.Fatalf("not three fields: %s", line)
		}
		all = append(all, vector{strings.TrimSpace(fields[0]), unquote(t, strings.TrimSpace(fields[1])), strings.TrimSpace(fields[2])})
	}
	return all
}

var repeated = regexp.MustCompile(`\{([^*]+)\*(\d+)\}`)

func unquote(t testing.TB, s string) string {
	t.Helper()
	s = repeated.ReplaceAllStringFunc(s, func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	out, err := strconv.Unquote(`"` + s + `"`)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return out
}

func TestProxyHeaders(t *testing.T) {
	all := vectors(t)
	for _, v := range all {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			p := open()
			p.Admin = ""
			p.Servers[0].ProxyProtocol = true
			s := begin(t, p)
			c := s.dial()
			if _, err := c.Write([]byte(v.bytes)); err != nil {
				t.Fatal(err)
			}
			verdict, rest, _ := strings.Cut(v.expected, " ")
			switch verdict {
			case "client":
				c.want("remote", rest)
			case "peer":
				c.want("remote", c.LocalAddr().String())
			case "refused":
				begun := time.Now()
				_ = c.Conn.(*net.TCPConn).CloseWrite()
				c.closed()
				if took := time.Since(begun); took > time.Second {
					t.Errorf("refused after %v", took)
				}
				if r := s.audit(rest); r["stage"] != "proxy" {
					t.Errorf("refusal: %v", r)
				}
			default:
				t.Fatalf("what is %q?", v.expected)
			}
		})
	}
	t.Logf("%d vectors", len(all))
}

func TestAHalfHeaderEndsAtTheHandshakeDeadline(t *testing.T) {
	p := open()
	p.Servers[0].ProxyProtocol = true
	p.Limits.Handshake = 50 * time.Millisecond
	s := begin(t, p)
	c := s.dial()
	if _, err := c.Write([]byte("PROXY TCP4 192.0.2")); err != nil {
		t.Fatal(err)
	}
	c.closed()
	s.audit("timeout")
}

func TestLimitsAreOfTheClientBehindTheProxy(t *testing.T) {
	p := open()
	p.Servers[0].ProxyProtocol = true
	p.Limits.PerAddress = 1
	s := begin(t, p)
	dial := func(client string) *client {
		c := s.dial()
		if _, err := c.Write([]byte("PROXY TCP4 " + client + " 192.0.2.1 51234 9092\r\n")); err != nil {
			t.Fatal(err)
		}
		return c
	}
	dial("192.0.2.7").want("guest", "welcome")
	dial("192.0.2.8").want("guest", "welcome")
	dial("192.0.2.7").closed()
	if r := s.audit("address-connections"); r["remote"] != "192.0.2.7:51234" {
		t.Errorf("refusal: %v", r)
	}
}
