package credentials

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the expected problems anew")

// Every file of testdata/bad is refused as a whole, with the problems that stand beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			store, err := Parse("credentials.yaml", data)
			var problems Problems
			if !errors.As(err, &problems) || store != nil {
				t.Fatalf("not refused: %v", err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Error(diff)
			}
			for _, secret := range []string{"hunter2", "OJx3kHi8", "MC4CAQ", "fd1208341"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the problems show %s", secret)
				}
			}
		})
	}
}

func TestGoodFile(t *testing.T) {
	data, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := decode("good.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Users) != 4 || len(f.Keys) != 2 || len(f.Certificates) != 3 {
		t.Fatalf("%d users, %d keys, %d certificates", len(f.Users), len(f.Keys), len(f.Certificates))
	}
	for name, data := range map[string][]byte{
		"with CRLF":             bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")),
		"with more blank lines": bytes.ReplaceAll(data, []byte("\n"), []byte("\n\n")),
		"written by ourselves":  encode(f),
	} {
		again, err := decode(name, data)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(f, again, cmpopts.IgnoreFields(Entry{}, "line"), cmp.AllowUnexported(Rule{}, attribute{}, Entry{}),
			cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzCredentials checks that what is read can be written and read again, and that reading does not panic.
func FuzzCredentials(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/good.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := decode("x", data)
		if err != nil {
			if problems := (Problems)(nil); !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("an error that is no list of problems: %v", err)
			}
			return
		}
		newStore(file)
		text := encode(file)
		again, err := decode("x", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !bytes.Equal(text, encode(again)) {
			t.Errorf("not stable:\n%s\n%s", text, encode(again))
		}
	})
}

// The file that docs/credentials.md shows is one.
func TestTheDocumentedFileIsRead(t *testing.T) {
	page, err := os.ReadFile("../docs/credentials.md")
	must(t, err)
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, ok := strings.Cut(text, "```")
	if !ok {
		t.Fatal("the page shows no file")
	}
	if _, err := decode("docs/credentials.md", []byte(text)); err != nil {
		t.Error(err)
	}
}
