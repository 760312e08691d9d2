package lint

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// secretRules are about what whoever reads the document should not learn from it.
var secretRules = []Rule{
	{"security/secret-in-document", plan.Warning, "A secret stands in the document, in an example, a default or a text.", secretInDocument},
}

// secretForm is a secret that can be told from everything else by its form alone.
type secretForm struct {
	what    string
	marks   []string       // one of them is part of every match: looking for them is far cheaper
	pattern *regexp.Regexp // its last group, or else all of it, is the secret
	real    func(match []string) bool
}

// secretForms have as good as no accidental matches. Issuers give their keys such prefixes so that they can be found.
var secretForms = []secretForm{
	{"a private key", []string{"PRIVATE KEY-----"}, regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\s]*`), nil},
	{"a JSON Web Token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`), isJWT},
	{"an API key of asyncgate", []string{sasl.KeyPrefix}, regexp.MustCompile(regexp.QuoteMeta(sasl.KeyPrefix) + `[A-Za-z0-9]{` + strconv.Itoa(sasl.KeyIDLength) +
		`}_[A-Za-z0-9]{` + strconv.Itoa(sasl.KeySecretLength) + `}`), nil},
	{"an access key of AWS", []string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), notExample},
	{"a token of GitHub", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}, regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{70,})`), nil},
	{"a token of GitLab", []string{"glpat-"}, regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`), nil},
	{"a token of Slack", []string{"xox"}, regexp.MustCompile(`\bxox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{16,}`), nil},
	{"a key of Stripe", []string{"k_live_"}, regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{20,}`), nil},
	{"a key of Google", []string{"AIza"}, regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`), nil},
	{"a token of npm", []string{"npm_"}, regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`), nil},
	{"a token of PyPI", []string{"pypi-AgEI"}, regexp.MustCompile(`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}`), nil},
	{"a key of SendGrid", []string{"SG."}, regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`), nil},
	{"a key of Azure", []string{"SharedAccessKey=", "AccountKey="}, regexp.MustCompile(`\b(?:SharedAccessKey|AccountKey)=([A-Za-z0-9+/]{43,}={1,2})`), nil},
	{"a password in a URL", []string{"@"}, regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>{}$\[\]]+:([^\s/@"'<>{}$\[\]]+)@`), notPlaceholder},
}

// bareUser is a password before a host that stands without a URL scheme, as servers are written.
var bareUser = secretForm{"a password in an address", []string{"@"}, regexp.MustCompile(`^([^\s/:@"'<>{}$\[\]]+):([^\s/@"'<>{}$\[\]]+)@`), notPlaceholder}

// shortest is the length of the shortest text that holds one: a://b:c@ or u:passw@h. What is shorter is no secret worth the name.
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

// isJWT looks whether the first part is a header of JOSE: others begin with the same letters.
func isJWT(m []string) bool {
	head, _, _ := strings.Cut(m[0], ".")
	data, err := base64.RawURLEncoding.DecodeString(head)
	var header struct{ Alg string }
	return err == nil && json.Unmarshal(data, &header) == nil && header.Alg != ""
}

// notExample leaves out the keys that AWS itself shows in its documentation.
func notExample(m []string) bool { return !strings.Contains(m[0], "EXAMPLE") }

// placeholders are what people write where a password would stand.
var placeholders = []string{"password", "passwd", "pass", "pwd", "pw", "secret", "token", "key", "changeme", "example", "placeholder"}

func notPlaceholder(m []string) bool {
	word := strings.ToLower(m[len(m)-1])
	bare := strings.Trim(word, "-_.")
	if len(m) > 2 && strings.EqualFold(m[1], "mailto") {
		return false
	}
	if slices.Contains(placeholders, bare) || strings.HasPrefix(bare, "your") || strings.HasPrefix(word, "%7b") {
		return false
	}
	return strings.Trim(word, word[:1]) != "" // xxxx, ****
}
