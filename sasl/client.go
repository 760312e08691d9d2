package sasl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/scram"
)

// MaxIterations is the largest iteration count of a verifier, in a store or from a server that the gateway logs in to.
// It is a bound on what one login can make the gateway compute: with SHA-512 about 90 ms.
const MaxIterations = 150_000

// Bounds of what a server may answer before it has proved itself.
const (
	maxServerNonce = 1 << 10 // bytes, ours included
	maxServerSalt  = 1 << 10 // bytes
)

// Client is one login of the gateway itself, at an upstream. It is for one goroutine.
type Client interface {
	// Mechanism is the mechanism's name.
	Mechanism() string
	// Next takes what the server sent, nil at first, and returns what to send. Done means that the server's last
	// answer was good: there is nothing more to send. After an error or done it must not be called again.
	Next(in []byte) (out []byte, done bool, err error)
}

// NewClient returns the client side of PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. User and password go as they are,
// without SASLprep, as Kafka stores them.
//
// The server is not believed: a SCRAM client that is done has checked that the server knows the password too, and none
// does more than [MaxIterations] rounds of work for it.
func NewClient(mechanism, user string, password []byte) (Client, error) {
	if user == "" || len(password) == 0 {
		return nil, errors.New("a login needs a user name and a password")
	}
	if strings.ContainsRune(user, 0) || !utf8.ValidString(user) || utf8.RuneCountInString(user) > maxUser {
		return nil, fmt.Errorf("the user name has to be UTF-8 without NUL, of at most %d characters", maxUser)
	}
	switch mechanism {
	case Plain:
		if strings.ContainsRune(string(password), 0) || !utf8.Valid(password) {
			return nil, errors.New("a password for PLAIN has to be UTF-8 without NUL (RFC 4616)")
		}
		return &plainClient{user: user, password: string(password)}, nil
	case ScramSHA256:
		return newScramClient(SHA256, user, string(password))
	case ScramSHA512:
		return newScramClient(SHA512, user, string(password))
	}
	return nil, fmt.Errorf("no mechanism %s: there are %s, %s and %s", quote(mechanism), Plain, ScramSHA256, ScramSHA512)
}

var errOver = errors.New("the login is over")

type plainClient struct {
	user, password string
	round          int
}

func (c *plainClient) Mechanism() string { return Plain }

func (c *plainClient) Next(in []byte) ([]byte, bool, error) {
	c.round++
	switch {
	case len(in) > 0:
		return nil, false, errors.New("the server sent something, and PLAIN has nothing for it to send")
	case c.round == 1:
		return []byte("\x00" + c.user + "\x00" + c.password), false, nil
	case c.round == 2:
		return nil, true, nil
	}
	return nil, false, errOver
}

type scramClient struct {
	hash         Hash
	conversation *scram.ClientConversation
	round        int
}

func newScramClient(h Hash, user, password string) (Client, error) {
	client, err := h.generator().NewClientUnprepped(user, password, "")
	if err != nil {
		return nil, err
	}
	return &scramClient{hash: h, conversation: client.WithMinIterations(MinIterations).NewConversation()}, nil
}

func (c *scramClient) Mechanism() string { return c.hash.mechanism() }

func (c *scramClient) Next(in []byte) ([]byte, bool, error) {
	c.round++
	var err error
	switch c.round {
	case 1:
		if len(in) > 0 {
			err = errors.New("the server spoke first")
		}
	case 2:
		err = checkServerFirst(in)
	case 3:
		err = c.checkServerFinal(in)
	default:
		err = errOver
	}
	if err != nil {
		c.round = 3
		return nil, false, err
	}
	out, err := c.conversation.Step(string(in))
	if err != nil {
		c.round = 3
		return nil, false, fmt.Errorf("%s", clean(err))
	}
	if c.round < 3 {
		return []byte(out), false, nil
	}
	if !c.conversation.Valid() {
		return nil, false, errors.New("the server did not prove that it knows the password")
	}
	return nil, true, nil
}

// clean shows the library's error, which may quote the server.
func clean(err error) string { return strings.Trim(quote(err.Error()), `"`) }

// checkServerFirst reads "r=NONCE,s=SALT,i=ITERATIONS" and bounds each.
func checkServerFirst(in []byte) error {
	fields, err := splitMessage(in)
	if err != nil {
		return fmt.Errorf("the server sent %w", err)
	}
	if text, ok := strings.CutPrefix(fields[0], "e="); ok {
		return fmt.Errorf("the server refused the login: %s", quote(text))
	}
	if len(fields) < 3 || !strings.HasPrefix(fields[0], "r=") || !strings.HasPrefix(fields[1], "s=") || !strings.HasPrefix(fields[2], "i=") {
		return errors.New("the server's first message is not r=, s=, i=")
	}
	if nonce := fields[0][2:]; !printable(nonce) || len(nonce) > maxServerNonce {
		return errors.New("the server's nonce is empty, too long or not printable ASCII")
	}
	if salt, err := decodeBase64(fields[1][2:]); err != nil || len(salt) == 0 || len(salt) > maxServerSalt {
		return errors.New("the server's salt is empty, too long or not base64")
	}
	count := fields[2][2:]
	n, err := strconv.Atoi(count)
	if err != nil || strconv.Itoa(n) != count || n < MinIterations || n > MaxIterations {
		return fmt.Errorf("the server's iteration count is %s, and has to be from %d to %d", quote(count), MinIterations, MaxIterations)
	}
	return nil
}

// checkServerFinal reads "v=SIGNATURE", or what the server says in its place.
func (c *scramClient) checkServerFinal(in []byte) error {
	fields, err := splitMessage(in)
	if err != nil {
		return fmt.Errorf("the server sent %w", err)
	}
	if text, ok := strings.CutPrefix(fields[0], "e="); ok {
		return fmt.Errorf("the server refused the login: %s", quote(text))
	}
	signature, ok := strings.CutPrefix(fields[0], "v=")
	if raw, err := decodeBase64(signature); !ok || err != nil || len(raw) != c.hash.size() {
		return errors.New("the server's final message has no signature")
	}
	return nil
}
