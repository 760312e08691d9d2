package credentials

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
)

// Formats that [Import] reads.
const (
	FormatPostgreSQL   = "postgresql"          // pg_authid or pg_shadow: role name and verifier, from COPY, CSV or psql -At
	FormatKafkaConfigs = "kafka-configs"       // kafka-configs.sh --describe of a ZooKeeper-based cluster
	FormatKafkaDump    = "kafka-metadata-dump" // kafka-dump-log.sh --cluster-metadata-decoder
)

// Imported is what another system knows of its users, in the order of the source.
type Imported struct {
	Users    []ImportedUser
	Warnings []string // what was left out, and what may not work as it did there
}

// ImportedUser is one user of another system.
type ImportedUser struct {
	Name      string
	Verifiers []Verifier
}

// maxImportLine bounds a line of the source. Longer ones are other records of a dump, and are passed over.
const maxImportLine = 64 << 10

// Import reads the users of another system. Errors show nothing of a verifier; a line that should hold one and does
// not refuses the whole.
func Import(format string, in io.Reader) (*Imported, error) {
	i := &importer{byName: map[string]int{}}
	var line func(string) error
	switch format {
	case FormatPostgreSQL:
		line = i.postgresql
	case FormatKafkaConfigs:
		line = i.kafkaConfigs
	case FormatKafkaDump:
		line = i.kafkaDump
	default:
		return nil, fmt.Errorf("unknown format %q: there are %s, %s and %s", format, FormatPostgreSQL, FormatKafkaConfigs, FormatKafkaDump)
	}
	reader := bufio.NewReaderSize(in, maxImportLine)
	for number := 1; ; number++ {
		text, tooLong, err := reader.ReadLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if tooLong {
			for tooLong && err == nil {
				_, tooLong, err = reader.ReadLine()
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			continue
		}
		if err := line(string(text)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	i.judge()
	return &i.Imported, nil
}

type importer struct {
	Imported
	byName map[string]int // index into Users
}

func (i *importer) warn(format string, args ...any) {
	i.Warnings = append(i.Warnings, fmt.Sprintf(format, args...))
}

// set adds a verifier of a user, or replaces the one of the same hash.
func (i *importer) set(name string, v Verifier) {
	at, known := i.byName[name]
	if !known {
		at = len(i.Users)
		i.byName[name] = at
		i.Users = append(i.Users, ImportedUser{Name: name})
	}
	i.remove(name, v.Hash)
	i.Users[at].Verifiers = append(i.Users[at].Verifiers, v)
}

func (i *importer) remove(name string, h sasl.Hash) {
	at, known := i.byName[name]
	if !known {
		return
	}
	var rest []Verifier
	for _, v := range i.Users[at].Verifiers {
		if v.Hash != h {
			rest = append(rest, v)
		}
	}
	i.Users[at].Verifiers = rest
}

// judge leaves out what cannot be a credential here.
func (i *importer) judge() {
	users := i.Users
	i.Users = nil
	for _, u := range users {
		if len(u.Verifiers) == 0 {
			continue // created and removed again
		}
		if err := CheckName(u.Name); err != nil {
			i.warn("user %q left out: %v", cut(u.Name), err)
			continue
		}
		i.Users = append(i.Users, u)
	}
}

// verifierOf reads the parts of a verifier as other systems print them.
func verifierOf(h sasl.Hash, iterations int, salt, stored, server string) (Verifier, error) {
	return ParseVerifier(fmt.Sprintf("SCRAM-%s$%d:%s$%s:%s", h, iterations, salt, stored, server))
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 }) }
