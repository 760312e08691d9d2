package credentials

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Edit changes a credentials file: it reads the file, hands it to change, and replaces it at once or not at all, with
// mode 0600 and the same owner. Another Edit of the same file waits. Comments are not kept.
func Edit(path string, change func(*File) error) error {
	target, err := filepath.EvalSymlinks(path) // a link stays a link
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Dir(target))
	if err != nil {
		return err
	}
	defer unlock()
	f, err := Read(target)
	if err != nil {
		return err
	}
	if err := change(f); err != nil {
		return err
	}
	data := encode(f)
	if _, err := decode(path, data); err != nil { // what cannot be read again is never written
		return fmt.Errorf("the change would make the file unreadable:\n%w", err)
	}
	return replace(target, data)
}

// replace writes data beside a file and renames it over the file, so that a reader sees the old or the new, and a
// crash leaves one of the two.
func replace(target string, data []byte) (err error) {
	old, err := os.Stat(target)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	f, err := os.CreateTemp(dir, "."+filepath.Base(target)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, keepOwner(f, old), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	return syncDir(dir)
}
