package dialogue

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// conversation is what later messages need to know of earlier ones.
type conversation struct {
	correlation int32
	mechanism   string // of the last SaslHandshake
	nonce       string // of the client

	tokens  func(kind string) (text string, ends time.Time, err error) // see Target.Token
	expires time.Time                                                  // when the last token that was sent ends

	// The SCRAM messages so far (RFC 5802 section 3), to compute and verify proofs.
	firstBare, serverFirst, finalBare string
	password                          string // of the last proof
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// expand replaces what stands in braces in a text:
//
//	{nonce}            a nonce of the client, new for every connection
//	{r}                the nonce in the server's first SCRAM message
//	{proof}            the proof of alice's password over the messages so far; it stands at the end
//	{proof:PASSWORD}   of another password
//	{zeros:N}          N zero bytes in base64
//	{token:KIND}       a bearer token of that kind, see [Target]
//	{X*N}              N times X
//
// What may be the first message of a SCRAM login is remembered as that, what ends in a proof as the last.
func (c *conversation) expand(text string) ([]byte, error) {
	var failed error
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		word := p[1 : len(p)-1]
		name, argument, _ := strings.Cut(word, ":")
		switch name {
		case "nonce":
			if c.nonce == "" {
				c.nonce = rand.Text()
			}
			return c.nonce
		case "r":
			return scramValue(c.serverFirst, "r=")
		case "proof":
			return p // last
		case "token":
			token, err := c.bearer(argument)
			if err != nil {
				failed = err
			}
			return token
		case "zeros":
			n, err := strconv.Atoi(argument)
			if err != nil {
				failed = err
				return ""
			}
			return base64.StdEncoding.EncodeToString(make([]byte, n))
		}
		if what, times, ok := strings.Cut(word, "*"); ok {
			n, err := strconv.Atoi(times)
			if err != nil {
				failed = err
				return ""
			}
			return strings.Repeat(what, n)
		}
		failed = fmt.Errorf("%s stands for nothing", p)
		return ""
	})
	if parts := strings.SplitN(out, ",", 3); len(parts) == 3 && !strings.HasPrefix(out, "c=") {
		c.firstBare = parts[2]
	}
	if at := strings.Index(out, "{proof"); at >= 0 {
		_, password, given := strings.Cut(out[at:len(out)-1], ":")
		if !given {
			password = "alice-secret"
		}
		out = out[:at] + c.proof(strings.TrimSuffix(out[:at], ",p="), password)
	}
	return []byte(out), failed
}

// bearer asks for a token of a kind, and remembers when it ends.
func (c *conversation) bearer(kind string) (string, error) {
	if c.tokens == nil {
		return "", errors.New("the target has no tokens")
	}
	token, ends, err := c.tokens(kind)
	c.expires = ends
	return token, err
}

// proof is a client's proof (RFC 5802 section 3), in base64.
func (c *conversation) proof(finalBare, password string) string {
	c.finalBare, c.password = finalBare, password
	client := mac(c.hash(), c.salted(), []byte("Client Key"))
	stored := c.hash()()
	stored.Write(client)
	signature := mac(c.hash(), stored.Sum(nil), []byte(c.authMessage()))
	for i := range client {
		client[i] ^= signature[i]
	}
	return base64.StdEncoding.EncodeToString(client)
}

// signed reports whether the server has proved that it knows the user's keys.
func (c *conversation) signed(signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	server := mac(c.hash(), c.salted(), []byte("Server Key"))
	return err == nil && bytes.Equal(got, mac(c.hash(), server, []byte(c.authMessage())))
}

func (c *conversation) authMessage() string {
	return c.firstBare + "," + c.serverFirst + "," + c.finalBare
}

func (c *conversation) salted() []byte {
	salt, _ := base64.StdEncoding.DecodeString(scramValue(c.serverFirst, "s="))
	iterations, _ := strconv.Atoi(scramValue(c.serverFirst, "i="))
	key, err := pbkdf2.Key(c.hash(), c.password, salt, max(iterations, 1), c.hash()().Size())
	if err != nil {
		panic(err) // only for a length that no hash has
	}
	return key
}

func (c *conversation) hash() func() hash.Hash {
	if c.mechanism == "SCRAM-SHA-512" {
		return sha512.New
	}
	return sha256.New
}

func mac(h func() hash.Hash, key, message []byte) []byte {
	m := hmac.New(h, key)
	m.Write(message)
	return m.Sum(nil)
}

func scramValue(message, attribute string) string {
	for a := range strings.SplitSeq(message, ",") {
		if v, ok := strings.CutPrefix(a, attribute); ok {
			return v
		}
	}
	return ""
}

// token writes down a token of the server.
func (c *conversation) token(b []byte) string {
	text := string(b)
	switch {
	case strings.HasPrefix(c.mechanism, "SCRAM-") && strings.HasPrefix(text, "r="):
		c.serverFirst = text
		salt, err := base64.StdEncoding.DecodeString(scramValue(text, "s="))
		nonce := scramValue(text, "r=")
		sent := scramValue(c.firstBare, "r=")
		mine := strings.HasPrefix(nonce, sent) && len(nonce) >= len(sent)+16
		if rest := fmt.Sprintf("r=%s,s=%s,i=%s", nonce, scramValue(text, "s="), scramValue(text, "i=")); err == nil && len(salt) >= 12 && mine && rest == text {
			return "r=NONCE,s=SALT,i=" + scramValue(text, "i=")
		}
	case strings.HasPrefix(c.mechanism, "SCRAM-") && strings.HasPrefix(text, "v="):
		if c.signed(text[len("v="):]) {
			return "v=SIGNATURE"
		}
	}
	return strconv.Quote(text)
}
