package asyncapi_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/asyncapi"
)

const head = "asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\n"

// hostile are documents that cost a naive reader time or memory, and the code of the one problem that each gets. An
// empty code means that the document is harmless once it is bounded.
var hostile = []struct {
	name, code string
	make       func() string
}{
	{"more than 4 MiB", "document/too-large", func() string { return head + "x: " + strings.Repeat("x", 4<<20) }},
	{"10 MiB of lines", "document/too-large", func() string { return head + strings.Repeat("- a\n", 10<<18) }},
	{"10 MiB of JSON", "document/too-large", func() string { return `{"a":[` + strings.Repeat("1,", 5<<20) + "1]}" }},
	{"10,000 brackets", "document/too-deep", func() string { return head + "x: " + strings.Repeat("[", 10_000) }},
	{"10,000 braces", "document/too-deep", func() string { return head + "x: " + strings.Repeat("{a: ", 10_000) }},
	{"10,000 dashes", "document/too-deep", func() string { return strings.Repeat("- ", 10_000) + "a" }},
	{"10,000 levels of JSON", "document/too-deep", func() string { return strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) }},
	{"1,000 levels of indentation", "document/too-deep", func() string {
		var b strings.Builder
		for i := range 1000 {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}},
	{"an alias bomb in an extension", "document/too-large", func() string { return head + aliasBomb() }},
	{"an alias bomb as servers", "document/too-large", func() string { return head + bombServers() }},
	{"an alias within its own anchor", "document/reference-cycle", func() string { return head + "servers: &a\n  x: *a\n  y: [*a]\n" }},
	{"a merge key that merges itself", "document/reference-cycle", func() string { return head + "servers: &a\n  <<: *a\n" }},
	{"100,000 keys", "", func() string {
		var b strings.Builder
		b.WriteString(head + "x-keys:\n")
		for i := range 100_000 {
			fmt.Fprintf(&b, "  key%d: value\n", i)
		}
		return b.String()
	}},
	{"a chain of 5,000 references", "document/reference-cycle", func() string {
		var b strings.Builder
		b.WriteString(head + "servers: {a: {$ref: '#/x-0'}}\n")
		for i := range 5000 {
			fmt.Fprintf(&b, "x-%d: {$ref: '#/x-%d'}\n", i, i+1)
		}
		return b.String()
	}},
	{"2,000 broken servers", "document/missing-field", func() string {
		var b strings.Builder
		b.WriteString(head + "servers:\n")
		for i := range 2000 {
			fmt.Fprintf(&b, "  s%d: {}\n", i)
		}
		return b.String()
	}},
	{"an alias bomb as a payload", "document/too-large", func() string {
		return head + aliasBomb() + "components: {messages: {m: {payload: {allOf: *i}}}}\n"
	}},
	{"aliases that are schemas of schemas", "document/too-large", func() string {
		var b strings.Builder
		b.WriteString(head + "x-a: &a {type: object}\n")
		for c := 'b'; c <= 'z'; c++ {
			fmt.Fprintf(&b, "x-%c: &%c {properties: {p: *%c, q: *%c}}\n", c, c, c-1, c-1)
		}
		return b.String() + "components: {schemas: {s: *z}}\n"
	}},
	{"a schema 80 schemas deep, 100 times", "", func() string {
		deep := strings.Repeat("{properties: {p: ", 80) + "{type: string}" + strings.Repeat("}}", 80)
		var b strings.Builder
		b.WriteString(head + "components:\n  schemas:\n")
		for i := range 100 {
			fmt.Fprintf(&b, "    s%d: %s\n", i, deep)
		}
		return b.String()
	}},
	{"1,000 schemas that refer to each other in circles", "", func() string {
		var b strings.Builder
		b.WriteString(head + "components:\n  schemas:\n")
		for i := range 1000 {
			fmt.Fprintf(&b, "    s%d: {properties: {next: {$ref: '#/components/schemas/s%d'}, first: {$ref: '#/components/schemas/s0'}}}\n", i, (i+1)%1000)
		}
		return b.String()
	}},
	{"1,000 messages that are references in a circle", "document/reference-cycle", func() string {
		var b strings.Builder
		b.WriteString(head + "components:\n  messages:\n")
		for i := range 1000 {
			fmt.Fprintf(&b, "    m%d: {$ref: '#/components/messages/m%d'}\n", i, (i+1)%1000)
		}
		return b.String()
	}},
	{"a reference to the whole document for a payload", "", func() string {
		return head + "components: {messages: {m: {payload: {$ref: '#'}}}}\n"
	}},
	{"numbers with a billion digits", "", func() string {
		return head + "components: {schemas: {s: {enum: [1e999999999, 1e999999998, 0x" + strings.Repeat("f", 10_000) + ", .nan, -.inf]}}}\n"
	}},
	{"a list of 20,000 items that have to differ", "document/duplicate-item", func() string {
		return head + "components: {schemas: {s: {required: [" + strings.Repeat("a, ", 20_000) + "a]}}}\n"
	}},
	{"5,000 operations with nothing right", "document/wrong-type", func() string {
		var b strings.Builder
		b.WriteString(head + "operations:\n")
		for i := range 5000 {
			fmt.Fprintf(&b, "  o%d: {actoin: 1, channels: 2, messages: 3, traits: [4, 5]}\n", i)
		}
		return b.String()
	}},
	{"a pattern that backtracks", "", func() string {
		return head + "components: {schemas: {s: {pattern: '" + strings.Repeat("(a*)*", 2000) + "b'}}}\n"
	}},
	{"bytes that are no UTF-8", "document/syntax", func() string { return head + "x: \xff\xfe" }},
	{"a NUL", "document/syntax", func() string { return head + "x: \x00" }},
	{"a gzip file", "document/syntax", func() string { return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" }},
}

// aliasBomb stands for 10^9 strings.
func aliasBomb() string {
	var b strings.Builder
	b.WriteString("x-a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for c := 'b'; c <= 'i'; c++ {
		fmt.Fprintf(&b, "x-%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	return b.String()
}

// bombServers are 300 servers of 300 variables of 300 values, in a few lines each.
func bombServers() string {
	var b strings.Builder
	b.WriteString("x-values: &values [" + strings.Repeat("v, ", 300) + "v]\nx-variable: &variable {enum: *values}\nx-variables: &variables\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  v%d: *variable\n", i)
	}
	b.WriteString("x-server: &server {host: 'a:1', protocol: kafka, variables: *variables}\nservers:\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  s%d: *server\n", i)
	}
	return b.String()
}

// On an idle machine each takes under 200 ms. The bound in time is loose, for machines that are not; what is not bounded
// takes minutes or gigabytes.
func TestHostileDocumentsEndFast(t *testing.T) {
	const (
		mostTime   = 10 * time.Second
		mostMemory = 96 << 20
	)
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			data := []byte(h.make())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			doc, problems := asyncapi.Read("hostile.yml", data)
			if doc != nil {
				problems = append(problems, doc.Validate()...)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes: %v, %d KiB allocated, %d problems", len(data), took.Round(time.Millisecond), allocated>>10, len(problems))
			if took > mostTime || allocated > mostMemory {
				t.Errorf("took %v and %d MiB", took, allocated>>20)
			}
			switch {
			case h.code == "" && len(problems) > 0:
				t.Errorf("problem %+v", problems[0])
			case h.code != "" && (len(problems) == 0 || problems[0].Code != h.code):
				t.Errorf("want %s, got %.3v", h.code, problems)
			}
			if len(problems) > 100 {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}
