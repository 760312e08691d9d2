package credentials

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rule says which certificates are a principal's: those that carry one identity.
type Rule struct {
	kind  string // one of the kinds
	value string // without the kind; of DN the text of RFC 4514
	name  distinguished
}

// Kinds of rules, as they are written. A text without one of the prefixes is a distinguished name, and a common name
// if it has no other attribute.
const (
	ruleCN    = "CN"
	ruleDNS   = "DNS"
	ruleURI   = "URI"
	ruleEmail = "EMAIL"
	ruleDN    = "DN"
)

// ParseRule reads a rule:
//
//	CN=alice                    the subject's only common name, whatever else the subject has
//	DNS:host.example.org        a DNS name of the certificate's alternative names, without case
//	URI:spiffe://example.org/a  a URI of them, exactly
//	EMAIL:alice@example.org     an e-mail address of them; without case after the @
//	CN=alice,OU=web,O=Example   the whole subject, in the order of RFC 2253: last attribute first
//	DN:CN=alice                 the same for a subject with one attribute
func ParseRule(text string) (Rule, error) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return Rule{}, errors.New("a rule has to be UTF-8 without control characters")
	}
	for _, kind := range []string{ruleDNS, ruleURI, ruleEmail, ruleDN} {
		if n := len(kind) + 1; len(text) >= n && strings.EqualFold(text[:n], kind+":") {
			return newRule(kind, text[n:])
		}
	}
	name, err := parseDN(text)
	switch {
	case err != nil:
		return Rule{}, fmt.Errorf("%w; a rule is CN=…, DNS:…, URI:…, EMAIL:… or a whole distinguished name", err)
	case len(name) == 1 && len(name[0]) == 1 && name[0][0].oid == oidCN:
		return Rule{kind: ruleCN, value: name[0][0].value}, nil
	}
	return Rule{kind: ruleDN, value: text, name: name}, nil
}

func newRule(kind, value string) (Rule, error) {
	r := Rule{kind: kind, value: value}
	var err error
	switch kind {
	case ruleDNS:
		if value == "" || strings.ContainsAny(value, "*/ :") {
			err = errors.New("DNS: takes one host name, without wildcards")
		}
	case ruleURI:
		if u, parseErr := url.Parse(value); parseErr != nil || u.Scheme == "" {
			err = errors.New("URI: takes an absolute URI, such as spiffe://example.org/service")
		}
	case ruleEmail:
		if local, domain, ok := strings.Cut(value, "@"); !ok || local == "" || domain == "" || strings.ContainsAny(value, " <>") {
			err = errors.New("EMAIL: takes one address, such as alice@example.org")
		}
	case ruleDN:
		r.name, err = parseDN(value)
	}
	return r, err
}

// String is the rule as [ParseRule] reads it.
func (r Rule) String() string {
	switch r.kind {
	case ruleCN:
		return "CN=" + escapeDN(r.value)
	case ruleDN:
		if len(r.name) == 1 && len(r.name[0]) == 1 {
			return "DN:" + r.name.String()
		}
		return r.name.String()
	}
	return r.kind + ":" + r.value
}

// key is equal for rules that mean the same, and is what a certificate with that identity is looked up by.
func (r Rule) key() string {
	switch r.kind {
	case ruleDN:
		return identity(ruleDN, r.name.canonical())
	case ruleDNS:
		return identity(ruleDNS, strings.ToLower(r.value))
	case ruleEmail:
		return identity(ruleEmail, foldDomain(r.value))
	}
	return identity(r.kind, r.value)
}

func identity(kind, value string) string { return kind + "\x00" + value }

// foldDomain makes the part of an e-mail address comparable that has no case.
func foldDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	return address[:at+1] + strings.ToLower(address[at+1:])
}
