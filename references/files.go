// Package references opens the files of an AsyncAPI document that is split by references: those in the folder of the
// document, and remote ones that the user allowed.
//
// A document may come from anywhere (`asyncgate check` judges pull requests), so what it can make the machine open is
// bounded: nothing out of the document's folder, not through symbolic links either, and nothing remote unless asked for.
package references

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
)

// Stdin is how a document from standard input is called. Its folder is the working directory.
const Stdin = "<stdin>"

// Files are the files of one document. They satisfy asyncapi.Files.
type Files struct {
	document string // its name, as it was given
	dir      string // its folder, as it was given
	base     string // its name in the folder; empty for standard input
	remote   *Remote
}

// Beside gives the files of a document. With nil remote, none but local ones are opened.
func Beside(document string, remote *Remote) *Files {
	f := &Files{document: document, dir: filepath.Dir(document), base: filepath.Base(document), remote: remote}
	if document == Stdin {
		f.dir, f.base = ".", ""
	}
	return f
}

// Local reports whether a name that Files gave is that of a file on this machine.
func Local(name string) bool { return !remoteName.MatchString(name) }

var (
	remoteName = regexp.MustCompile(`^https?://`)
	scheme     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`) // a drive letter looks like one, and is refused as well
)

// Name implements asyncapi.Files.
func (f *Files) Name(from, reference string) (string, error) {
	if !Local(from) || remoteName.MatchString(strings.ToLower(reference)) {
		return f.remote.name(from, reference)
	}
	if scheme.MatchString(reference) || strings.HasPrefix(reference, "/") || strings.Contains(reference, `\`) {
		return "", &asyncapi.Refused{Reason: "it is no path relative to the file it stands in",
			Hint: "write a path such as ./common/servers.yaml, with / between folders"}
	}
	decoded, err := url.PathUnescape(reference)
	if err != nil {
		return "", errors.New("its percent-encoding is wrong")
	}
	inside, err := filepath.Rel(f.dir, from)
	if err != nil || from == f.document {
		inside = f.base
	}
	name := path.Join(path.Dir(filepath.ToSlash(inside)), decoded)
	if strings.HasPrefix(decoded, "/") || !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", &asyncapi.Refused{Reason: "it leads out of the folder of the document",
			Hint: "keep what the document refers to beside it or below, or bundle the files into one document"}
	}
	if name == f.base {
		return f.document, nil
	}
	return filepath.Join(f.dir, filepath.FromSlash(name)), nil
}

// Read implements asyncapi.Files.
func (f *Files) Read(name string, limit int) ([]byte, error) {
	if !Local(name) {
		return f.remote.read(name, limit)
	}
	root, err := os.OpenRoot(f.dir) // whatever a path or a symbolic link says, this stays in the folder
	if err != nil {
		return nil, reason(err)
	}
	defer root.Close()
	inside, err := filepath.Rel(f.dir, name)
	if err != nil {
		return nil, err
	}
	if info, err := root.Stat(inside); err != nil {
		return nil, reason(err)
	} else if !info.Mode().IsRegular() { // opening a named pipe would wait for ever
		return nil, errors.New("it is no file")
	}
	file, err := root.Open(inside)
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, reason(err)
	}
	return data, nil
}

// reason is what went wrong with a file, without its path.
func reason(err error) error {
	failed := (*fs.PathError)(nil)
	if !errors.As(err, &failed) {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no such file")
	}
	if strings.Contains(failed.Err.Error(), "escapes") { // os.Root has no error of its own for it
		return &asyncapi.Refused{Reason: "a symbolic link leads out of the folder of the document", Hint: "put the file itself there"}
	}
	return fmt.Errorf("%w", failed.Err)
}
