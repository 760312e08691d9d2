package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/internal/assembly"
)

// mqttVector is one hostile input of an MQTT client with its expected outcome. In a file of testdata:
//
//	# A comment.
//	== will-of-qos-3
//	each version of 04 | 05       one vector for each; {version} stands for it below
//	audit handshake malformed     the record that refuses it, or those, with commas between them, that each refuse a part of
//	                              it; "audit none" where nothing is refused
//	wire 81                       the reason code of package wire for what is sent; left out: it finds all of it good
//	upstream CONNECT              what of it reaches the broker, by packet types; left out: nothing
//	on password                   the server to connect to; left out: password
//	raw                           what is sent is HTTP, and then the frames of a WebSocket
//	> connect 3.1.1               sends a good CONNECT of that version, of the user alice
//	> upgrade                     asks for a WebSocket as a good client does
//	> framed connect              sends a good CONNECT of 3.1.1 in a frame; frames here are masked with zeroes
//	> 10 [ "MQTT" {version} … ]   sends these bytes, see internal/assembly
//	+ 10 [ … ]                    holds them back, to go out in one segment with the next that are sent
//	slowly                        the next bytes go out one by one
//	drip                          the same, with a pause of 50 ms after each
//	broker 20 [ … ]               the broker sends these bytes to the client
//	await PUBACK                  waits until the broker has had a packet of that type
//	fin                           ends the sending direction
//	< CONNACK 0x84                one answer
//	closed                        how it ends; or open
type mqttVector struct {
	class, name string
	audits      []string // of each record its stage and code
	wire        string   // in hexadecimal; empty: good
	upstream    string
	on          string
	raw         bool // what is sent is HTTP, and the frames of a WebSocket
	steps       []mqttStep
	end         string
}

// mqttStep is one thing that happens, and what is answered to it.
type mqttStep struct {
	verb    string // ">", "+", "slowly", "drip", "broker", "await" or "fin"
	text    string
	bytes   []byte
	answers []string
}

// goodMessages are what is sent by its name.
var goodMessages = map[string]string{
	"connect 3.1":    `10 [ "MQIsdp" 03 C2 003C "hostile" "alice" "alice-secret" ]`,
	"connect 3.1.1":  `10 [ "MQTT" 04 C2 003C "hostile" "alice" "alice-secret" ]`,
	"connect 5":      `10 [ "MQTT" 05 C2 003C [ ] "hostile" "alice" "alice-secret" ]`,
	"framed connect": `82 AA 00000000 10 [ "MQTT" 04 C2 003C "hostile" "alice" "alice-secret" ]`,
	"upgrade": `'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
		`Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n'`,
}

// mqttVectors reads the classes whose files match a pattern.
func mqttVectors(t testing.TB, pattern string) []*mqttVector {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern+".txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors for %s: %v", pattern, err)
	}
	var all []*mqttVector
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		class := strings.TrimSuffix(filepath.Base(path), ".txt")
		for _, block := range strings.Split("\n"+string(text), "\n== ")[1:] {
			for _, one := range expandEach(block) {
				v, err := parseMQTTVector(one)
				if err != nil {
					t.Fatalf("%s: %v in\n== %s", path, err, one)
				}
				v.class = class
				if slices.ContainsFunc(all, func(o *mqttVector) bool { return o.class == class && o.name == v.name }) {
					t.Fatalf("%s: %s is there twice", path, v.name)
				}
				all = append(all, v)
			}
		}
	}
	return all
}

// expandEach writes out the vectors that stand for several.
func expandEach(block string) []string {
	before, after, found := strings.Cut(block, "\neach ")
	if !found {
		return []string{block}
	}
	line, after, _ := strings.Cut(after, "\n")
	key, values, _ := strings.Cut(line, " of ")
	name, before, _ := strings.Cut(before+"\n", "\n")
	var all []string
	for value := range strings.SplitSeq(values, " | ") {
		value = strings.TrimSpace(value)
		one := strings.ReplaceAll(before+after, "{"+key+"}", value)
		all = append(all, expandEach(name+"-"+strings.ReplaceAll(value, " ", "")+"\n"+one)...)
	}
	return all
}

func parseMQTTVector(block string) (*mqttVector, error) {
	name, rest, _ := strings.Cut(block, "\n")
	v := &mqttVector{name: strings.TrimSpace(name), on: "password"}
	audited := false
	for line := range strings.Lines(rest) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "", "#":
		case "audit":
			audited = true
			if rest != "none" {
				v.audits = strings.Split(rest, ", ")
			}
		case "wire":
			v.wire = rest
		case "upstream":
			v.upstream = rest
		case "on":
			v.on = rest
		case "raw":
			v.raw = true
		case "open", "closed":
			v.end = word
		case "<":
			if len(v.steps) == 0 {
				return nil, fmt.Errorf("an answer before the first step")
			}
			last := &v.steps[len(v.steps)-1]
			last.answers = append(last.answers, rest)
		case "await":
			v.steps = append(v.steps, mqttStep{verb: word, text: rest})
		case ">", "+", "broker", "slowly", "drip", "fin":
			s := mqttStep{verb: word, text: rest}
			if good := goodMessages[rest]; good != "" {
				rest = good
			}
			var err error
			if s.bytes, err = assembly.Bytes(rest); err != nil {
				return nil, err
			}
			v.steps = append(v.steps, s)
		default:
			return nil, fmt.Errorf("%q is no statement", line)
		}
	}
	if v.end == "" || !audited || len(v.steps) == 0 {
		return nil, fmt.Errorf("something is missing")
	}
	return v, nil
}

// transcript is what was said, a line each.
func (v *mqttVector) transcript() string {
	var b strings.Builder
	for _, s := range v.steps {
		fmt.Fprintln(&b, strings.TrimSpace(s.verb+" "+s.text))
		for _, a := range s.answers {
			fmt.Fprintln(&b, "<", a)
		}
	}
	fmt.Fprintln(&b, v.end)
	return b.String()
}
