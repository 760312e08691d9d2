package wire_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/internal/assembly"
	"github.com/asyncgate/asyncgate/internal/cases"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// maxFuzzed bounds what is given to codecs that believe lengths, in bytes.
const maxFuzzed = 1 << 16

// seed adds the packets of testdata, those of these types or all, with their streams.
func seed(f *testing.F, add func(s wire.Stream, b []byte), types ...wire.Type) {
	f.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		f.Fatal("no packets", err)
	}
	for _, path := range paths {
		for _, c := range cases.Load(f, path).Cases {
			head, text, _ := strings.Cut(c.Part(cases.Input), "\n")
			s, err := stream(head)
			if err != nil {
				f.Fatal(err)
			}
			b, err := assembly.Bytes(text)
			if err != nil {
				f.Fatal(err)
			}
			wanted := len(types) == 0
			for _, t := range types {
				wanted = wanted || len(b) > 0 && wire.Type(b[0]>>4) == t
			}
			if wanted && len(b) < 4096 {
				add(s, b)
			}
		}
	}
}

// version makes any byte one of the versions, or none.
func version(v byte) wire.Version { return []wire.Version{0, 0, 0, wire.V31, wire.V311, wire.V5}[v%6] }

func sender(server bool) wire.Sender {
	if server {
		return wire.Server
	}
	return wire.Client
}

// FuzzScan: a header is judged the same whether its bytes come at once or one after the other, and once there are five of
// them nothing is open but the body.
func FuzzScan(f *testing.F) {
	seed(f, func(s wire.Stream, b []byte) { f.Add(byte(s.Version), s.From == wire.Server, 1<<20, b) })
	f.Fuzz(func(t *testing.T, v byte, server bool, most int, b []byte) {
		s := wire.Stream{Version: version(v), From: sender(server), Max: most & wire.MaxRemaining}
		whole, err := s.Scan(b)
		for n := range b {
			h, early := s.Scan(b[:n])
			switch {
			case early == nil && (err != nil || h != whole || n < h.Len()):
				t.Fatalf("%+v from %d bytes, %+v %v from all", h, n, whole, err)
			case early == wire.ErrShort && n >= 5 && h.Size == 0:
				t.Fatalf("the header is still open after %d bytes", n)
			case early != nil && early != wire.ErrShort && (err == nil || early.Error() != err.Error()):
				t.Fatalf("%v from %d bytes, %v from all", early, n, err)
			}
		}
		if err == nil && (whole.Size < 2 || whole.Size > 5 || whole.Len() > len(b) || s.Max > 0 && whole.Len() > s.Max) {
			t.Fatalf("%+v from %d bytes", whole, len(b))
		}
	})
}

// FuzzConnect: what is written is read again as the same, and mochi and paho read it as the same.
func FuzzConnect(f *testing.F) {
	seed(f, func(_ wire.Stream, b []byte) { f.Add(b) }, wire.CONNECT)
	f.Fuzz(func(t *testing.T, b []byte) {
		s := wire.Stream{From: wire.Client, Max: wire.MaxConnect}
		h, err := s.Scan(b)
		if err != nil || h.Type != wire.CONNECT {
			return
		}
		body := b[h.Size:h.Len()]
		c, err := wire.DecodeConnect(body)
		if err != nil {
			malformed(t, err)
			return
		}
		again := c.Append(nil)
		if !missing(h, body) && !bytes.Equal(again, b[:h.Len()]) {
			t.Fatalf("%x became %x", b[:h.Len()], again)
		}
		if one, two := read(s, b[:h.Len()]), read(s, again); one != two {
			t.Fatalf("%s became %s", one, two)
		}
		secondOpinion(t, s, b)
	})
}

// malformed checks that an error is what the package promises.
func malformed(t *testing.T, err error) {
	t.Helper()
	if m := (*wire.Malformed)(nil); !errors.As(err, &m) || m.Reason == "" || !m.Code.Failed() {
		t.Fatalf("%v is no good reason", err)
	}
}

// FuzzPublish: the head is read the same whether the payload has come or not, and written as it was read; with another
// topic and alias only these differ.
func FuzzPublish(f *testing.F) {
	seed(f, func(s wire.Stream, b []byte) { f.Add(byte(s.Version), s.From == wire.Server, b) }, wire.PUBLISH)
	f.Fuzz(func(t *testing.T, v byte, server bool, b []byte) {
		s := wire.Stream{Version: version(v), From: sender(server), Max: maxFuzzed}
		h, err := s.Scan(b)
		if err != nil || h.Type != wire.PUBLISH {
			return
		}
		body := b[h.Size:h.Len()]
		p, n, err := wire.DecodePublish(h, body, s.Version, s.From)
		for _, part := range []int{0, 1, len(body) / 2, n - 1, n} {
			if part < 0 || part > len(body) {
				continue
			}
			_, m, early := wire.DecodePublish(h, body[:part], s.Version, s.From)
			switch {
			case early == wire.ErrShort && (err != nil || part < n):
			case early == nil && err == nil && m == n && part >= n:
			case early != nil && early != wire.ErrShort && err != nil:
			default:
				t.Fatalf("%d bytes of the body: %d %v; all: %d %v", part, m, early, n, err)
			}
		}
		if err != nil {
			malformed(t, err)
			return
		}
		again := append(p.AppendHead(nil, s.Version), body[n:]...)
		if len(again) != h.Len() || p.Alias == 0 && !bytes.Equal(again, b[:h.Len()]) {
			t.Fatalf("%x became %x", b[:h.Len()], again)
		}
		if one, two := sorted(read(s, b[:h.Len()])), sorted(read(s, again)); one != two {
			t.Fatalf("%s became %s", one, two)
		}
		secondOpinion(t, s, b)
		changed(t, s, p, body[n:])
	})
}

// sorted is a description whose properties have no order: an alias moves.
func sorted(description string) string {
	words := strings.Fields(description)
	kept, alias := words[:0], ""
	for _, w := range words {
		if strings.HasPrefix(w, "TopicAlias=") {
			alias = w
			continue
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ") + alias
}

// changed gives a PUBLISH another topic and takes its alias away, or the other way round.
func changed(t *testing.T, s wire.Stream, p wire.Publish, payload []byte) {
	t.Helper()
	q := p
	q.Topic, q.Alias = []byte("another/topic"), 0
	if p.Alias == 0 && s.Version == wire.V5 {
		q.Alias = 0xABCD
	}
	b := append(q.AppendHead(nil, s.Version), payload...)
	h, err := wire.Stream{Version: s.Version, From: s.From}.Scan(b)
	if err != nil || h.Len() != len(b) {
		t.Fatal(h, err)
	}
	r, n, err := wire.DecodePublish(h, b[h.Size:], s.Version, s.From)
	if err != nil || !bytes.Equal(r.Topic, q.Topic) || r.Alias != q.Alias || r.PacketID != p.PacketID || !bytes.Equal(b[h.Size+n:], payload) {
		t.Fatalf("%+v became %+v, %v", q, r, err)
	}
	if !bytes.Equal(r.Properties.Without(wire.TopicAlias), p.Properties.Without(wire.TopicAlias)) {
		t.Fatalf("%x became %x", p.Properties, r.Properties)
	}
}

// FuzzSubscribe: of SUBSCRIBE and UNSUBSCRIBE. All and none of what is asked for can be asked for again.
func FuzzSubscribe(f *testing.F) {
	seed(f, func(s wire.Stream, b []byte) { f.Add(byte(s.Version), b) }, wire.SUBSCRIBE, wire.UNSUBSCRIBE)
	f.Fuzz(func(t *testing.T, v byte, b []byte) {
		s := wire.Stream{Version: version(v), From: wire.Client, Max: maxFuzzed}
		h, err := s.Scan(b)
		if err != nil || h.Type != wire.SUBSCRIBE && h.Type != wire.UNSUBSCRIBE {
			return
		}
		var again []byte
		if body := b[h.Size:h.Len()]; h.Type == wire.SUBSCRIBE {
			again, err = resubscribe(t, body, s.Version)
		} else {
			again, err = reunsubscribe(t, body, s.Version)
		}
		if err != nil {
			malformed(t, err)
			return
		}
		again[0] |= b[0] & 8 // DUP, which 3.1 may have
		if !bytes.Equal(again, b[:h.Len()]) {
			t.Fatalf("%x became %x", b[:h.Len()], again)
		}
		secondOpinion(t, s, b)
	})
}

// resubscribe reads a SUBSCRIBE and writes it, each subscription by its fields.
func resubscribe(t *testing.T, body []byte, v wire.Version) ([]byte, error) {
	t.Helper()
	u, err := wire.DecodeSubscribe(body, v)
	if err != nil {
		return nil, err
	}
	var list []byte
	n := 0
	for one, element := range u.All() {
		written := wire.AppendSubscription(nil, one)
		if !bytes.Equal(written, element) {
			t.Fatalf("%x became %x", element, written)
		}
		list = append(list, written...)
		n++
	}
	if n != u.Count {
		t.Fatalf("%d of %d", n, u.Count)
	}
	u.List = list
	return u.Append(nil, v), nil
}

func reunsubscribe(t *testing.T, body []byte, v wire.Version) ([]byte, error) {
	t.Helper()
	u, err := wire.DecodeUnsubscribe(body, v)
	if err != nil {
		return nil, err
	}
	var list []byte
	n := 0
	for _, element := range u.All() {
		list = append(list, element...)
		n++
	}
	if n != u.Count {
		t.Fatalf("%d of %d", n, u.Count)
	}
	u.List = list
	return u.Append(nil, v), nil
}

// FuzzAnswers: of all other packets, from both sides.
func FuzzAnswers(f *testing.F) {
	seed(f, func(s wire.Stream, b []byte) { f.Add(byte(s.Version), s.From == wire.Server, b) },
		wire.CONNACK, wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP, wire.SUBACK, wire.UNSUBACK, wire.DISCONNECT, wire.AUTH)
	f.Fuzz(func(t *testing.T, v byte, server bool, b []byte) {
		s := wire.Stream{Version: version(v), From: sender(server), Max: maxFuzzed}
		h, err := s.Scan(b)
		if err != nil {
			return
		}
		again, err := rewrite(s, h, b[h.Size:h.Len()])
		if err != nil {
			malformed(t, err)
			return
		}
		if again == nil {
			return
		}
		if one, two := read(s, b[:h.Len()]), read(s, again); one != two || len(again) > h.Len() {
			t.Fatalf("%s became %s", one, two)
		}
		secondOpinion(t, s, b)
		secondOpinion(t, s, again)
	})
}

// rewrite reads an answer and writes it; nil for other packets.
func rewrite(s wire.Stream, h wire.Header, body []byte) ([]byte, error) {
	switch h.Type {
	case wire.CONNACK:
		c, err := wire.DecodeConnack(body, s.Version)
		return c.Append(nil, s.Version), err
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		a, err := wire.DecodeAck(h.Type, body, s.Version)
		return a.Append(nil, s.Version), err
	case wire.SUBACK, wire.UNSUBACK:
		a, err := wire.DecodeSuback(h.Type, body, s.Version)
		return a.Append(nil, s.Version), err
	case wire.DISCONNECT:
		d, err := wire.DecodeDisconnect(body, s.Version, s.From)
		return d.Append(nil, s.Version), err
	case wire.AUTH:
		a, err := wire.DecodeAuth(body, s.From)
		return a.Append(nil), err
	}
	return nil, nil
}

// FuzzProperties: a list that was found good has only what its packet may have, each once if it may be there once, and
// can be changed without touching the rest. It is read as that of a CONNACK, which knows most of them.
func FuzzProperties(f *testing.F) {
	for _, text := range []string{`11 0000003C 21 0014 24 01`, `26 "a" "b" 26 "a" "c"`, `12 "auto" 1F "why"`, `21 0001 21 0002`, `00`, `FF`, `0B 05`, `26 "a"`, `24 02`} {
		b, err := assembly.Bytes(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		body := append(wire.AppendVarint([]byte{0, 0}, len(list)), list...)
		c, err := wire.DecodeConnack(body, wire.V5)
		if err != nil {
			malformed(t, err)
			return
		}
		var whole []byte
		seen := map[wire.Property]bool{}
		for id, element := range c.Properties.All() {
			if seen[id] && id != wire.UserProperty {
				t.Fatalf("%v twice", id)
			}
			seen[id] = true
			whole = append(whole, element...)
		}
		if !bytes.Equal(whole, list) {
			t.Fatalf("%x is iterated as %x", list, whole)
		}
		c.Properties = c.Properties.WithUint(wire.ReceiveMaximum, 7).WithText(wire.ReasonString, "because").WithUser("k", "v")
		packet := c.Append(nil, wire.V5)
		h, err := wire.Stream{Version: wire.V5, From: wire.Server}.Scan(packet)
		if err != nil {
			t.Fatal(err)
		}
		d, err := wire.DecodeConnack(packet[h.Size:], wire.V5)
		reason, _ := d.Properties.Bytes(wire.ReasonString)
		if most, _ := d.Properties.Uint(wire.ReceiveMaximum); err != nil || most != 7 || string(reason) != "because" {
			t.Fatalf("%x: %v", packet, err)
		}
		ours := []wire.Property{wire.ReceiveMaximum, wire.ReasonString}
		kept := wire.Properties(list).Without(ours...)
		if !bytes.HasPrefix(d.Properties.Without(ours...), kept) {
			t.Fatalf("%x became %x", kept, d.Properties)
		}
	})
}
