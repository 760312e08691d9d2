package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
)

// prints tell whether files have changed, by path.
type prints map[string]string

// maxPrinted is the size up to which a file is compared by its content. Larger ones, which are revocation lists of public
// CAs, are compared by size and time.
const maxPrinted = 1 << 20

func printsOf(files []string) prints {
	p := make(prints, len(files))
	for _, path := range files {
		p[path] = printOf(path)
	}
	return p
}

func printOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "unreadable"
	}
	if info.Size() > maxPrinted {
		return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (p prints) equal(other prints) bool { return maps.Equal(p, other) }
