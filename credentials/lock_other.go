//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// lock keeps other writers out of a folder, by a file that exists while one is at work.
func lock(dir string) (unlock func(), err error) {
	name := filepath.Join(dir, ".asyncgate-credentials.lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("another process is changing credentials here; if none is, remove %s", name)
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = errors.Join(f.Close(), os.Remove(name)) }, nil
}

func keepOwner(*os.File, os.FileInfo) error { return nil }

func syncDir(string) error { return nil }
