package dialogue_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/test/dialogue"
)

func TestAFileIsPrintedAsItIsRead(t *testing.T) {
	paths, err := filepath.Glob("../behaviour/testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := dialogue.Parse(string(text))
		if err != nil {
			t.Fatalf("%s:%v", path, err)
		}
		if file.String() != string(text) {
			t.Errorf("%s is printed otherwise than it stands there", path)
		}
	}
}

func TestWhatIsNoDialogueIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"> Metadata v1":                 `1: "> Metadata v1" before the first == NAME`,
		"== a\n== a":                    "2: a dialogue needs a name of its own",
		"== a\nlook":                    `2: "look" is no statement`,
		"== a\n< answer":                "2: an answer before the first message",
		"== a\nopen\n> Metadata v1":     `3: "> Metadata v1" after "open"`,
		"== a\n> Metadata":              `2: "Metadata" is no message`,
		"== a\n> Metadatum v1":          `2: "Metadatum" is no API`,
		"== a\n> Metadata 1":            `2: "1" is no version`,
		"== a\n> Metadata v1 body=0":    "2: \"0\": encoding/hex: odd length hex string",
		"== a\n> Metadata v1 body=00*x": "2: \"00*x\"",
		"== a\n> Metadata v1 all":       `2: "all" says nothing`,
		"== a\n> Metadata v1 : [":       "2: ] is missing before \"\"",
		"== a\n> SaslHandshake v1 \"a":  "2: \"a: invalid syntax",
		"== a\ntls certificate":         `2: "certificate" is no option NAME=VALUE`,
	} {
		if _, err := dialogue.Parse(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestWhatAMessageNames(t *testing.T) {
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group = "workers"
	response := kmsg.NewPtrOffsetCommitResponse()
	response.Version = 7
	for i, name := range []string{"open", "a b", "", "op\u0435n", strings.Repeat("a", 249)} {
		asked, told := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitResponseTopic()
		asked.Topic, told.Topic = name, name
		asked.Partitions = append(asked.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
		told.Partitions = append(told.Partitions, kmsg.OffsetCommitResponseTopicPartition{ErrorCode: int16(i)})
		request.Topics, response.Topics = append(request.Topics, asked), append(response.Topics, told)
	}
	for _, c := range []struct {
		message any
		want    string
	}{
		{request, `workers open "a b" "" "op\u0435n" aaa…249`},
		{response, `open=0 "a b"=1 ""=2 "op\u0435n"=3 aaa…249=4`},
		{&kmsg.InitProducerIDResponse{ErrorCode: 53}, `error=53`},
		{&kmsg.FetchRequest{Topics: []kmsg.FetchRequestTopic{{TopicID: [16]byte{14: 1}}}}, `#100`},
	} {
		if got := dialogue.Named(c.message); got != c.want {
			t.Errorf("%T: %s, want %s", c.message, got, c.want)
		}
	}
}

// The player must not take silence for an end, nor an end for silence.
func TestHowADialogueEnds(t *testing.T) {
	for _, server := range []struct {
		name, expected, want string
		do                   func(net.Conn)
	}{
		{"waits", "open", "> Metadata v0\nopen\n", listen},
		{"closes", "closed", "> Metadata v0\nclosed\n", func(c net.Conn) { _ = c.Close() }},
		{"waits though it should close", "closed", "> Metadata v0\nopen\n", listen},
		{"closes though it should wait", "open", "> Metadata v0\nclosed\n", func(c net.Conn) { _ = c.Close() }},
		{"answers what nobody asked", "open", "> Metadata v0\n< Metadata v0 correlation=7 instead of 1 brokers=0 topics=0 cluster=false controller=false\nopen\n",
			func(c net.Conn) {
				_, _ = c.Write([]byte{0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0})
				listen(c)
			}},
	} {
		t.Run(server.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				if c, err := listener.Accept(); err == nil {
					_, _ = c.Read(make([]byte, 100))
					server.do(c)
				}
			}()
			file, err := dialogue.Parse("== a\n> Metadata v0\n" + server.expected)
			if err != nil {
				t.Fatal(err)
			}
			target := &dialogue.Target{Addresses: map[string]string{"sasl": listener.Addr().String()}}
			r, err := file.Dialogues[0].Play(context.Background(), target, dialogue.Patience{Expected: 100 * time.Millisecond, Unexpected: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if r.Transcript() != server.want {
				t.Errorf("it went\n%swant\n%s", r.Transcript(), server.want)
			}
		})
	}
}

// listen reads until the client leaves.
func listen(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
