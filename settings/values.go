package settings

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/plan"
)

// scalar is the text of a string; anything else is a fault.
func (r *reader) scalar(n node, want string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		if n.Value == "" {
			r.fault(n.at, "settings/invalid-value", "", "%s is empty", name(n.at))
			return "", false
		}
		return n.Value, true
	}
	r.wrongType(n, want, "")
	return "", false
}

func (r *reader) invalid(n node, hint, format string, args ...any) {
	r.fault(n.at, "settings/invalid-value", hint, "%s: %s", name(n.at), fmt.Sprintf(format, args...))
}

func (r *reader) text(to *Value[string]) func(node) {
	return func(n node) {
		if s, ok := r.scalar(n, "a string"); ok {
			*to = Value[string]{n.at, s}
		}
	}
}

func (r *reader) texts(to *[]Value[string]) func(node) {
	return func(n node) {
		r.items(n, "a list of strings", func(item node) {
			var v Value[string]
			if r.text(&v)(item); v.Stated() {
				*to = append(*to, v)
			}
		})
	}
}

func (r *reader) flag(to *Value[bool]) func(node) {
	return func(n node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			r.wrongType(n, "true or false", "")
			return
		}
		*to = Value[bool]{n.at, strings.EqualFold(n.Value, "true")}
	}
}

// path makes a file name absolute: it starts at the directory of the settings.
func (r *reader) path(to *Value[string]) func(node) {
	return func(n node) {
		if s, ok := r.scalar(n, "a file name"); ok {
			*to = Value[string]{n.at, r.absolute(s)}
		}
	}
}

func (r *reader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.dir, path)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secret reads a reference to a secret. No message shows what stands there.
func (r *reader) secret(to *Value[plan.Secret]) func(node) {
	return func(n node) {
		const hint = "put the secret into a file of mode 0600 and write file:NAME, or into the environment and write env:NAME"
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			if path, ok := strings.CutPrefix(n.Value, "file:"); ok && path != "" {
				*to = Value[plan.Secret]{n.at, plan.Secret("file:" + r.absolute(path))}
				return
			}
			if env, ok := strings.CutPrefix(n.Value, "env:"); ok && envName.MatchString(env) {
				*to = Value[plan.Secret]{n.at, plan.Secret(n.Value)}
				return
			}
		}
		r.fault(n.at, "settings/secret", hint, "%s has to be a reference to a secret, never the secret itself", name(n.at))
	}
}

func (r *reader) duration(to *time.Duration, least, most time.Duration) func(node) {
	return func(n node) {
		s, ok := r.scalar(n, "a duration such as 10s, 5m or 1h")
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			r.invalid(n, "write it as 10s, 5m or 1h30m", "%q is no duration", s)
		case d < least || d > most:
			r.invalid(n, "", "%s is not between %s and %s", s, least, most)
		default:
			*to = d
		}
	}
}

// units of sizes: powers of 1024, as their names say.
var units = []struct {
	suffix string
	bytes  int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}

func (r *reader) size(to *int, least, most int) func(node) {
	return func(n node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!int" {
			r.wrongType(n, "a size such as 64KiB", "")
			return
		}
		digits, unit := n.Value, 1
		for _, u := range units {
			if d, ok := strings.CutSuffix(n.Value, u.suffix); ok {
				digits, unit = strings.TrimSpace(d), u.bytes
				break
			}
		}
		count, err := strconv.Atoi(digits)
		switch {
		case err != nil || count < 0 || count > math.MaxInt/unit:
			r.invalid(n, "write it as 64KiB, 100MiB or a number of bytes", "%q is no size", n.Value)
		case count*unit < least || count*unit > most:
			r.invalid(n, "", "%s is not between %d and %d bytes", n.Value, least, most)
		default:
			*to = count * unit
		}
	}
}

func (r *reader) count(to *int, least, most int) func(node) {
	return func(n node) {
		count, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
			r.wrongType(n, "a whole number", "")
			return
		}
		if count < least || count > most {
			r.invalid(n, "", "%d is not between %d and %d", count, least, most)
			return
		}
		*to = count
	}
}
