package asyncapi_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
)

// largest is the largest document of test/corpus.
const largest = "../test/corpus/documents/spec-json-schemas/docs/3.0.0/streetlights-all.json"

// What check pays for one document, the schema of its version included.
func BenchmarkFirstDocument(b *testing.B) {
	data := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		runtime.GC() // lets go of the schema
		doc, _ := asyncapi.Read("d.yml", data)
		doc.Validate()
	}
}

// What it pays for one more.
func BenchmarkNextDocument(b *testing.B) {
	data := benchmarked(b)
	kept, _ := asyncapi.Read("d.yml", data)
	kept.Validate()
	b.ReportAllocs()
	for b.Loop() {
		doc, _ := asyncapi.Read("d.yml", data)
		doc.Validate()
	}
	runtime.KeepAlive(kept)
}

func benchmarked(b *testing.B) []byte {
	b.Helper()
	data, err := os.ReadFile(largest)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	return data
}
