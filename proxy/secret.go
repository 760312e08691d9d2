package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// maxSecret bounds a secret in bytes. Passwords and keys are far shorter.
const maxSecret = 64 << 10

// ReadSecret reads a secret from where the plan says it is: a file, of which one trailing line break is cut, or an
// environment variable. An empty secret is an error, and no error repeats any of it.
func ReadSecret(secret plan.Secret) ([]byte, error) {
	kind, where, _ := strings.Cut(string(secret), ":")
	switch kind {
	case "file":
		return readSecretFile(where)
	case "env":
		value := os.Getenv(where)
		if value == "" {
			return nil, fmt.Errorf("environment variable %s is not set", where)
		}
		return []byte(value), nil
	default: // whatever it is may be the secret itself
		return nil, errors.New("a secret is given as file:PATH or env:NAME, never itself")
	}
}

func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSecret {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxSecret)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(b) == 0 {
		return nil, fmt.Errorf("%s: empty", path)
	}
	return b, nil
}
