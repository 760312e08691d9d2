package asyncapi

import (
	"errors"
	"net/url"
	"regexp"
	resyntax "regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// formats are those that the official schemas assert. The library's own differ from what other validators of AsyncAPI take.
var formats = []*jsonschema.Format{
	{Name: "our-uri", Validate: text(validURI)},
	{Name: "our-email", Validate: text(validEmail)},
	{Name: "our-uri-template", Validate: text(validTemplate)},
	{Name: "our-regex", Validate: text(validPattern)},
	{Name: "our-any", Validate: func(any) error { return nil }},
}

// ourFormat is the name of the format that stands for one of the official schemas. A uri-reference may be anything: only
// $ref and $id have it, and a $ref into a channel "light.{id}" has braces that RFC 3986 does not allow. Whether it leads
// somewhere is what counts. The formats of numbers are remarks.
func ourFormat(name string) string {
	switch name {
	case "uri", "email", "uri-template", "regex":
		return "our-" + name
	case "uri-reference", "int32", "int64":
		return "our-any"
	}
	return name
}

func text(valid func(string) error) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); ok {
			return valid(s)
		}
		return nil
	}
}

// RFC 3986, appendix A, without what follows the scheme in detail: net/url looks at that.
var (
	uriForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]+$`)
	emailForm = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_` + "`" + `{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
)

func validURI(s string) error {
	if !uriForm.MatchString(s) {
		return errors.New("not absolute")
	}
	_, err := url.Parse(s)
	return err
}

func validEmail(s string) error {
	if !emailForm.MatchString(s) {
		return errors.New("no address")
	}
	return nil
}

// template is RFC 6570, section 2: literals and expressions.
var template = regexp.MustCompile(`^(?:[^\x00-\x20"'<>%\\^` + "`" + `{|}]|%[0-9A-Fa-f]{2}|` +
	`\{[+#./;?&=,!@|]?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?::[1-9][0-9]{0,3}|\*)?(?:,(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?::[1-9][0-9]{0,3}|\*)?)*\})*$`)

func validTemplate(s string) error {
	if !template.MatchString(s) {
		return errors.New("no template")
	}
	return nil
}

// validPattern takes regular expressions of ECMA 262, which has what Go's have not: look-ahead, counts over 1000, other
// escapes. Refused is what no dialect takes.
func validPattern(s string) error {
	_, err := resyntax.Parse(s, resyntax.Perl)
	var bad *resyntax.Error
	if !errors.As(err, &bad) {
		return nil
	}
	switch bad.Code {
	case resyntax.ErrMissingBracket, resyntax.ErrMissingParen, resyntax.ErrUnexpectedParen, resyntax.ErrTrailingBackslash, resyntax.ErrMissingRepeatArgument:
		return bad
	}
	return nil
}
