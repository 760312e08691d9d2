package credentials

import (
	"encoding/csv"
	"errors"
	"regexp"
	"strings"
)

// pgVerifier is a verifier at the end of a line, perhaps quoted, after the separator of the columns.
var pgVerifier = regexp.MustCompile(`([\t,|])("?)(SCRAM-SHA-256\$[^\t,|"]*)("?)$`)

// pgOther is a role without a SCRAM verifier: a hash of MD5, or no password.
var pgOther = regexp.MustCompile(`([\t,|])(?:"?md5[0-9a-f]{32}"?|\\N|(?:""|))$`)

// postgresql reads a line with the columns rolname and rolpassword of pg_authid (or usename and passwd of pg_shadow), as
// COPY prints them (tab), COPY … CSV (comma) or psql -At (bar).
func (i *importer) postgresql(line string) error {
	if strings.TrimSpace(line) == "" || line == `\.` {
		return nil
	}
	if m := pgVerifier.FindStringSubmatchIndex(line); m != nil {
		name, err := pgName(line[:m[0]], line[m[2]])
		if err != nil {
			return err
		}
		v, err := ParseVerifier(line[m[6]:m[7]])
		if err != nil {
			return err
		}
		if _, twice := i.byName[name]; twice {
			return errors.New("the role stands here a second time")
		}
		i.set(name, v)
		if !isASCII(name) {
			i.warn("user %q is not ASCII: PostgreSQL prepares names and passwords (SASLprep) and Kafka clients do not, so the login may fail; set a new password if it does", name)
		}
		return nil
	}
	if m := pgOther.FindStringSubmatchIndex(line); m != nil {
		name, err := pgName(line[:m[0]], line[m[2]])
		if err != nil {
			return err
		}
		i.warn("role %q left out: it has no SCRAM-SHA-256 verifier", cut(name))
		return nil
	}
	if pgHeader.MatchString(line) {
		return nil
	}
	return errors.New("not a role name and its SCRAM-SHA-256 verifier; try: psql -At -c 'select rolname, rolpassword from pg_authid'")
}

var pgHeader = regexp.MustCompile(`^(?:rolname|usename)[\t,|](?:rolpassword|passwd)$`)

// pgName undoes what the output format did to a name.
func pgName(raw string, separator byte) (string, error) {
	switch separator {
	case '\t':
		return pgUnescape.Replace(raw), nil
	case ',':
		fields, err := csv.NewReader(strings.NewReader(raw)).Read()
		if err != nil || len(fields) != 1 {
			return "", errors.New("two columns are wanted: the role's name and its password")
		}
		return fields[0], nil
	}
	return raw, nil
}

var pgUnescape = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r", `\b`, "\b", `\f`, "\f", `\v`, "\v")
