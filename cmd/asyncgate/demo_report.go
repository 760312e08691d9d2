package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"go.uber.org/zap/zaptest/observer"
)

// selfCheck makes every attempt, prints a line for each, and reports whether all of them held: who should get in got in,
// who should not was refused, and the audit log says why.
func (d *demo) selfCheck(ctx context.Context) bool {
	out := d.env.stdout
	fmt.Fprintf(out, "asyncgate enforces %s in front of %s.\n\n", d.document, d.behind())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SERVER\tSCHEME\tWHO COMES\tEXPECTED\tOUTCOME\tHELD")
	lines, failed := 0, 0
	var failures []string
	for i := range d.plan.Servers {
		s := &d.plan.Servers[i]
		if !s.Enforced {
			continue
		}
		for _, a := range d.attempts(s) {
			lines++
			outcome, held := d.check(ctx, a)
			mark := "yes"
			if !held {
				mark = "NO"
				failed++
				failures = append(failures, fmt.Sprintf("%s: %s: %s", s.Name, a.what, outcome))
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, a.scheme, a.what, a.expected(), outcome, mark)
		}
	}
	_ = table.Flush()
	fmt.Fprintf(out, "\n%d of %d lines held.\n", lines-failed, lines)
	for _, f := range failures {
		fmt.Fprintf(d.env.stderr, "asyncgate: %s\n", f)
	}
	return failed == 0 && lines > 0
}

// behind says what stands behind the gateway.
func (d *demo) behind() string {
	switch {
	case d.mqtt == nil:
		return fmt.Sprintf("%d embedded brokers", demoBrokers)
	case d.kafka == nil:
		return "an embedded MQTT broker"
	}
	return fmt.Sprintf("%d embedded Kafka brokers and an MQTT broker", demoBrokers)
}

func (a attempt) expected() string {
	if a.code == "" {
		return "accepted"
	}
	return "refused"
}

// check makes one attempt. A refusal counts only if the audit log gives the reason that it should have.
func (d *demo) check(ctx context.Context, a attempt) (outcome string, held bool) {
	d.settle()
	before := d.audit.Len()
	err := a.try(ctx)
	if err == nil {
		return "accepted", a.code == ""
	}
	codes := d.refusals(a.server.Name, before, a.code)
	if len(codes) == 0 {
		return fmt.Sprintf("failed: %.100v", err), false
	}
	said := strings.Join(codes, ", ")
	return "refused: " + said, a.code != "" && said == a.code
}

// settle waits until the connections of the attempt before have ended: a client opens several, and what is recorded of the
// last of them must not be taken for an answer to the next attempt.
func (d *demo) settle() {
	for end := time.Now().Add(2 * time.Second); d.gateway.Open() > 0 && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
}

// refusals are the codes of the audit records about a server since a moment. The record comes after the answer, so it is
// waited for.
func (d *demo) refusals(server string, since int, want string) (codes []string) {
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		codes = nil
		for _, e := range d.audit.All()[since:] {
			// Clients open connections that they drop again; that is no answer to the attempt.
			if code := refusalCode(e, server); code != "" && code != "left" && (len(codes) == 0 || codes[len(codes)-1] != code) {
				codes = append(codes, code)
			}
		}
		if len(codes) > 0 || want == "" {
			break
		}
	}
	return codes
}

func refusalCode(e observer.LoggedEntry, server string) string {
	fields := e.ContextMap()
	if e.LoggerName != "audit" || fields["server"] != server || fields["decision"] != "deny" {
		return ""
	}
	code, _ := fields["code"].(string)
	return code
}
