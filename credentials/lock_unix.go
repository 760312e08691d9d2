//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package credentials

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockWait bounds how long a writer waits for another: writing takes milliseconds.
const lockWait = 10 * time.Second

// lock keeps other writers out of a folder. It is the folder itself that is locked, so no file stays behind, and the
// lock ends with the process.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockWait); ; {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil // which unlocks
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
		case time.Now().After(deadline):
			return nil, errors.Join(fmt.Errorf("another process has been changing credentials in %s for %s", dir, lockWait), f.Close())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// keepOwner gives a new file the owner of the one it replaces: a gateway that runs as somebody else than the operator
// must be able to read it.
func keepOwner(f *os.File, old os.FileInfo) error {
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok || int(was.Uid) == os.Geteuid() {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("the file belongs to user %d, and would not any more: run as that user: %w", was.Uid, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
