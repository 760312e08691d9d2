package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/sasl"
)

// credentialsListCmd shows the file without what is secret in it.
type credentialsListCmd struct {
	Output string `enum:"table,json" default:"table" help:"table or json."`
}

// listed is one credential, as --output json shows it.
type listed struct {
	Name       string            `json:"name"`
	Kind       sasl.Kind         `json:"kind"`
	State      string            `json:"state"` // active, expired or revoked
	Scopes     []string          `json:"scopes"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Since      *time.Time        `json:"since,omitempty"`
	Expires    *time.Time        `json:"expires,omitempty"`
	Revoked    *time.Time        `json:"revoked,omitempty"`
	Mechanisms []string          `json:"mechanisms,omitempty"` // of users: SCRAM with these
	ID         string            `json:"id,omitempty"`         // of keys: the public part
	Match      []string          `json:"match,omitempty"`      // of certificates
	Kept       []time.Time       `json:"kept,omitempty"`       // until when earlier secrets are good
}

// Help is shown below the usage.
func (*credentialsListCmd) Help() string {
	return `Shows no secret, and nothing that verifies one.

Examples:
  asyncgate credentials list
  asyncgate credentials list --file prod/credentials.yaml --output json`
}

// Run prints the list.
func (c *credentialsListCmd) Run(env *environment, parent *credentialsCmd) error {
	f, err := credentials.Read(parent.File)
	if err != nil {
		return parent.exit(err)
	}
	all := listAll(f, time.Now())
	if c.Output == "json" {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"credentials": all})
	}
	w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tKIND\tSTATE\tEXPIRES\tSCOPES\tDETAIL")
	for _, l := range all {
		expires := "never"
		if l.Expires != nil {
			expires = l.Expires.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Kind, l.State, expires, dash(strings.Join(l.Scopes, " ")), dash(l.detail()))
	}
	return w.Flush()
}

func listAll(f *credentials.File, now time.Time) []listed {
	all := []listed{}
	for _, u := range f.Users {
		l := list(&u.Entry, sasl.KindUser, now)
		for _, v := range u.Verifiers {
			l.Mechanisms = append(l.Mechanisms, "SCRAM-"+string(v.Hash))
		}
		for _, p := range u.Previous {
			l.keep(p.Until, now)
		}
		all = append(all, l)
	}
	for _, k := range f.Keys {
		l := list(&k.Entry, sasl.KindKey, now)
		l.ID = sasl.KeyPrefix + k.ID
		for _, p := range k.Previous {
			l.keep(p.Until, now)
		}
		all = append(all, l)
	}
	for _, c := range f.Certificates {
		l := list(&c.Entry, sasl.KindCertificate, now)
		for _, r := range c.Match {
			l.Match = append(l.Match, r.String())
		}
		all = append(all, l)
	}
	return all
}

func list(e *credentials.Entry, kind sasl.Kind, now time.Time) listed {
	l := listed{Name: e.Name, Kind: kind, State: "active", Scopes: append([]string{}, e.Scopes...), Attributes: e.Attributes,
		Since: moment(e.Since), Expires: moment(e.Expires), Revoked: moment(e.Revoked)}
	switch {
	case !e.Revoked.IsZero():
		l.State = "revoked"
	case !e.Active(now):
		l.State = "expired"
	}
	return l
}

func (l *listed) keep(until, now time.Time) {
	if now.Before(until) {
		l.Kept = append(l.Kept, until.UTC())
	}
}

func (l *listed) detail() string {
	detail := strings.Join(append(append(l.Mechanisms, l.Match...), l.ID), " ")
	if len(l.Kept) > 0 {
		detail += " earlier one until " + l.Kept[0].Format(time.RFC3339)
	}
	return strings.TrimSpace(detail)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
