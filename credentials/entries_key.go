package credentials

import (
	"crypto/sha256"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/sasl"
)

func (r *reader) key(n *yaml.Node) *Key {
	f, e, ok := r.entry(n, "a key", keyKeys)
	if !ok {
		return nil
	}
	k := &Key{Entry: e, Digest: r.digest(f, e.Name, e.Revoked.IsZero())}
	for _, item := range r.items(f.nodes["previous"], "previous") {
		pf, ok := r.mapping(item, "an earlier key", "id", "sha256", "since", "until")
		if !ok {
			continue
		}
		old := OldKey{Digest: r.digest(pf, e.Name, true),
			Since: r.moment(pf.nodes["since"], "since"), Until: r.moment(pf.nodes["until"], "until")}
		if pf.nodes["until"] == nil {
			r.fault(pf.line, "", "an earlier key of %q needs until", e.Name)
		}
		k.Previous = append(k.Previous, old)
	}
	r.fewPrevious(len(k.Previous), &e)
	if !e.Revoked.IsZero() && (f.nodes["sha256"] != nil || f.nodes["previous"] != nil) {
		r.fault(e.line, "remove it", "key %q is revoked and still has a hash", e.Name)
	}
	return k
}

func (r *reader) fewPrevious(n int, e *Entry) {
	if n > maxPrevious {
		r.fault(e.line, "", "%q has %d earlier secrets, and at most %d are kept", e.Name, n, maxPrevious)
	}
}

func (r *reader) digest(f fields, name string, needsHash bool) Digest {
	var d Digest
	if n := f.nodes["id"]; n == nil {
		r.fault(f.line, "", "key %q has no id", name)
	} else if id, ok := r.text(n, "id"); ok {
		if !sasl.IsKeyID(id) {
			r.fault(n.Line, "", "key %q: the id has to be %d letters and digits", name, sasl.KeyIDLength)
		}
		d.ID = id
	}
	n := f.nodes["sha256"]
	if n == nil {
		if needsHash {
			r.fault(f.line, "", "key %q has no sha256", name)
		}
		return d
	}
	if text, ok := r.text(n, "sha256"); ok {
		sum, err := decodeBase64(text)
		if err != nil || len(sum) != sha256.Size {
			r.fault(n.Line, "", "key %q: sha256 has to be 32 bytes in base64", name)
		}
		d.Hash = sum
	}
	return d
}

func (r *reader) certificate(n *yaml.Node) *Certificate {
	f, e, ok := r.entry(n, "a certificate", certificateKeys)
	if !ok {
		return nil
	}
	c := &Certificate{Entry: e}
	items := []*yaml.Node{f.nodes["match"]}
	if n := f.nodes["match"]; n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		items = r.items(n, "match")
	}
	if len(items) == 0 {
		r.fault(f.line, "such as match: CN=alice", "certificate %q matches nothing", e.Name)
	}
	for _, item := range items {
		text, ok := r.text(item, "match")
		if !ok {
			continue
		}
		rule, err := ParseRule(text)
		if err != nil {
			r.fault(item.Line, "", "certificate %q: %v", e.Name, err)
			continue
		}
		c.Match = append(c.Match, rule)
	}
	return c
}
