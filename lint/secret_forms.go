package lint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
)

// secretForm is a secret that can be told from everything else by its form alone.
type secretForm struct {
	what    string
	marks   []string       // one of them is part of every match: looking for them is far cheaper
	pattern *regexp.Regexp // its last group, or else all of it, is the secret
	real    func(match []string) bool
}

// ownKey is a key as `asyncgate credentials` makes it.
var ownKey = regexp.MustCompile(fmt.Sprintf("%s[A-Za-z0-9]{%d}_[A-Za-z0-9]{%d}", sasl.KeyPrefix, sasl.KeyIDLength, sasl.KeySecretLength))

// secretForms have as good as no accidental matches. Issuers give their keys such prefixes so that they can be found.
var secretForms = []secretForm{
	{
		"a private key", []string{"PRIVATE KEY-----"},
		regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\s]*`), nil,
	},
	{
		"a JSON Web Token", []string{"eyJ"},
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`), isJWT,
	},
	{
		"an API key of asyncgate", []string{sasl.KeyPrefix},
		ownKey, nil,
	},
	{
		"an access key of AWS", []string{"AKIA", "ASIA"},
		regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), notExample,
	},
	{
		"a token of GitHub", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"},
		regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{70,})`), nil,
	},
	{
		"a token of GitLab", []string{"glpat-"},
		regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`), nil,
	},
	{
		"a token of Slack", []string{"xox"},
		regexp.MustCompile(`\bxox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{16,}`), nil,
	},
	{
		"a key of Stripe", []string{"k_live_"},
		regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{20,}`), nil,
	},
	{
		"a key of Google", []string{"AIza"},
		regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`), nil,
	},
	{
		"a token of npm", []string{"npm_"},
		regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`), nil,
	},
	{
		"a token of PyPI", []string{"pypi-AgEI"},
		regexp.MustCompile(`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}`), nil,
	},
	{
		"a key of SendGrid", []string{"SG."},
		regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`), nil,
	},
	{
		"a key of Azure", []string{"SharedAccessKey=", "AccountKey="},
		regexp.MustCompile(`\b(?:SharedAccessKey|AccountKey)=([A-Za-z0-9+/]{43,}={1,2})`), nil,
	},
	{
		"a password in a URL", []string{"@"},
		regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>{}$\[\]]+:([^\s/@"'<>{}$\[\]]+)@`), notPlaceholder,
	},
}

// bareUser is a password before a host that stands without a URL scheme, as servers are written.
var bareUser = secretForm{
	"a password in an address", []string{"@"},
	regexp.MustCompile(`^([^\s/:@"'<>{}$\[\]]+):([^\s/@"'<>{}$\[\]]+)@`), notPlaceholder,
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
