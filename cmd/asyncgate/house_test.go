package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/asyncgate/asyncgate/"

// ground is what every package may import: helpers that know nothing of ours, and nothing of what they are used for.
var ground = []string{"internal/internet", "internal/spelling"}

// arrows are the imports that never exist, whether direct or through others (docs/architecture.md).
var arrows = []struct {
	from  string
	never []string // "" is every package of ours
}{
	{"asyncapi", []string{""}},
	{"sasl", []string{""}},
	{"tlsconf", []string{""}},
	{"topic", []string{""}},
	{"internal/internet", []string{""}},
	{"internal/spelling", []string{""}},
	{"references", []string{"sasl", "tlsconf", "plan", "policy", "settings", "credentials", "plan/compile", "proxy"}},
	{"plan", []string{""}},
	{"docs/problems", []string{""}},
	{"lint", []string{"settings", "credentials", "plan/compile", "proxy", "report"}},
	{"lint/orgpolicy", []string{"settings", "credentials", "plan/compile", "proxy", "report"}},
	{"proposal", []string{"settings", "credentials", "plan/compile", "lint", "proxy", "report", "references"}},
	{"report", []string{"asyncapi", "settings", "credentials", "plan/compile", "lint", "proxy"}},
	{"policy", []string{"asyncapi", "settings", "credentials", "plan/compile", "proxy"}},
	{"credentials", []string{"asyncapi", "settings", "plan", "proxy"}},
	{"tokens", []string{"asyncapi", "settings", "credentials", "references", "plan", "policy", "proxy", "internal/throwaway"}},
	{"proxy", []string{"asyncapi", "references", "settings", "credentials", "tokens", "internal/throwaway", "plan/compile", "lint", "report", "proxy/kafka", "proxy/mqtt"}},
	{"proxy/kafka", []string{"asyncapi", "references", "settings", "credentials", "tokens", "internal/throwaway", "plan/compile", "lint", "report", "proxy/mqtt"}},
	{"proxy/mqtt", []string{"asyncapi", "references", "settings", "credentials", "tokens", "internal/throwaway", "plan/compile", "lint", "report", "proxy/kafka"}},
	{"proxy/mqtt/wire", []string{"asyncapi", "settings", "credentials", "plan", "plan/compile", "policy", "proxy", "proxy/kafka", "sasl"}},
	{"proxy/stream", []string{""}},
	{"plan/compile", []string{"references", "proxy", "credentials", "sasl", "lint", "report"}},
}

func TestArrowsPointDown(t *testing.T) {
	for _, arrow := range arrows {
		out, err := exec.Command("go", "list", "-deps", module+arrow.from).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", arrow.from, err)
		}
		for dep := range strings.Lines(string(out)) {
			dep, ours := strings.CutPrefix(strings.TrimSpace(dep), module)
			if !ours || dep == arrow.from || slices.Contains(ground, dep) {
				continue
			}
			if slices.Contains(arrow.never, "") || slices.Contains(arrow.never, dep) {
				t.Errorf("%s imports %s, directly or through others", arrow.from, dep)
			}
		}
	}
}
