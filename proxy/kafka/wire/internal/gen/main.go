// Command gen compacts Apache Kafka's message definitions into the one file that package wire embeds.
//
//	go run ./internal/gen -out messages.txt kafka-clients-4.4.0.jar kafka-clients-3.9.2.jar
//
// The jars are read newest first. A later one only adds the versions that the earlier ones no longer describe: Kafka
// 4.0 removed many old versions that brokers of 3.x still speak.
package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// message is one definition as Kafka writes it; encoding/json drops what is not named here (about, ignorable, …).
type message struct {
	Key      *int    `json:"apiKey"`
	Type     string  `json:"type"`
	Name     string  `json:"name"`
	Valid    string  `json:"validVersions"`
	Flexible string  `json:"flexibleVersions"`
	Unstable bool    `json:"latestVersionUnstable"`
	Fields   []field `json:"fields"`
	Structs  []field `json:"commonStructs"`
}

// field is also the form that is written.
type field struct {
	Name     string `json:"name"`
	Type     string `json:"type,omitempty"`
	Versions string `json:"versions"`
	Nullable string `json:"nullableVersions,omitempty"`
	// Tag is quoted in a few definitions and json.Number takes both.
	Tag     *json.Number `json:"tag,omitempty"`
	Tagged  string       `json:"taggedVersions,omitempty"`
	Default any          `json:"default,omitempty"`
	Fields  []field      `json:"fields,omitempty"`
}

// line is one line of the output: the definition of an inclusive range of versions.
type line struct {
	key      int
	response bool
	lo, hi   int
	body     []byte
}

const header = `# Apache Kafka's message definitions (common/message/*.json of kafka-clients), compacted by internal/gen from
# %s.
# Licensed to the Apache Software Foundation (ASF) under the Apache License, Version 2.0; see LICENSE and the NOTICE
# beside this file. Comments, descriptions and unstable versions were left out.
# api key, direction, versions, definition
`

func main() {
	out := flag.String("out", "messages.txt", "file to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string, jars []string) error {
	if len(jars) == 0 {
		return errors.New("no jar given; name the kafka-clients jars, newest first")
	}
	var lines []line
	var names []string
	for _, jar := range jars {
		names = append(names, filepath.Base(jar))
		found, err := read(jar)
		if err != nil {
			return fmt.Errorf("%s: %w", jar, err)
		}
		for _, l := range found {
			if l = uncovered(l, lines); l.lo <= l.hi {
				lines = append(lines, l)
			}
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.key, b.key), compareBool(a.response, b.response), cmp.Compare(a.lo, b.lo))
	})
	var b bytes.Buffer
	fmt.Fprintf(&b, header, strings.Join(names, " and "))
	for _, l := range lines {
		direction := "request"
		if l.response {
			direction = "response"
		}
		fmt.Fprintf(&b, "%d %s %d-%d %s\n", l.key, direction, l.lo, l.hi, l.body)
	}
	return os.WriteFile(out, b.Bytes(), 0o644) //nolint:gosec // a source file
}

// uncovered cuts off a definition the versions that newer ones have described already.
func uncovered(l line, newer []line) line {
	for _, n := range newer {
		if n.key == l.key && n.response == l.response && n.lo <= l.hi {
			l.hi = n.lo - 1
		}
	}
	return l
}

// read returns the definitions of one jar that have an api key and a stable version.
func read(jar string) ([]line, error) {
	z, err := zip.OpenReader(jar)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	type id struct {
		key      int
		response bool
	}
	unstable := map[int]bool{} // only requests say that their latest version is unstable; it holds for both directions
	found := map[id]message{}
	for _, f := range z.File {
		if ok, _ := path.Match("common/message/*.json", f.Name); !ok {
			continue
		}
		m, err := parse(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if m.Key == nil || m.Valid == "none" {
			continue
		}
		unstable[*m.Key] = unstable[*m.Key] || m.Unstable
		found[id{*m.Key, m.Type == "response"}] = m
	}
	var lines []line
	for id, m := range found {
		l := line{key: id.key, response: id.response}
		if l.lo, l.hi, err = span(m.Valid); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if unstable[id.key] {
			l.hi--
		}
		l.body, err = json.Marshal(struct {
			Name     string  `json:"name"`
			Flexible string  `json:"flexibleVersions"`
			Fields   []field `json:"fields"`
			Structs  []field `json:"commonStructs,omitempty"`
		}{m.Name, m.Flexible, m.Fields, m.Structs})
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// comment is what Kafka's own generator allows beyond JSON. No string in the definitions contains "//" after a space.
var comment = regexp.MustCompile(`(?m)(^|\s)//.*$`)

func parse(f *zip.File) (m message, err error) {
	r, err := f.Open()
	if err != nil {
		return m, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(comment.ReplaceAll(text, nil), &m)
	return m, err
}

// span reads "3" or "3-7".
func span(s string) (lo, hi int, err error) {
	from, to, ranged := strings.Cut(s, "-")
	if lo, err = strconv.Atoi(from); err != nil {
		return 0, 0, err
	}
	if !ranged {
		return lo, lo, nil
	}
	hi, err = strconv.Atoi(to)
	return lo, hi, err
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
