package credentials

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// header begins every file this package writes.
const header = `# Who may log in through asyncgate. Nothing here logs anybody in: passwords are kept as SCRAM verifiers (RFC 5803), API
# keys as SHA-256. It is still worth guarding, for a weak password can be guessed from its verifier: mode 0600.
# Change it with: asyncgate credentials (which writes the whole file anew: comments of your own would be lost).
`

// encode writes a file as [decode] reads it.
func encode(f *File) []byte {
	var w writer
	w.WriteString(header)
	w.WriteString("version: 1\n")
	w.list("users", len(f.Users), func(i int) { w.user(f.Users[i]) })
	w.list("keys", len(f.Keys), func(i int) { w.key(f.Keys[i]) })
	w.list("certificates", len(f.Certificates), func(i int) { w.certificate(f.Certificates[i]) })
	w.WriteString(endMark + "\n")
	return []byte(w.String())
}

type writer struct{ strings.Builder }

func (w *writer) list(name string, n int, item func(int)) {
	if n == 0 {
		w.WriteString(name + ": []\n")
		return
	}
	w.WriteString(name + ":\n")
	for i := range n {
		item(i)
	}
}

func (w *writer) user(u *User) {
	w.entry(&u.Entry)
	w.verifiers("    ", u.Verifiers)
	if len(u.Previous) > 0 {
		w.WriteString("    previous:\n")
	}
	for _, p := range u.Previous {
		w.WriteString("      - until: " + moment(p.Until) + "\n")
		w.moment("        since", p.Since)
		w.verifiers("        ", p.Verifiers)
	}
}

func (w *writer) verifiers(indent string, verifiers []Verifier) {
	if len(verifiers) == 0 {
		return
	}
	w.WriteString(indent + "verifiers:\n")
	for _, v := range verifiers {
		w.WriteString(indent + "  - " + v.String() + "\n")
	}
}

func (w *writer) key(k *Key) {
	w.entry(&k.Entry)
	w.WriteString("    id: " + scalar(k.ID) + "\n")
	if len(k.Hash) > 0 {
		w.WriteString("    sha256: " + base64.StdEncoding.EncodeToString(k.Hash) + "\n")
	}
	if len(k.Previous) > 0 {
		w.WriteString("    previous:\n")
	}
	for _, p := range k.Previous {
		w.WriteString("      - until: " + moment(p.Until) + "\n")
		w.moment("        since", p.Since)
		w.WriteString("        id: " + scalar(p.ID) + "\n")
		w.WriteString("        sha256: " + base64.StdEncoding.EncodeToString(p.Hash) + "\n")
	}
}

func (w *writer) certificate(c *Certificate) {
	w.entry(&c.Entry)
	w.WriteString("    match:\n")
	for _, r := range c.Match {
		w.WriteString("      - " + scalar(r.String()) + "\n")
	}
}

func (w *writer) entry(e *Entry) {
	w.WriteString("  - name: " + scalar(e.Name) + "\n")
	w.moment("    since", e.Since)
	w.moment("    expires", e.Expires)
	w.moment("    revoked", e.Revoked)
	if len(e.Scopes) > 0 {
		var scopes []string
		for _, s := range e.Scopes {
			scopes = append(scopes, scalar(s))
		}
		w.WriteString("    scopes: [" + strings.Join(scopes, ", ") + "]\n")
	}
	if len(e.Attributes) > 0 {
		w.WriteString("    attributes:\n")
		for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
			w.WriteString("      " + scalar(name) + ": " + quoted(e.Attributes[name]) + "\n")
		}
	}
}

func (w *writer) moment(key string, t time.Time) {
	if !t.IsZero() {
		w.WriteString(key + ": " + moment(t) + "\n")
	}
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plain are texts that YAML reads as themselves without quotes: a letter first, and none of its words.
var (
	plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/@-]*(=[A-Za-z0-9._/@-]+)?$`)
	words = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|y|n|null)$`)
)

func scalar(s string) string {
	if plain.MatchString(s) && !words.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted is a string of JSON, which YAML reads too.
func quoted(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
