package matrix_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/asyncgate/asyncgate/test/matrix"
)

func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results")
	t.Setenv("ASYNCGATE_RESULTS", path)
	r := matrix.New([]string{"scheme", "job"}, "one", "two")
	r.Print() // empty: nothing is written
	r.Note("two", "refused", "B", "login")
	r.Note("one", "accepted", "A", "login")
	r.Note("one", "accepted", "A", "login")
	r.Note("one", "failed", "A", "login")
	r.Print()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "scheme  job    one               two\nA       login  accepted, failed  \nB       login                    refused\n\n"
	if string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}
