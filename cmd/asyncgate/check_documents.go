package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// expand makes paths of the arguments of check. Patterns are expanded here, for shells that do not. Several is whether
// more than one document was asked for, which a pattern does even where it finds one. Each document comes once.
func expand(args []string) (paths []string, several bool, missing []error) {
	several = len(args) > 1
	for _, arg := range args {
		found := []string{arg}
		var err error
		switch info, statErr := os.Stat(arg); {
		case arg == "-":
		case statErr == nil && info.IsDir():
			found, err = nil, fmt.Errorf("%s is a directory: name the documents in it, such as %q", arg, filepath.Join(arg, "*.yml"))
		case statErr != nil && strings.ContainsAny(arg, `*?[`):
			several = true
			found, err = glob(arg)
		}
		if err != nil {
			missing = append(missing, err)
		}
		for _, path := range found {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths, several, missing
}

// glob finds the files that a pattern matches, in alphabetical order. A part of it that is ** stands for any number of
// directories, but not for hidden ones.
func glob(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("%s is no pattern: a [ without its ]", pattern)
	}
	var files []string
	matches, err := everything(pattern)
	for _, path := range matches {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s matches no file", pattern))
	}
	slices.Sort(files)
	return files, nil
}

func everything(pattern string) ([]string, error) {
	root, rest, deep := strings.Cut(filepath.ToSlash(pattern), "**/")
	if !deep || root != "" && !strings.HasSuffix(root, "/") {
		return filepath.Glob(pattern)
	}
	if strings.Contains(rest, "**") {
		return nil, fmt.Errorf("%s: ** may stand once in a pattern", pattern)
	}
	tops := []string{"."}
	if root != "" {
		var err error
		if tops, err = filepath.Glob(filepath.FromSlash(strings.TrimSuffix(root, "/"))); err != nil {
			return nil, err
		}
	}
	var found []string
	for _, top := range tops {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil && path == top:
				return err
			case err != nil: // a directory that may not be read has no documents for us
				return fs.SkipDir
			case !entry.IsDir():
				return nil
			case path != top && strings.HasPrefix(entry.Name(), "."):
				return fs.SkipDir
			}
			below, err := filepath.Glob(filepath.Join(escapeGlob(path), filepath.FromSlash(rest)))
			found = append(found, below...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(found))), nil
}

// escapeGlob keeps a directory's name from being read as a pattern. Windows has no escape, and no such names either.
func escapeGlob(path string) string {
	if filepath.Separator == '\\' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
