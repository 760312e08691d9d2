package kafka

import (
	"bytes"
	"math"
	"testing"
	"time"
)

func TestSaslMessagesByHand(t *testing.T) {
	for version := int16(0); version <= maxSaslAuthenticateVersion; version++ {
		frame := saslAuthenticateAnswer(version, 7, codeNone, "", []byte("v=x"), 90*time.Second)
		if version == 1 {
			token, lifetime, err := parseSaslAuthenticateAnswer(frame[lengthSize:])
			if err != nil || string(token) != "v=x" || lifetime != 90*time.Second {
				t.Errorf("version 1 reads back as %q, %v, %v", token, lifetime, err)
			}
		}
	}
	_, lifetime, err := parseSaslAuthenticateAnswer(saslAuthenticateAnswer(1, 7, codeNone, "", nil, math.MaxInt64)[lengthSize:])
	if err != nil || lifetime != 365*24*time.Hour {
		t.Errorf("a session for ever reads back as %v, %v", lifetime, err)
	}
	refused := saslAuthenticateAnswer(1, 7, codeSaslAuthenticationFailed, "no", nil, 0)
	if _, _, err := parseSaslAuthenticateAnswer(refused[lengthSize:]); err == nil {
		t.Error("a refusal reads as success")
	}
}

func TestProduceHead(t *testing.T) {
	for _, c := range []struct {
		name     string
		version  int16
		body     []byte
		acks     int16
		complete bool
	}{
		{"before transactions", 2, builder{}.int16(1), 1, true},
		{"no transactional id", 3, builder{}.int16(-1).int16(0), 0, true},
		{"a transactional id", 8, builder{}.string("tx").int16(-1), -1, true},
		{"compact, none", 9, builder{0}.int16(0), 0, true},
		{"compact, one", 12, builder{}.compactString("tx").int16(-1), -1, true},
		{"cut in the id", 12, builder{}.compactString("tx")[:2], 0, false},
		{"cut in the acks", 12, append(builder{}.compactString("tx"), 0xff), 0, false},
		{"nothing", 9, nil, 0, false},
	} {
		head := produceHeadOf(c.version, c.body)
		acks, complete := head.acks, head.complete
		if acks != c.acks || complete != c.complete {
			t.Errorf("%s: acks %d, complete %v; want %d, %v", c.name, acks, complete, c.acks, c.complete)
		}
	}
}

// FuzzParsers feeds the bodies that are decoded by hand: none may panic, or take longer than their bytes warrant.
func FuzzParsers(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x0dSCRAM-SHA-256"))
	f.Add([]byte(builder{}.compactString("librdkafka").compactString("2.16.0").tags()))
	f.Add([]byte(builder{}.compactBytes([]byte("n,,n=alice,r=abc")).tags()))
	f.Add(saslAuthenticateAnswer(1, 7, codeNone, "", []byte("v=x"), time.Hour)[lengthSize:])
	f.Add(append(bytes.Repeat([]byte{0xff}, 4), 0x0f))
	f.Fuzz(func(t *testing.T, p []byte) {
		for version := int16(-1); version <= 5; version++ {
			parseAPIVersions(version, p)
			if token, ok := parseSaslAuthenticate(version, p); ok && len(token) > len(p) {
				t.Fatal("a token longer than the message")
			}
		}
		for version := range int16(14) {
			produceHeadOf(version, p)
		}
		if name, ok := parseSaslHandshake(p); ok && len(name) > len(p) {
			t.Fatal("a name longer than the message")
		}
		_, _, _ = parseSaslAuthenticateAnswer(p)
	})
}
