package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Create writes a new file without credentials. It fails with [fs.ErrExist] where there is a file already.
func Create(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", fs.ErrExist, path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(encode(&File{}))
	return errors.Join(err, f.Sync(), f.Close())
}
