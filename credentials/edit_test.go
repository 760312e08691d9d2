package credentials

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// newFile makes an empty credentials file.
func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials.yaml")
	must(t, Create(path))
	return path
}

func TestCreate(t *testing.T) {
	path := newFile(t)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	if _, err := Open(path); err != nil {
		t.Error(err)
	}
	if err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an existing file: %v", err)
	}
}

func TestOpenRefusesAFileOthersMayRead(t *testing.T) {
	path := newFile(t)
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o660, 0o601, 0o620} {
		must(t, os.Chmod(path, mode))
		var problems Problems
		if _, err := Open(path); !errors.As(err, &problems) || !strings.Contains(problems[0].Hint, "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := Edit(path, func(*File) error { return nil }); !IsRefused(err) {
			t.Errorf("mode %o, to edit: %v", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		must(t, os.Chmod(path, mode))
		if _, err := Open(path); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	if _, err := Open(t.TempDir()); !IsRefused(err) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) || IsRefused(err) {
		t.Errorf("no file: %v", err)
	}
}

func TestEditReplacesTheFileOrLeavesIt(t *testing.T) {
	path := newFile(t)
	must(t, Edit(path, func(f *File) error { return f.AddUser("alice", "x", 0, Grant{}) }))
	before, err := os.ReadFile(path)
	must(t, err)
	was, err := os.Stat(path)
	must(t, err)

	failure := errors.New("changed my mind")
	for name, change := range map[string]func(*File) error{
		"the change fails":     func(f *File) error { f.Users = nil; return failure },
		"it cannot be read":    func(f *File) error { f.Users[0].Name = "agk_x"; return nil },
		"it has a user twice":  func(f *File) error { f.Users = append(f.Users, f.Users[0]); return nil },
		"it has a broken salt": func(f *File) error { f.Users[0].Verifiers[0].Salt = nil; return nil },
	} {
		if err := Edit(path, change); err == nil {
			t.Errorf("%s, and it was written", name)
		}
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if string(after) != string(before) {
		t.Error("the file changed")
	}

	must(t, Edit(path, func(f *File) error { return f.Revoke("alice") }))
	is, err := os.Stat(path)
	must(t, err)
	if os.SameFile(was, is) || is.Mode().Perm() != 0o600 {
		t.Errorf("not a new file of mode 600: %o", is.Mode().Perm())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestEditKeepsALink(t *testing.T) {
	path := newFile(t)
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	must(t, Edit(link, func(f *File) error { return f.AddUser("alice", "x", 0, Grant{}) }))
	if target, err := os.Readlink(link); err != nil || target != path {
		t.Errorf("%s, %v", target, err)
	}
	f, err := Read(path)
	must(t, err)
	if len(f.Users) != 1 {
		t.Error("the change went elsewhere")
	}
}

func TestEditOfABrokenFileLeavesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.yaml")
	must(t, os.WriteFile(path, []byte("version: 1\nusers: [\n"), 0o600))
	if err := Edit(path, func(f *File) error { return f.AddUser("alice", "x", 0, Grant{}) }); !IsRefused(err) {
		t.Error(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "version: 1\nusers: [\n" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestWritersTakeTurns(t *testing.T) {
	path := newFile(t)
	const writers = 12
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			if err := Edit(path, func(f *File) error {
				_, err := f.AddKey("key-"+strconv.Itoa(n), Grant{})
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for reading := true; reading; { // meanwhile every reader sees a whole file
		select {
		case <-done:
			reading = false
		default:
		}
		if _, err := Open(path); err != nil {
			t.Error(err)
		}
	}
	f, err := Read(path)
	must(t, err)
	if len(f.Keys) != writers {
		t.Errorf("%d of %d changes are there", len(f.Keys), writers)
	}
}

func TestChangesAreRefused(t *testing.T) {
	f := &File{}
	must(t, f.AddUser("alice", "x", 0, Grant{}))
	_, err := f.AddKey("alice", Grant{}) // one principal, two ways in
	must(t, err)
	for name, c := range map[string]struct{ got, want error }{
		"a user twice":            {f.AddUser("alice", "y", 0, Grant{}), ErrExists},
		"verifiers of a user":     {f.AddVerifiers("alice", nil, Grant{}), ErrExists},
		"rotating a stranger":     {f.RotateUser("bob", "x", 0, 0), ErrNotFound},
		"revoking a stranger":     {f.Revoke("bob"), ErrNotFound},
		"revoking another kind":   {f.Revoke("alice", "certificate"), ErrNotFound},
		"too few iterations":      {f.AddUser("bob", "x", 100, Grant{}), nil},
		"too many iterations":     {f.AddUser("bob", "x", 1_000_000, Grant{}), nil},
		"no password":             {f.AddUser("bob", "", 0, Grant{}), nil},
		"a password like a key":   {f.AddUser("bob", "agk_x", 0, Grant{}), nil},
		"a password of 1025":      {f.AddUser("bob", strings.Repeat("x", 1025), 0, Grant{}), nil},
		"a password with a NUL":   {f.AddUser("bob", "a\x00b", 0, Grant{}), nil},
		"a name like a key":       {f.AddUser("agk_x", "x", 0, Grant{}), nil},
		"an empty name":           {f.AddUser("", "x", 0, Grant{}), nil},
		"a certificate for no DN": {f.AddCertificate("bob", nil, Grant{}), nil},
		"no password to rotate":   {f.RotateUser("alice", "", 0, time.Hour), nil},
	} {
		if c.got == nil || c.want != nil && !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
	if len(f.Users) != 1 || len(f.Keys) != 1 || len(f.Certificates) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestEarlierSecretsAreFew(t *testing.T) {
	f := &File{}
	must(t, f.AddUser("alice", "x", 0, Grant{}))
	_, err := f.AddKey("alice", Grant{})
	must(t, err)
	for range maxPrevious {
		must(t, f.RotateUser("alice", "x", 0, time.Hour))
		_, err := f.RotateKey("alice", time.Hour)
		must(t, err)
	}
	storeOf(t, f)
	if err := f.RotateUser("alice", "x", 0, time.Hour); err == nil {
		t.Error("a fifth earlier password")
	}
	if _, err := f.RotateKey("alice", time.Hour); err == nil {
		t.Error("a fifth earlier key")
	}
	must(t, f.RotateUser("alice", "x", 0, 0))
	if len(f.Users[0].Previous) != 0 {
		t.Error("rotated without keeping, and earlier ones are kept")
	}
}

func TestGeneratedSecretsAreRandom(t *testing.T) {
	seen, letters := map[string]bool{}, map[rune]int{}
	for range 1000 {
		password := NewPassword()
		if seen[password] || len(password) != 43 {
			t.Fatal(password)
		}
		seen[password] = true
		for _, r := range password {
			letters[r]++
		}
	}
	if len(letters) != 62 {
		t.Errorf("%d different characters", len(letters))
	}
	for r, n := range letters { // 694 on average, standard deviation 26
		if n < 500 || n > 900 {
			t.Errorf("%q came %d times", r, n)
		}
	}
}
