package wire

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

//go:generate go run ./internal/gen -out messages.txt $KAFKA_CLIENTS_NEW $KAFKA_CLIENTS_OLD

//go:embed messages.txt
var messages string

// Key and version ranges are small and fixed; the tables are indexed by them directly.
const (
	request  = 0
	response = 1
)

// known is one api key: its versions and, per direction and version, the compiled structure once it was asked for.
type known struct {
	name     string
	min, max int16
	flexible int16 // first version with compact lengths and tagged fields; math.MaxInt16 if none has them
	sources  [2][]source
	compiled [2][]atomic.Pointer[Struct] // by version
}

// source is one line of messages.txt, not parsed before it is needed.
type source struct {
	lo, hi int16
	json   string
}

// table holds every api key, at its own index; nil where the definitions have none.
var table = sync.OnceValue(func() []*known {
	var t []*known
	for line := range strings.Lines(messages) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.SplitN(line, " ", 4)
		key, _ := strconv.Atoi(part[0])
		for len(t) <= key {
			t = append(t, nil)
		}
		if t[key] == nil {
			t[key] = &known{min: math.MaxInt16, max: -1, flexible: math.MaxInt16}
		}
		direction := request
		if part[1] == "response" {
			direction = response
		}
		from, to, _ := strings.Cut(part[2], "-")
		lo, _ := strconv.ParseInt(from, 10, 16)
		hi, _ := strconv.ParseInt(to, 10, 16)
		k, s := t[key], source{lo: int16(lo), hi: int16(hi), json: part[3]}
		k.sources[direction] = append(k.sources[direction], s)
		k.min, k.max = min(k.min, s.lo), max(k.max, s.hi)
		if k.name == "" {
			name, _, _ := strings.Cut(strings.TrimPrefix(part[3], `{"name":"`), `Request"`)
			k.name = name
		}
		if _, after, found := strings.Cut(part[3], `"flexibleVersions":"`); found {
			if from, _, open := strings.Cut(after, `+"`); open {
				if n, err := strconv.ParseInt(from, 10, 16); err == nil {
					k.flexible = int16(n)
				}
			}
		}
	}
	for _, k := range t {
		if k != nil {
			k.compiled[request] = make([]atomic.Pointer[Struct], k.max+1)
			k.compiled[response] = make([]atomic.Pointer[Struct], k.max+1)
		}
	}
	return t
})

func lookup(key int16) *known {
	t := table()
	if key < 0 || int(key) >= len(t) {
		return nil
	}
	return t[key]
}

// Keys returns every api key of the definitions, ascending.
func Keys() []int16 {
	var keys []int16
	for key, k := range table() {
		if k != nil {
			keys = append(keys, int16(key))
		}
	}
	return keys
}

// Known reports whether the definitions have that api key.
func Known(key int16) bool { return lookup(key) != nil }

// Versions returns the lowest and the highest version of an api key that the definitions describe; a version that Kafka
// itself calls unstable is not among them. For an unknown key it returns 0 and -1: a range with nothing in it.
func Versions(key int16) (lo, hi int16) {
	k := lookup(key)
	if k == nil {
		return 0, -1
	}
	return k.min, k.max
}

// Max is the highest version that [Versions] returns, -1 for an unknown key.
func Max(key int16) int16 {
	_, hi := Versions(key)
	return hi
}

// Name is Kafka's name of an api key, e.g. "Metadata"; for an unknown one, "unknown".
func Name(key int16) string {
	if k := lookup(key); k != nil {
		return k.name
	}
	return "unknown"
}

// Request returns the structure of a request's body, or nil if the key or version is not known.
func Request(key, version int16) *Struct { return structure(key, version, request) }

// Response returns the structure of a response's body, or nil if the key or version is not known.
func Response(key, version int16) *Struct { return structure(key, version, response) }

func structure(key, version int16, direction int) *Struct {
	k := lookup(key)
	if k == nil || version < k.min || version > k.max {
		return nil
	}
	slot := &k.compiled[direction][version]
	if s := slot.Load(); s != nil {
		return s
	}
	for _, src := range k.sources[direction] {
		if version < src.lo || version > src.hi {
			continue
		}
		var d definition
		if err := json.Unmarshal([]byte(src.json), &d); err != nil {
			panic(fmt.Sprintf("wire: messages.txt: api key %d: %v", key, err)) // the tests compile every version
		}
		s := compile(&d, version)
		slot.Store(s)
		return s
	}
	return nil
}
