package wire_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/internal/assembly"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// TestDecode reads the packets of testdata and writes down what becomes of each. The input of a case is the sender and
// the version in one line, and the bytes of one packet.
func TestDecode(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no packets", err)
	}
	total := 0
	for _, path := range paths {
		for _, c := range cases.Load(t, path).Cases {
			head, text, _ := strings.Cut(c.Part(cases.Input), "\n")
			s, err := stream(head)
			if err != nil {
				t.Fatalf("%s: %s: %v", path, c.Name, err)
			}
			b, err := assembly.Bytes(text)
			if err != nil {
				t.Fatalf("%s: %s: %v", path, c.Name, err)
			}
			c.Expect(t, "read", read(s, b)+"\n")
			secondOpinion(t, s, b)
			total++
		}
	}
	t.Logf("%d packets", total)
}

// stream reads, for example, "client 3.1.1" or "server 5 max=100".
func stream(text string) (s wire.Stream, err error) {
	for _, word := range strings.Fields(text) {
		switch word {
		case "client":
			s.From = wire.Client
		case "server":
			s.From = wire.Server
		case "3.1":
			s.Version = wire.V31
		case "3.1.1":
			s.Version = wire.V311
		case "5":
			s.Version = wire.V5
		default:
			if _, err := fmt.Sscanf(word, "max=%d", &s.Max); err != nil {
				return s, fmt.Errorf("%q says nothing", word)
			}
		}
	}
	return s, nil
}

// read describes the packet that begins b, or what is wrong with it.
func read(s wire.Stream, b []byte) string {
	h, err := s.Scan(b)
	if err == wire.ErrShort {
		if h.Size == 0 {
			return "needs more"
		}
		return fmt.Sprintf("needs %d bytes", h.Len())
	}
	if err != nil {
		return verdict(err)
	}
	what, err := decode(s, h, b[h.Size:h.Len()])
	if err != nil {
		return verdict(err)
	}
	if len(what) > long {
		what = fmt.Sprintf("%s… of %d", what[:long], len(what))
	}
	if rest := len(b) - h.Len(); rest > 0 {
		what += fmt.Sprintf(", then %d bytes", rest)
	}
	return what
}

func verdict(err error) string {
	m := (*wire.Malformed)(nil)
	if !errors.As(err, &m) {
		return "no verdict: " + err.Error()
	}
	return fmt.Sprintf("%v: 0x%02X %v", m, byte(m.Code), m.Code)
}

// long is where a text is cut in descriptions, in characters.
const long = 400

// decode describes a body.
func decode(s wire.Stream, h wire.Header, body []byte) (string, error) {
	switch h.Type {
	case wire.CONNECT:
		c, err := wire.DecodeConnect(body)
		return describeConnect(c), err
	case wire.CONNACK:
		c, err := wire.DecodeConnack(body, s.Version)
		return fmt.Sprintf("CONNACK present=%v code=0x%02X%s", c.SessionPresent, byte(c.Code), properties(c.Properties)), err
	case wire.PUBLISH:
		p, _, err := wire.DecodePublish(h, body, s.Version, s.From)
		return fmt.Sprintf("PUBLISH topic=%q qos=%d dup=%v retain=%v id=%d alias=%d payload=%d%s",
			p.Topic, p.QoS, p.Dup, p.Retain, p.PacketID, p.Alias, p.Payload, properties(p.Properties)), err
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		a, err := wire.DecodeAck(h.Type, body, s.Version)
		return fmt.Sprintf("%v id=%d code=0x%02X%s", a.Type, a.PacketID, byte(a.Code), properties(a.Properties)), err
	case wire.SUBSCRIBE:
		return describeSubscribe(wire.DecodeSubscribe(body, s.Version))
	case wire.SUBACK, wire.UNSUBACK:
		a, err := wire.DecodeSuback(h.Type, body, s.Version)
		return fmt.Sprintf("%v id=%d codes=%x%s", a.Type, a.PacketID, a.Codes, properties(a.Properties)), err
	case wire.UNSUBSCRIBE:
		u, err := wire.DecodeUnsubscribe(body, s.Version)
		what := fmt.Sprintf("UNSUBSCRIBE id=%d", u.PacketID)
		for filter := range u.All() {
			what += fmt.Sprintf(" %q", filter)
		}
		return what + properties(u.Properties), err
	case wire.DISCONNECT:
		d, err := wire.DecodeDisconnect(body, s.Version, s.From)
		return fmt.Sprintf("DISCONNECT code=0x%02X%s", byte(d.Code), properties(d.Properties)), err
	case wire.AUTH:
		a, err := wire.DecodeAuth(body, s.From)
		return fmt.Sprintf("AUTH code=0x%02X method=%q data=%q%s", byte(a.Code), a.Method(), a.Data(), properties(a.Properties)), err
	}
	return h.Type.String(), nil
}

func describeConnect(c *wire.Connect) string {
	what := fmt.Sprintf("CONNECT %v clean=%v alive=%d id=%q", c.Version, c.CleanStart, c.KeepAlive, c.ClientID)
	if w := c.Will; w != nil {
		what += fmt.Sprintf(" will=%q qos=%d retain=%v payload=%q", w.Topic, w.QoS, w.Retain, w.Payload)
		if p := properties(w.Properties); p != "" {
			what += " (" + p[1:] + ")"
		}
	}
	if c.HasUsername {
		what += fmt.Sprintf(" user=%q", c.Username)
	}
	if c.HasPassword {
		what += fmt.Sprintf(" password=%q", c.Password)
	}
	return what + properties(c.Properties)
}

func describeSubscribe(s wire.Subscribe, err error) (string, error) {
	what := fmt.Sprintf("SUBSCRIBE id=%d", s.PacketID)
	for one := range s.All() {
		what += fmt.Sprintf(" %q qos=%d", one.Filter, one.QoS)
		if one.NoLocal || one.RetainAsPublished || one.RetainHandling > 0 {
			what += fmt.Sprintf(" nl=%v rap=%v rh=%d", one.NoLocal, one.RetainAsPublished, one.RetainHandling)
		}
	}
	return what + properties(s.Properties), err
}

// properties describes a list, with a space before each.
func properties(p wire.Properties) string {
	var b strings.Builder
	user := p.UserProperties()
	for id, element := range p.All() {
		fmt.Fprintf(&b, " %s=", strings.ReplaceAll(id.String(), " ", ""))
		if v, ok := p.Uint(id); ok && id != wire.SubscriptionIdentifier {
			fmt.Fprint(&b, v)
			continue
		}
		fmt.Fprintf(&b, "%x", element[1:])
	}
	names := 0
	for range user {
		names++
	}
	if names > 3 {
		return fmt.Sprintf(" %d properties, %d of them User Properties", strings.Count(b.String(), "="), names)
	}
	return b.String()
}
