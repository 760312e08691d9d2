package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/test/dialogue"
)

// vector is one hostile input with its expected outcome: a dialogue, and above its first step
//
//	audit STAGE CODE    the one record that refuses it; "audit none" where nothing is refused
//	upstream NAME …     a request that reaches the broker, and what it names; left out: nothing does
//	each key but 17 18 36
//	each key of 4 5 6   one vector for each of these API keys; in the dialogue {key} is the key, {max} and {above} are the
//	                    highest version that is known of it and one more
type vector struct {
	class string
	*dialogue.Dialogue
	stage, code string   // of the audit record; empty: there is none
	upstream    []string // what reaches the broker
}

// vectors reads the classes whose files match a pattern.
func vectors(t testing.TB, pattern string) []vector {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern+".txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors for %s: %v", pattern, err)
	}
	var all []vector
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		expanded, err := expand(string(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		file, err := dialogue.Parse(expanded, "audit", "upstream")
		if err != nil {
			t.Fatalf("%s, expanded: line %v", path, err)
		}
		for _, d := range file.Dialogues {
			v := vector{class: strings.TrimSuffix(filepath.Base(path), ".txt"), Dialogue: d}
			if err := v.readHeader(); err != nil {
				t.Fatalf("%s: %s: %v", path, d.Name, err)
			}
			all = append(all, v)
		}
	}
	return all
}

func (v *vector) readHeader() error {
	for _, line := range v.Header[min(1, len(v.Header)):] {
		request, ok := strings.CutPrefix(line, "upstream ")
		if !ok {
			return fmt.Errorf("%q is a second audit line", line)
		}
		v.upstream = append(v.upstream, request)
	}
	if len(v.Header) == 0 || !strings.HasPrefix(v.Header[0], "audit ") {
		return fmt.Errorf("needs an audit line first")
	}
	switch words := strings.Fields(v.Header[0])[1:]; {
	case len(words) == 2:
		v.stage, v.code = words[0], words[1]
	case len(words) != 1 || words[0] != "none":
		return fmt.Errorf("%q is neither STAGE CODE nor none", v.Header[0])
	}
	return nil
}

// expand writes out the dialogues that stand for one of each API key.
func expand(text string) (string, error) {
	var out strings.Builder
	for i, block := range strings.Split("\n"+text, "\n== ") {
		if i > 0 {
			block = "\n== " + block
		}
		_, which, found := strings.Cut(block, "\neach key ")
		if !found {
			out.WriteString(block)
			continue
		}
		which, _, _ = strings.Cut(which, "\n")
		keys, err := keysOf(which)
		if err != nil {
			return "", err
		}
		block = strings.Replace(block, "\neach key "+which, "", 1)
		for _, key := range keys {
			highest := 0
			if r := kmsg.RequestForKey(key); r != nil {
				highest = int(r.MaxVersion())
			}
			out.WriteString(strings.NewReplacer("{key}", strconv.Itoa(int(key)),
				"{max}", strconv.Itoa(highest), "{above}", strconv.Itoa(highest+1)).Replace(block))
		}
	}
	return out.String(), nil
}

// keysOf reads which keys are meant: "but 17 18" or "of 4 5".
func keysOf(which string) ([]int16, error) {
	words := strings.Fields(which)
	if len(words) < 2 {
		return nil, fmt.Errorf("%q names no keys", which)
	}
	var named, all []int16
	for _, w := range words[1:] {
		key, err := strconv.ParseInt(w, 10, 16)
		if err != nil {
			return nil, err
		}
		named = append(named, int16(key))
	}
	if words[0] == "of" {
		return named, nil
	}
	for key := range int16(kmsg.MaxKey + 1) {
		if !slices.Contains(named, key) {
			all = append(all, key)
		}
	}
	return all, nil
}
