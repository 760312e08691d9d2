package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/sasl"
)

// credentialsCmd keeps the file of those who may log in.
type credentialsCmd struct {
	File string `default:"credentials.yaml" placeholder:"FILE" help:"Credentials file (default: ${default})."`

	Add    credentialsAddCmd    `cmd:"" help:"Add a user, an API key or a certificate."`
	List   credentialsListCmd   `cmd:"" help:"List who may log in."`
	Rotate credentialsRotateCmd `cmd:"" help:"Give a user or key a new secret."`
	Revoke credentialsRevokeCmd `cmd:"" help:"End the credentials of a name."`
	Import credentialsImportCmd `cmd:"" help:"Take over users of PostgreSQL or Kafka."`
}

// Help is shown below the usage.
func (credentialsCmd) Help() string {
	return `A gateway that runs takes a changed file over by itself, and ends the connections of whom it revokes.

  asyncgate credentials add alice --generate                  a user; the password is printed once
  asyncgate credentials add billing --kind key --expires 90d  an API key; printed once
  asyncgate credentials add bob --kind certificate --match CN=bob
  asyncgate credentials rotate alice --generate --keep 24h    both passwords are good for a day
  asyncgate credentials revoke alice`
}

// grantFlags say what comes with a new credential.
type grantFlags struct {
	Scope     []string          `placeholder:"SCOPE" sep:"none" help:"Scope it is granted; repeatable."`
	Attribute map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Further fact about it; repeatable."`
	Expires   string            `placeholder:"WHEN" help:"When it ends: 2027-01-31T00:00:00Z, 36h or 90d."`
}

func (g grantFlags) grant() (credentials.Grant, error) {
	grant := credentials.Grant{Scopes: g.Scope, Attributes: g.Attribute}
	if g.Expires == "" {
		return grant, nil
	}
	now := time.Now()
	at, err := time.Parse(time.RFC3339, g.Expires)
	if err != nil {
		period, bad := parsePeriod(g.Expires)
		if bad != nil {
			return grant, usage("--expires takes a moment (2027-01-31T00:00:00Z) or a time from now (36h, 90d), not %q", g.Expires)
		}
		at = now.Add(period)
	}
	if !at.After(now) {
		return grant, usage("--expires %s has passed", g.Expires)
	}
	grant.Expires = at.UTC().Truncate(time.Second)
	return grant, nil
}

// parsePeriod reads a duration of Go, or a number of days.
func parsePeriod(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// edit changes the file, which is made where there is none and create says so.
func (c *credentialsCmd) edit(env *environment, create bool, change func(*credentials.File) error) error {
	if create {
		switch err := credentials.Create(c.File); {
		case err == nil:
			fmt.Fprintf(env.stderr, "created %s\n", c.File)
		case !errors.Is(err, fs.ErrExist):
			return &exitError{exitRuntime, err}
		}
	}
	return c.exit(credentials.Edit(c.File, change))
}

// exit gives an error of package credentials its exit code.
func (c *credentialsCmd) exit(err error) error {
	exit := (*exitError)(nil)
	switch {
	case err == nil, errors.As(err, &exit):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &exitError{exitUsage, fmt.Errorf("%w (asyncgate credentials add makes the file; --file says where it is)", err)}
	case credentials.IsRefused(err):
		return &exitError{exitProblem, err}
	}
	return &exitError{exitRuntime, err}
}

// about says to whom a change was refused. What is wrong with the wish is the caller's to mend; that the file does not
// have it, or has it already, is a failed check.
func about(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, credentials.ErrNotFound):
		return &exitError{exitProblem, fmt.Errorf("%q is not in the file, or is revoked", name)}
	case errors.Is(err, credentials.ErrExists):
		return &exitError{exitProblem, fmt.Errorf("%q exists: rotate it, or revoke it first", name)}
	}
	return usage("%q: %v", name, err)
}

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// printSecret prints what was generated, once, on a line of its own.
func printSecret(env *environment, secret string) error {
	if _, err := fmt.Fprintln(env.stdout, secret); err != nil {
		return &exitError{exitRuntime, fmt.Errorf("the secret was stored and could not be printed: rotate it: %w", err)}
	}
	return nil
}

// kinds are what --kind takes.
func kindOf(text string) []sasl.Kind {
	if text == "" {
		return nil
	}
	return []sasl.Kind{sasl.Kind(text)}
}
