package main

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/asyncgate/asyncgate/lint"
)

// source is the text of documents, by their names as problems have them. Settings and credentials are never in it:
// somebody may have written a secret where a reference belongs.
type source map[string][]byte

func (s source) keep(name string, data []byte) { s[name] = data }

// keepFiles takes the files over that a document's references name. A reference can name any file in the document's
// folder: those that an operator keeps secrets near are left out, and so is whatever a plan reads besides.
func (s source) keepFiles(one *loaded) {
	if one.doc == nil {
		return
	}
	for _, name := range one.doc.Files {
		base := filepath.Base(name)
		if base == settingsName || base == credentialsName || base == filepath.Base(one.settings) || base == filepath.Base(one.plan.Credentials) {
			continue
		}
		if data, ok := one.doc.Source(name); ok {
			s.keep(name, data)
		}
	}
}

// line is a line of a document, unless a secret stands in it.
func (s source) line(file string, number int) (string, bool) {
	data, ok := s[file]
	for n := 1; ok && n < number; n++ {
		_, data, ok = bytes.Cut(data, []byte("\n"))
	}
	if !ok {
		return "", false
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	text := strings.TrimSuffix(string(line), "\r")
	if number == 1 {
		text = strings.TrimPrefix(text, "\ufeff")
	}
	if lint.HoldsSecret(text) {
		return "", false
	}
	return text, true
}
