package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/sasl"
)

// credentialsRotateCmd replaces a secret.
type credentialsRotateCmd struct {
	Name string `arg:"" help:"Name of the user or key."`
	Kind string `enum:",user,key" default:"" help:"user or key, where the name has both."`
	Keep string `placeholder:"DURATION" help:"How long the earlier secret stays good beside the new one: 24h, 7d (default: not at all)."`
	passwordFlags
}

// Help is shown below the usage.
func (*credentialsRotateCmd) Help() string {
	return `Examples:
  asyncgate credentials rotate alice --generate --keep 24h        the earlier password is good for another day
  asyncgate credentials rotate billing --kind key                 the earlier key is not good any longer

Page: docs/credentials.md.`
}

// Run replaces it; what was generated is the only line on stdout.
func (c *credentialsRotateCmd) Run(env *environment, parent *credentialsCmd) error {
	var keep time.Duration
	if c.Keep != "" {
		var err error
		if keep, err = parsePeriod(c.Keep); err != nil || keep < 0 {
			return usage("--keep takes a time such as 24h or 7d, not %q", c.Keep)
		}
	}
	kind, err := c.kind(parent)
	if err != nil {
		return err
	}
	if kind == sasl.KindKey {
		return c.rotateKey(env, parent, keep)
	}
	password, generated, err := c.password(env, c.Name)
	if err != nil {
		return err
	}
	err = parent.edit(env, false, func(f *credentials.File) error {
		return about(c.Name, f.RotateUser(c.Name, password, c.Iterations, keep))
	})
	if err != nil || !generated {
		return err
	}
	return printSecret(env, password)
}

// kind finds out what the name is, before anybody is asked for a password.
func (c *credentialsRotateCmd) kind(parent *credentialsCmd) (sasl.Kind, error) {
	f, err := credentials.Read(parent.File)
	if err != nil {
		return "", parent.exit(err)
	}
	kinds := f.Kinds(c.Name)
	user, key := slices.Contains(kinds, sasl.KindUser), slices.Contains(kinds, sasl.KindKey)
	switch wanted := sasl.Kind(c.Kind); {
	case len(kinds) == 0, wanted != "" && !slices.Contains(kinds, wanted):
		return "", about(c.Name, credentials.ErrNotFound)
	case wanted != "":
		return wanted, nil
	case user && key:
		return "", usage("%q has a password and a key: say --kind user or --kind key", c.Name)
	case user && !key:
		return sasl.KindUser, nil
	case key:
		if c.PasswordStdin {
			return "", usage("%q is a key, and keys are generated", c.Name)
		}
		return sasl.KindKey, nil
	}
	return "", usage("%q has certificates alone, and those have no secret here: revoke it and add it with another --match", c.Name)
}

func (c *credentialsRotateCmd) rotateKey(env *environment, parent *credentialsCmd, keep time.Duration) error {
	var key string
	err := parent.edit(env, false, func(f *credentials.File) (err error) {
		key, err = f.RotateKey(c.Name, keep)
		return about(c.Name, err)
	})
	if err != nil {
		return err
	}
	return printSecret(env, key)
}

// credentialsRevokeCmd ends the credentials of a name.
type credentialsRevokeCmd struct {
	Name string `arg:"" help:"Name of the principal."`
	Kind string `enum:",user,key,certificate" default:"" help:"End this kind alone (default: every kind of that name)."`
}

// Help is shown below the usage.
func (*credentialsRevokeCmd) Help() string {
	return `A running gateway ends the sessions of the name, too.

Examples:
  asyncgate credentials revoke alice
  asyncgate credentials revoke alice --kind key                   she may still log in with her password`
}

// Run ends them. The name stays in the file, so that the audit log can say revoked.
func (c *credentialsRevokeCmd) Run(env *environment, parent *credentialsCmd) error {
	err := parent.edit(env, false, func(f *credentials.File) error {
		return about(c.Name, f.Revoke(c.Name, kindOf(c.Kind)...))
	})
	if err == nil {
		fmt.Fprintf(env.stderr, "revoked %s\n", c.Name)
	}
	return err
}
