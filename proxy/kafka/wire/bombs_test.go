package wire_test

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

//go:embed testdata/bombs.txt
var bombText string

type bomb struct {
	key, version  int16
	outcome, name string
	parts         []string
}

// body is the bytes of the bomb, its fill of that size.
func (b bomb) body(size int) []byte {
	var out []byte
	for _, part := range b.parts {
		fill, count, filled := strings.Cut(part, "*")
		p, err := hex.DecodeString(fill)
		if err != nil {
			panic(err)
		}
		n := 1
		if filled {
			if n, err = strconv.Atoi(count); err != nil {
				n = size
			}
		}
		out = append(out, bytes.Repeat(p, n)...)
	}
	return out
}

var bombs = func() (all []bomb) {
	for sc := bufio.NewScanner(strings.NewReader(bombText)); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		head, rest, _ := strings.Cut(line, "malformed")
		name, parts, _ := strings.Cut(strings.TrimSpace(rest), "  ")
		b := bomb{outcome: "malformed", name: name, parts: strings.Fields(parts)}
		if _, err := fmt.Sscan(head, &b.key, &b.version); err != nil {
			panic(line)
		}
		all = append(all, b)
	}
	return all
}()

func TestStructureBombsAreRefusedForNothing(t *testing.T) {
	for _, b := range bombs {
		t.Run(fmt.Sprintf("%s v%d %s", wire.Name(b.key), b.version, b.name), func(t *testing.T) {
			for _, size := range []int{0, 100, 1 << 20} {
				body := b.body(size)
				cost(t, len(body), func() {
					_, err := wire.DecodeRequest(b.key, b.version, body)
					var bad *wire.Malformed
					if !errors.As(err, &bad) {
						t.Fatalf("%d bytes of fill: %v", size, err)
					}
				})
			}
		})
	}
	t.Logf("%d bombs", len(bombs))
}

// Bodies that are well-formed and would take many times their bytes: elements as small as the version allows.
func TestDenseBodiesAreNotDecoded(t *testing.T) {
	const elements = 200_000
	list := func(prefix string, element string) []byte {
		p, _ := hex.DecodeString(prefix)
		e, _ := hex.DecodeString(element)
		return append(binary.BigEndian.AppendUint32(p, elements), bytes.Repeat(e, elements)...)
	}
	compact := func(prefix, element, suffix string) []byte {
		p, _ := hex.DecodeString(prefix)
		e, _ := hex.DecodeString(element)
		s, _ := hex.DecodeString(suffix)
		return append(append(wire.AppendUvarint(p, elements+1), bytes.Repeat(e, elements)...), s...)
	}
	var tags []byte
	for tag := range elements {
		tags = append(wire.AppendUvarint(tags, 100+tag), 0)
	}
	for _, c := range []struct {
		name         string
		key, version int16
		body         []byte
	}{
		{"Metadata topics", 3, 1, list("", "0000")},
		{"Metadata topics, flexible", 3, 9, compact("", "0100", "00000000")},
		{"Metadata unknown tags", 3, 9, append(wire.AppendUvarint([]byte{0, 0, 0, 0}, elements), tags...)},
		{"Produce topics", 0, 3, list("ffff000100000000", "000000000000")},
		{"CreateTopics topics, flexible", 19, 5, compact("", "0100000000000001"+"0100", "0000000000"+"00")},
		{"IncrementalAlterConfigs resources", 44, 1, compact("", "00010100", "0000")},
		{"DescribeGroups", 15, 5, compact("", "01", "0000")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := wire.CheckRequest(c.key, c.version, c.body); err != nil {
				t.Fatal(err)
			}
			cost(t, len(c.body), func() {
				if _, err := wire.DecodeRequest(c.key, c.version, c.body); !errors.Is(err, wire.ErrDense) {
					t.Fatal(err)
				}
			})
		})
	}
}

// What is decoded stays within the same bound: bodies as dense as they may just be.
func TestDecodingTakesNoMoreThanPromised(t *testing.T) {
	for n := 64; n <= 1<<14; n *= 2 {
		for _, c := range []struct {
			key, version    int16
			element, suffix []byte
		}{
			{3, 9, []byte{1, 0}, []byte{0, 0, 0, 0}},
			{3, 9, []byte{21, 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 0}, []byte{0, 0, 0, 0}},
			{15, 5, []byte{1}, []byte{0, 0}},
			{20, 4, []byte{5, 'a', 'b', 'c', 'd'}, []byte{0, 0, 0, 0, 0}},
		} {
			body := append(append(wire.AppendUvarint(nil, n+1), bytes.Repeat(c.element, n)...), c.suffix...)
			if err := wire.CheckRequest(c.key, c.version, body); err != nil {
				t.Fatal(err)
			}
			cost(t, len(body), func() { _, _ = wire.DecodeRequest(c.key, c.version, body) })
		}
	}
}

// cost fails if f allocates more than 4 times the bytes it was given plus 64 KiB, or if the best of five runs takes more
// than 5 ms plus 50 ns a byte.
func cost(t *testing.T, given int, f func()) {
	t.Helper()
	f() // compiles the structure of the version
	best := time.Hour
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 5 {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	runtime.ReadMemStats(&after)
	if got, limit := (after.TotalAlloc-before.TotalAlloc)/5, uint64(4*given+64<<10); got > limit {
		t.Errorf("%d bytes allocated for %d", got, given)
	}
	if limit := 5*time.Millisecond + 50*time.Duration(given); best > limit {
		t.Errorf("%v for %d bytes", best, given)
	}
}
