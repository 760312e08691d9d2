package kafka

import (
	"bytes"
	"crypto/rand"
	"math"
	"net"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/proxy/stream"
)

// tcpPair is two ends of a TCP connection on loopback.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	deadline := time.Now().Add(10 * time.Second)
	client.SetDeadline(deadline)
	server.SetDeadline(deadline)
	return client, server
}

// pipePair is the same without sockets: the path that TLS takes.
func pipePair(t *testing.T) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

var pairs = map[string]func(*testing.T) (client, server net.Conn){"TCP": tcpPair, "no descriptor": pipePair}

func TestAStreamReadsFramesHoweverTheyAreCut(t *testing.T) {
	small, large := make([]byte, 100), make([]byte, 3*stream.Chunk+17)
	rand.Read(small)
	rand.Read(large)
	var sent []byte
	for _, p := range [][]byte{small, large, {}, small} {
		sent = append(sent, newFrame(0).raw(p).finish()...)
	}
	for name, pair := range pairs {
		for _, cut := range []int{7, 4096, len(sent)} {
			t.Run(name, func(t *testing.T) {
				client, server := pair(t)
				go func() {
					for p := sent; len(p) > 0; {
						n := min(cut, len(p))
						client.Write(p[:n])
						p = p[n:]
					}
				}()
				s := stream.New(server, stream.Chunk)
				for i, want := range [][]byte{small, large, {}, small} {
					got, err := readFrame(s, 1<<20)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("cut into %d: frame %d: %d bytes, %v; want %d bytes", cut, i, len(got), err, len(want))
					}
				}
			})
		}
	}
}

func TestAFrameLengthIsJudgedBeforeAnythingIsAllocated(t *testing.T) {
	for _, length := range []string{"\xff\xff\xff\xff", "\x80\x00\x00\x00", "\x7f\xff\xff\xff", "GET ", "\x16\x03\x01\x02", "\x00\x00\x04\x01"} {
		client, server := tcpPair(t)
		go client.Write([]byte(length))
		if _, err := readFrame(stream.New(server, stream.Chunk), 1024); err != errFrameLength {
			t.Errorf("length %x: %v", length, err)
		}
	}
}

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
