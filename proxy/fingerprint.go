package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// fingerprint identifies all that a front is made from, contents of files included: a front whose fingerprint is
// unchanged stays.
func fingerprint(p *plan.Server) (string, error) {
	made := struct {
		Protocol  string
		TLS       bool
		Upstream  plan.Upstream
		Brokers   plan.Brokers
		Advertise plan.Address
		Files     []string
	}{p.Protocol, p.TLS != nil, p.Upstream, p.Brokers, p.Advertise, nil}
	var files []string
	if t := p.Upstream.TLS; t != nil {
		files = append(files, t.CA, t.Certificate, t.Key)
	}
	if s := p.Upstream.SASL; s != nil {
		secret := s.Password
		if s.Token != nil {
			secret = s.Token.ClientSecret
			files = append(files, s.Token.CA, s.Token.Certificate, s.Token.Key)
		}
		if path, ok := strings.CutPrefix(string(secret), "file:"); ok {
			files = append(files, path)
		}
	}
	if x := p.Upstream.Exchange; x != nil {
		files = append(files, x.CA, x.Certificate, x.Key)
		if path, ok := strings.CutPrefix(string(x.ClientSecret), "file:"); ok {
			files = append(files, path)
		}
	}
	if path, ok := strings.CutPrefix(string(p.Upstream.Password), "file:"); ok {
		files = append(files, path)
	}
	for _, path := range files {
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(b)
		made.Files = append(made.Files, hex.EncodeToString(sum[:]))
	}
	b, err := json.Marshal(made)
	return string(b), err
}
