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
	pattern *regexp.Regexp // its last group, or else all of it, is the secret
	real    func(match []string) bool
}

// secretForms have as good as no accidental matches. Issuers give their keys such prefixes so that they can be found.
var secretForms = []secretForm{
	{"a private key", regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\s]*`), nil},
	{"a JSON Web Token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`), isJWT},
	{"an API key of asyncgate", regexp.MustCompile(regexp.QuoteMeta(sasl.KeyPrefix) + `[A-Za-z0-9]{` + strconv.Itoa(sasl.KeyIDLength) +
		`}_[A-Za-z0-9]{` + strconv.Itoa(sasl.KeySecretLength) + `}`), nil},
	{"an access key of AWS", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), notExample},
	{"a token of GitHub", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{70,})`), nil},
	{"a token of GitLab", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`), nil},
	{"a token of Slack", regexp.MustCompile(`\bxox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{16,}`), nil},
	{"a key of Stripe", regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{20,}`), nil},
	{"a key of Google", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`), nil},
	{"a token of npm", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`), nil},
	{"a token of PyPI", regexp.MustCompile(`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}`), nil},
	{"a key of SendGrid", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`), nil},
	{"a key of Azure", regexp.MustCompile(`(?i)\b(?:SharedAccessKey|AccountKey)=([A-Za-z0-9+/]{43,}={1,2})`), nil},
	{"a password in a URL", regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>{}$\[\]]+:([^\s/@"'<>{}$\[\]]+)@`), notPlaceholder},
}

// bareUser is a password before a host that stands without a URL scheme, as servers are written.
var bareUser = regexp.MustCompile(`^([^\s/:@"'<>{}$\[\]]+):([^\s/@"'<>{}$\[\]]+)@`)

var word = regexp.MustCompile(`[^\s"']+`)

// secretInDocument looks at every string. What it says never repeats the secret.
func secretInDocument(f *finder) {
	f.doc.Strings(func(t asyncapi.Text) {
		if what := secretIn(t.Value); what != "" {
			f.secret(t.Place, what)
		}
	})
	for i := range f.doc.Servers {
		address := f.doc.Servers[i].Address()
		if m := bareUser.FindStringSubmatch(address.Value); m != nil && notPlaceholder(m) {
			f.secret(address.Place, "a password in an address")
		}
	}
}

func (f *finder) secret(at asyncapi.Place, what string) {
	at.Pointer = Redact(at.Pointer)
	f.add(at, "take it out, change it where it is used, and write a placeholder such as <password>",
		"%s stands here, for everyone to use who can read the document", what)
}

// secretIn tells what kind of secret a text holds; empty if none.
func secretIn(s string) string {
	for _, form := range secretForms {
		for _, m := range form.pattern.FindAllStringSubmatch(s, -1) {
			if form.real == nil || form.real(m) {
				return form.what
			}
		}
	}
	return ""
}

// HoldsSecret reports whether a line must not be shown.
func HoldsSecret(line string) bool { return secretIn(line) != "" || bareUserIn(line) }

// bareUserIn is bareUser anywhere in a line: rather too much is kept back than too little.
func bareUserIn(line string) bool {
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\"',{}[]", r) }) {
		if m := bareUser.FindStringSubmatch(part); m != nil && notPlaceholder(m) {
			return true
		}
	}
	return false
}

// Redact takes secrets out of a text, for messages that quote the document.
func Redact(s string) string {
	for _, form := range secretForms {
		s = form.pattern.ReplaceAllStringFunc(s, func(all string) string {
			m := form.pattern.FindStringSubmatch(all)
			if form.real != nil && !form.real(m) {
				return all
			}
			return strings.Replace(all, m[len(m)-1], "[secret]", 1)
		})
	}
	if !bareUserIn(s) {
		return s
	}
	return word.ReplaceAllStringFunc(s, func(s string) string {
		if m := bareUser.FindStringSubmatch(s); m != nil && notPlaceholder(m) {
			return strings.Replace(s, ":"+m[2]+"@", ":[secret]@", 1)
		}
		return s
	})
}

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
