package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/asyncgate/asyncgate/sasl"
)

// issuer is one issuer that is believed.
type issuer struct {
	Issuer
	mark string // see Issuer.fingerprint
	keys *source
	asks *introspector
}

func newIssuer(c Issuer, mark string, failed func(string, error)) (*issuer, error) {
	i := &issuer{Issuer: c, mark: mark}
	fetch, err := fetcher(c)
	if err != nil {
		return nil, err
	}
	if fetch != nil {
		i.keys = &source{name: c.Name, fetch: fetch, failed: failed, refresh: c.Refresh, interval: c.MinInterval, maxAge: c.MaxAge}
	}
	if c.Introspection != nil {
		if i.asks, err = newIntrospector(c); err != nil {
			return nil, err
		}
	}
	if len(c.Keys) > 0 {
		return i.with(c.Keys)
	}
	if i.keys == nil && i.asks == nil {
		return nil, errors.New("it has neither keys nor introspection")
	}
	return i, nil
}

// with is the issuer with the keys of a file as they are now; all else it keeps.
func (i *issuer) with(keys []byte) (*issuer, error) {
	if len(keys) == 0 {
		return i, nil
	}
	set, err := parseKeys(keys)
	if err != nil {
		return nil, err
	}
	renewed := *i
	renewed.Keys = keys
	renewed.keys = &source{name: i.Name, set: set}
	return &renewed, nil
}

// Verify is that of [sasl.Tokens].
func (d *Directory) Verify(ctx context.Context, token string, peer sasl.Peer) (*sasl.Principal, *sasl.Reject) {
	u, err := parse(token)
	if err == errOpaque {
		if d.opaque == nil {
			return nil, reject(sasl.CodeOpaqueToken, "a token that is not a JWT, and no issuer is asked about others")
		}
		return d.ask(ctx, d.opaque, token, peer)
	}
	if err != nil {
		var r *sasl.Reject
		errors.As(err, &r)
		return nil, r
	}
	i := d.issuers[u.issuer]
	switch {
	case i == nil:
		return nil, reject(sasl.CodeUnknownIssuer, "a token of issuer %s, which the settings do not name", quote(u.issuer))
	case i.keys == nil:
		return d.ask(ctx, i, token, peer)
	}
	return d.verify(ctx, i, u, token, peer)
}

// verify holds a JWT against the keys of its issuer, then its claims against the settings. Where the issuer is also asked
// it has the last word.
func (d *Directory) verify(ctx context.Context, i *issuer, u *unverified, token string, peer sasl.Peer) (*sasl.Principal, *sasl.Reject) {
	a := algorithmOf(u.header.Algorithm, i.Algorithms)
	if a == nil {
		return nil, reject(sasl.CodeTokenAlgorithm, "algorithm %s, which tokens of issuer %s must not have", quote(u.header.Algorithm), quote(i.Name))
	}
	candidates, r := i.keys.find(ctx, u.header.KeyID, a)
	if r != nil {
		return nil, r
	}
	// The payload is what has been decoded already: a token may be large, and a stranger's.
	signed, err := jose.ParseDetached(u.detached, u.payload, []jose.SignatureAlgorithm{a.name})
	if err != nil {
		return nil, reject(sasl.CodeMalformed, "a JWT that cannot be read")
	}
	var by *key
	for _, k := range candidates {
		if signed.DetachedVerify(u.payload, k.public) == nil {
			by = k
			break
		}
	}
	if by == nil {
		return nil, reject(sasl.CodeTokenSignature, "a signature that no key of issuer %s gives", quote(i.Name))
	}
	c, err := parseClaims(u.payload)
	if err != nil {
		return nil, reject(sasl.CodeMalformed, "JWT claims that are %v", err)
	}
	p, r := i.judge(c, d.now(), true)
	if r != nil {
		return nil, r
	}
	if r := bound(c, p.Name, peer); r != nil {
		return nil, r
	}
	kept := &proof{mark: i.mark, issuer: i.Name, thumbprint: by.thumbprint}
	if i.asks != nil {
		kept.token = token
		answer, r := i.asks.ask(ctx, token)
		if r == nil {
			r = answer.refusal
		}
		if r != nil {
			return nil, named(r, p.Name)
		}
	}
	p.Proof = kept
	return p, nil
}

// ask lets the issuer judge a token.
func (d *Directory) ask(ctx context.Context, i *issuer, token string, peer sasl.Peer) (*sasl.Principal, *sasl.Reject) {
	answer, r := i.asks.ask(ctx, token)
	if r == nil {
		r = answer.refusal
	}
	if r != nil {
		return nil, r
	}
	now := d.now()
	judged := answer.judged.Load()
	if judged == nil || !judged.Expires.IsZero() && !now.Before(judged.Expires) {
		if judged, r = i.judge(answer.claims, now, false); r != nil {
			return nil, r
		}
		answer.judged.Store(judged)
	}
	if r := bound(answer.claims, judged.Name, peer); r != nil {
		return nil, r
	}
	p := *judged
	p.Proof = &proof{mark: i.mark, issuer: i.Name, token: token}
	return &p, nil
}

// named adds to a refusal whose token it is about.
func named(r *sasl.Reject, name string) *sasl.Reject {
	copied := *r
	copied.Claimed = name
	return &copied
}

// Refresh is that of [sasl.Tokens].
func (d *Directory) Refresh(ctx context.Context, p *sasl.Principal) {
	kept, ok := p.Proof.(*proof)
	if !ok {
		return
	}
	i := d.issuers[kept.issuer]
	if i == nil || i.mark != kept.mark {
		return
	}
	if i.keys != nil {
		i.keys.renew()
	}
	if i.asks != nil && kept.token != "" {
		i.asks.recheck(ctx, kept.token)
	}
}

// endOf is when a token ends: at its exp, unless it was accepted after that for the difference of clocks.
func endOf(expires, now time.Time, skew time.Duration) time.Time {
	if expires.IsZero() || now.Before(expires) {
		return expires
	}
	return expires.Add(skew)
}
