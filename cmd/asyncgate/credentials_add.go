package main

import (
	"fmt"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/sasl"
)

// credentialsAddCmd adds one credential.
type credentialsAddCmd struct {
	Name  string   `arg:"" help:"Name of the principal. The same name may have a password, a key and a certificate."`
	Kind  string   `enum:"user,key,certificate" default:"user" help:"user (a password), key (an API key) or certificate."`
	Match []string `placeholder:"RULE" sep:"none" help:"Whose certificate it is: CN=alice, DNS:host, URI:spiffe://…, EMAIL:a@b, or a whole subject; repeatable."`
	grantFlags
	passwordFlags
}

// Help is shown below the usage.
func (*credentialsAddCmd) Help() string {
	return `Prints a secret that it has made, alone on standard output, once: the file keeps what verifies it.

Examples:
  asyncgate credentials add alice                                 asks for a password
  asyncgate credentials add alice --generate > alice.password
  asyncgate credentials add billing --kind key --scope orders:read --expires 90d
  asyncgate credentials add lamp-1 --kind certificate --match CN=lamp-1

Page: docs/credentials.md.`
}

// Run adds it; what was generated is the only line on stdout.
func (c *credentialsAddCmd) Run(env *environment, parent *credentialsCmd) error {
	grant, err := c.grant()
	if err != nil {
		return err
	}
	if err := credentials.CheckName(c.Name); err != nil {
		return usage("%v", err)
	}
	switch kind := sasl.Kind(c.Kind); {
	case kind != sasl.KindCertificate && len(c.Match) > 0:
		return usage("--match goes with --kind certificate")
	case kind != sasl.KindUser && c.PasswordStdin, kind == sasl.KindCertificate && c.Generate:
		return usage("--password-stdin and --generate go with --kind user")
	case kind == sasl.KindKey:
		return c.addKey(env, parent, grant)
	case kind == sasl.KindCertificate:
		return c.addCertificate(env, parent, grant)
	}
	return c.addUser(env, parent, grant)
}

func (c *credentialsAddCmd) addUser(env *environment, parent *credentialsCmd, grant credentials.Grant) error {
	password, generated, err := c.password(env, c.Name)
	if err != nil {
		return err
	}
	err = parent.edit(env, true, func(f *credentials.File) error {
		return about(c.Name, f.AddUser(c.Name, password, c.Iterations, grant))
	})
	if err != nil || !generated {
		return err
	}
	return printSecret(env, password)
}

func (c *credentialsAddCmd) addKey(env *environment, parent *credentialsCmd, grant credentials.Grant) error {
	var key string
	err := parent.edit(env, true, func(f *credentials.File) (err error) {
		key, err = f.AddKey(c.Name, grant)
		return about(c.Name, err)
	})
	if err != nil {
		return err
	}
	return printSecret(env, key)
}

func (c *credentialsAddCmd) addCertificate(env *environment, parent *credentialsCmd, grant credentials.Grant) error {
	if len(c.Match) == 0 {
		return usage("--kind certificate needs --match, such as --match 'CN=%s'", c.Name)
	}
	var rules []credentials.Rule
	for _, text := range c.Match {
		rule, err := credentials.ParseRule(text)
		if err != nil {
			return usage("--match %s: %v", text, err)
		}
		rules = append(rules, rule)
	}
	err := parent.edit(env, true, func(f *credentials.File) error {
		return about(c.Name, f.AddCertificate(c.Name, rules, grant))
	})
	if err == nil {
		fmt.Fprintf(env.stderr, "added %s\n", c.Name)
	}
	return err
}
