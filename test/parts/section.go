package parts

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Section is the part of a file of the project between the lines <!-- NAME:begin … and <!-- NAME:end -->: a page of the
// documentation may be made from several places.
func Section(t testing.TB, name string, elem ...string) string {
	t.Helper()
	_, section, _ := cutSection(t, name, Path(t, elem...))
	return section
}

// WriteSection puts other text there.
func WriteSection(t testing.TB, text, name string, elem ...string) {
	t.Helper()
	path := Path(t, elem...)
	before, _, after := cutSection(t, name, path)
	if err := os.WriteFile(path, []byte(before+text+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func cutSection(t testing.TB, name, path string) (before, section, after string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := strings.Index(string(text), "<!-- "+name+":begin")
	end := strings.Index(string(text), fmt.Sprintf("<!-- %s:end -->", name))
	if begin < 0 || end < begin {
		t.Fatalf("%s has no section %s", path, name)
	}
	begin += strings.IndexByte(string(text[begin:]), '\n') + 1
	return string(text[:begin]), string(text[begin:end]), string(text[end:])
}
