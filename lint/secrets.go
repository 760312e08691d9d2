package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// secretRules are about what whoever reads the document should not learn from it.
var secretRules = []Rule{
	{"security/secret-in-document", plan.Warning, "A secret stands in the document, in an example, a default or a text.", secretInDocument},
}

// shortest is how long a text is at least that holds a secret worth the name.
const shortest = 8

// secret is one that was found.
type secret struct {
	at   asyncapi.Place
	what string
	text string
}

// secretsOf finds the secrets in every string of a document.
func secretsOf(doc *asyncapi.Document) []secret {
	var all []secret
	look := func(s string, at func() asyncapi.Place, forms []secretForm) {
		if len(s) < shortest {
			return
		}
		for i := range forms {
			for _, text := range forms[i].in(s) {
				all = append(all, secret{at(), forms[i].what, text})
			}
		}
	}
	doc.Strings(func(s string, at func() asyncapi.Place) { look(s, at, secretForms) })
	for i := range doc.Servers {
		address := doc.Servers[i].Address()
		look(address.Value, func() asyncapi.Place { return address.Place }, []secretForm{bareUser})
	}
	return all
}

// in are the secrets of this form in a text.
func (form *secretForm) in(s string) []string {
	if !slices.ContainsFunc(form.marks, func(mark string) bool { return strings.Contains(s, mark) }) {
		return nil
	}
	var found []string
	for _, m := range form.pattern.FindAllStringSubmatch(s, -1) {
		if form.real == nil || form.real(m) {
			found = append(found, m[len(m)-1])
		}
	}
	return found
}

// secretInDocument says of each string that holds a secret what it is, and never repeats it.
func secretInDocument(f *finder) {
	secrets := secretsOf(f.doc)
	redact := redactorOf(secrets)
	said := map[asyncapi.Place]bool{}
	for _, s := range secrets {
		if said[s.at] {
			continue
		}
		said[s.at] = true
		s.at.Pointer = redact(s.at.Pointer)
		f.add(s.at, "take it out, change it where it is used, and write a placeholder such as <secret> in its place",
			"%s stands here, for everyone to use who can read the document", s.what)
	}
}

// keyMaterial is a line of the inside of a key in PEM: a problem can point there if the indentation is wrong.
var keyMaterial = regexp.MustCompile(`^\s*["']?[A-Za-z0-9+/]{40,}={0,2}["']?\s*$`)

// HoldsSecret reports whether a line must not be shown. Rather too much is kept back than too little.
func HoldsSecret(line string) bool {
	if keyMaterial.MatchString(line) {
		return true
	}
	for i := range secretForms {
		if len(secretForms[i].in(line)) > 0 {
			return true
		}
	}
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\"',{}[]", r) }) {
		if len(bareUser.in(part)) > 0 {
			return true
		}
	}
	return false
}

// Redactor takes the secrets of a document out of texts that quote it, also where they quote only how one begins. The
// document may be nil.
func Redactor(doc *asyncapi.Document) func(string) string {
	if doc == nil {
		return func(s string) string { return s }
	}
	return redactorOf(secretsOf(doc))
}

func redactorOf(secrets []secret) func(string) string {
	var texts []string
	for _, s := range secrets {
		quoted := strings.Trim(strconv.Quote(s.text), `"`) // as messages show what has several lines
		texts = append(texts, quoted, s.text)
	}
	return func(s string) string {
		for _, text := range texts {
			s = without(s, text)
		}
		return s
	}
}

// without replaces a secret, or as much of its beginning as stands in the text. Twelve characters of it are no accident.
func without(s, secret string) string {
	head := secret[:min(12, len(secret))]
	for from := 0; ; {
		at := strings.Index(s[from:], head)
		if at < 0 {
			return s
		}
		at += from
		end := at
		for end < len(s) && end-at < len(secret) && s[end] == secret[end-at] {
			end++
		}
		s = s[:at] + redacted + s[end:]
		from = at + len(redacted)
	}
}

const redacted = "[secret]"
