package main

import (
	"fmt"
	"io"
	"os"

	"github.com/asyncgate/asyncgate/credentials"
)

// credentialsImportCmd takes over the users of another system, with the passwords they have.
type credentialsImportCmd struct {
	Format  string `required:"" enum:"postgresql,kafka-configs,kafka-metadata-dump" help:"postgresql, kafka-configs or kafka-metadata-dump."`
	Source  string `arg:"" optional:"" default:"-" name:"file" help:"What the other system printed; - is standard input."`
	Replace bool   `help:"Give users that exist the imported password (default: leave them as they are)."`
	grantFlags
}

// Help is shown below the usage.
func (credentialsImportCmd) Help() string {
	return `Formats, and what to feed in:
  postgresql           psql -At -c 'select rolname, rolpassword from pg_authid', or the same with COPY or CSV
  kafka-configs        kafka-configs.sh --zookeeper … --describe --entity-type users (a broker shows no keys)
  kafka-metadata-dump  kafka-dump-log.sh --cluster-metadata-decoder --files …/__cluster_metadata-0/….log (or .checkpoint)

Examples:
  psql -At -c 'select rolname, rolpassword from pg_authid' | asyncgate credentials import --format postgresql
  asyncgate credentials import --format kafka-configs users.txt --scope orders:read

Page: docs/credentials.md.`
}

// Run takes them over, all or none.
func (c *credentialsImportCmd) Run(env *environment, parent *credentialsCmd) error {
	grant, err := c.grant()
	if err != nil {
		return err
	}
	in, name := env.stdin, stdinName
	if c.Source != "-" {
		f, err := os.Open(c.Source)
		if err != nil {
			return usage("%v", err)
		}
		defer f.Close()
		in, name = io.Reader(f), c.Source
	}
	imported, err := credentials.Import(c.Format, in)
	if err != nil {
		return &exitError{exitProblem, fmt.Errorf("%s: %w", name, err)}
	}
	for _, warning := range imported.Warnings {
		fmt.Fprintf(env.stderr, "warning: %s\n", warning)
	}
	if len(imported.Users) == 0 {
		return &exitError{exitProblem, fmt.Errorf("%s has no user with a SCRAM verifier", name)}
	}
	var existing []string
	err = parent.edit(env, true, func(f *credentials.File) error {
		if existing, err = f.Merge(imported.Users, c.Replace, grant); err != nil {
			return &exitError{exitProblem, err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	verb := "left as they are"
	if c.Replace {
		verb = "replaced"
	}
	for _, user := range existing {
		fmt.Fprintf(env.stderr, "warning: user %q exists: %s\n", user, verb)
	}
	fmt.Fprintf(env.stderr, "imported %d users, %d existing ones %s\n", len(imported.Users)-len(existing), len(existing), verb)
	return nil
}
