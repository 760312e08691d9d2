// Package tokens judges bearer tokens: JSON Web Tokens by the keys of their issuer (RFC 7519, RFC 9068), and opaque ones by
// asking it (RFC 7662). It issues none.
//
// [New] takes the issuers that are believed, and makes a [Directory], which is a [sasl.Tokens]. Several issuers stand side
// by side; a token says whose it is, and is held against that issuer alone.
//
// What a stranger sends is measured before it is decoded, decoded before anything is looked up, and never causes more
// than one question to an issuer within [Issuer.MinInterval]. Keys are kept in memory, renewed in the background, and
// served while the issuer is down, up to [Issuer.MaxAge].
package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Issuer is an issuer of tokens, and what its tokens must be. Files are given by what they hold.
type Issuer struct {
	Name      string   // the claim iss, exactly
	Audiences []string // the claim with the audience has to have one of them
	Audience  string   // that claim; empty: aud

	// Where its keys are, one of these; none where it is only asked (Introspection).
	Discovery string // URL of its configuration (OpenID Connect Discovery 1.0, RFC 8414), which names the keys' URL
	JWKS      string // URL of its keys (RFC 7517)
	Keys      []byte // a JWK set, or PEM public keys and certificates

	Introspection *Introspection // nil: it is not asked

	Algorithms []string            // of signatures; empty: all of [Algorithms]
	Principal  string              // claim with the principal's name; nested ones as a.b; empty: sub
	Prefix     string              // what the principal's name begins with before the claim
	Scopes     []string            // claims with scopes, united; empty: scope and scp
	Required   map[string][]string // claims that must be there, with one of these values if there are any

	Skew        time.Duration // how far its clock and ours may differ
	Refresh     time.Duration // age at which keys are renewed in the background
	MinInterval time.Duration // between two fetches of keys, whatever arrives
	MaxAge      time.Duration // age at which keys, and answers about tokens, count no longer

	CA          []byte // PEM authorities of its HTTPS; nil: the system's
	Certificate []byte // PEM chain that is shown to it; nil: none
	Key         []byte // PEM private key of that
}

// Introspection is how an issuer is asked about a token (RFC 7662).
type Introspection struct {
	URL          string
	ClientID     string        // empty: the certificate is enough
	ClientSecret string        // for HTTP Basic, never logged; empty: the certificate proves ClientID
	Cache        time.Duration // how long an answer is good for
	Recheck      time.Duration // how often it is asked about the tokens of open sessions
}

// Defaults of what an issuer may leave at zero. Skew is Kafka's own for tokens. Refresh and MinInterval keep a rotated key
// from being refused for longer than ten seconds, and a flood of unknown ones from being more than six questions a minute.
// MaxAge is Kafka's default for how long keys are kept.
const (
	DefaultSkew        = 30 * time.Second
	DefaultRefresh     = 5 * time.Minute
	DefaultMinInterval = 10 * time.Second
	DefaultMaxAge      = time.Hour
	DefaultCache       = 30 * time.Second
	DefaultRecheck     = time.Minute
)

// Options are what a directory is made with.
type Options struct {
	Issuers []Issuer
	// Previous is the directory before a reload, or nil. Issuers that have not changed keep what they know.
	Previous *Directory
	// Failed is told when an issuer begins to fail, and with a nil error when it answers again. It may be nil.
	Failed func(issuer string, err error)
	// Now is the clock that claims are held against; nil: time.Now. Ages are not measured with it.
	Now func() time.Time
}

// Directory knows issuers. It is safe for concurrent use.
type Directory struct {
	issuers map[string]*issuer // by name
	opaque  *issuer            // which is asked about tokens that do not say whose they are; nil: none
	now     func() time.Time
}

// New makes a directory. It asks nobody yet; [Directory.Warm] does.
func New(o Options) (*Directory, error) {
	d := &Directory{issuers: make(map[string]*issuer), now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	for i := range o.Issuers {
		c := o.Issuers[i].withDefaults()
		if d.issuers[c.Name] != nil {
			return nil, fmt.Errorf("issuer %s is there twice", c.Name)
		}
		made, err := o.make(c)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", c.Name, err)
		}
		d.issuers[c.Name] = made
		if c.Introspection == nil || made.keys != nil {
			continue
		}
		if d.opaque != nil {
			return nil, errors.New("two issuers have introspection without keys: an opaque token does not say whose it is")
		}
		d.opaque = made
	}
	return d, nil
}

// make takes an issuer over from the previous directory, or makes it anew.
func (o *Options) make(c Issuer) (*issuer, error) {
	mark, err := c.fingerprint()
	if err != nil {
		return nil, err
	}
	if o.Previous != nil {
		if old := o.Previous.issuers[c.Name]; old != nil && old.mark == mark {
			return old.with(c.Keys)
		}
	}
	return newIssuer(c, mark, o.Failed)
}

func (i Issuer) withDefaults() Issuer {
	or := func(d *time.Duration, other time.Duration) {
		if *d == 0 {
			*d = other
		}
	}
	or(&i.Skew, DefaultSkew)
	or(&i.Refresh, DefaultRefresh)
	or(&i.MinInterval, DefaultMinInterval)
	or(&i.MaxAge, DefaultMaxAge)
	if i.Audience == "" {
		i.Audience = "aud"
	}
	if i.Principal == "" {
		i.Principal = "sub"
	}
	if len(i.Scopes) == 0 {
		i.Scopes = []string{"scope", "scp"}
	}
	if len(i.Algorithms) == 0 {
		i.Algorithms = Algorithms()
	}
	if n := i.Introspection; n != nil {
		copied := *n
		or(&copied.Cache, DefaultCache)
		or(&copied.Recheck, DefaultRecheck)
		i.Introspection = &copied
	}
	return i
}

// fingerprint identifies what an issuer is told to be, the contents of a file of keys aside: sessions end when it changes.
func (i Issuer) fingerprint() (string, error) {
	inFile := len(i.Keys) > 0
	i.Keys = nil
	b, err := json.Marshal(struct {
		Issuer Issuer
		InFile bool
	}{i, inFile})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Warm asks for all keys in the background, so that the first login does not wait for them.
func (d *Directory) Warm() {
	for _, i := range d.issuers {
		if i.keys != nil {
			i.keys.start()
		}
	}
}

// proof is what a principal's session keeps. It prints as what it is not: a secret.
type proof struct {
	mark       string // of the issuer's settings at the login
	issuer     string
	thumbprint string // of the key that signed the token; empty: the issuer was asked only
	token      string // kept where the issuer is asked again
}

// String keeps the token out of every log.
func (*proof) String() string { return "bearer token" }

// GoString is String for %#v.
func (*proof) GoString() string { return "bearer token" }

// MarshalJSON is String for encoders.
func (*proof) MarshalJSON() ([]byte, error) { return []byte(`"bearer token"`), nil }

// Check is that of [sasl.Tokens]. Keys that cannot be had do not end a session: it ends with its token.
func (d *Directory) Check(p *sasl.Principal) error {
	if !p.Expires.IsZero() && !d.now().Before(p.Expires) {
		return sasl.ErrExpired
	}
	proof, ok := p.Proof.(*proof)
	if !ok {
		return fmt.Errorf("%w: no token of this directory", sasl.ErrRevoked)
	}
	i := d.issuers[proof.issuer]
	switch {
	case i == nil:
		return fmt.Errorf("%w: issuer %s is not believed any longer", sasl.ErrRevoked, quote(proof.issuer))
	case i.mark != proof.mark:
		return fmt.Errorf("%w: the settings of issuer %s have changed", sasl.ErrRevoked, quote(proof.issuer))
	case proof.thumbprint != "" && !i.keys.holds(proof.thumbprint):
		return fmt.Errorf("%w: issuer %s has withdrawn the key of the token", sasl.ErrRevoked, quote(proof.issuer))
	case i.asks != nil:
		return i.asks.check(proof.token)
	}
	return nil
}
