// Package credentials keeps who may log in, in one YAML file: users with SCRAM verifiers, API keys by their hash,
// certificates by a rule. The file holds nothing that logs anybody in.
//
// [Open] reads the file into a [Store], which a gateway's mechanisms ask; a store never changes, a reload is another
// Open. [Edit] changes the file. The format is strict: whatever is wrong with one line refuses the whole file, with
// the number of every such line, so that a half-written file never means fewer credentials, or other ones.
package credentials

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// maxFile bounds the file: 100,000 users with both verifiers have 46 MB.
const maxFile = 128 << 20

// Open reads a credentials file. An empty path is an empty store. The error lists everything that is wrong with the
// file as [Problems], or is that of the system, such as [fs.ErrNotExist].
func Open(path string) (*Store, error) {
	if path == "" {
		return newStore(&File{}), nil
	}
	f, err := Read(path)
	if err != nil {
		return nil, err
	}
	return newStore(f), nil
}

// Parse is Open for bytes; name is for the problems.
func Parse(name string, data []byte) (*Store, error) {
	f, err := decode(name, data)
	if err != nil {
		return nil, err
	}
	return newStore(f), nil
}

// Read reads a credentials file for listing. To change it, use [Edit].
func Read(path string) (*File, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	return decode(path, data)
}

// readPrivate reads a regular file that nobody but its owner may read.
func readPrivate(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // before Open, which waits for a pipe's other end
		return nil, Problems{{File: path, Message: "not a regular file"}}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if p := inspect(path, info); p != nil {
		return nil, Problems{*p}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return data, nil
}

// inspect judges a file by what it is, before its first byte.
func inspect(path string, info fs.FileInfo) *Problem {
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return &Problem{File: path, Message: "not a regular file"}
	case runtime.GOOS != "windows" && mode.Perm()&0o077 != 0:
		return &Problem{File: path, Message: fmt.Sprintf("others may read or change it (mode %#o)", mode.Perm()),
			Hint: "chmod 600 " + path}
	}
	return nil
}

// IsRefused reports whether an error of Open or Edit is about the file's contents or mode, not about the system.
func IsRefused(err error) bool {
	return errors.As(err, new(Problems))
}
