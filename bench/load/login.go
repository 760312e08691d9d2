package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/xdg-go/scram"
)

// Login proves a user with SASL, again and again. It is safe for concurrent use.
type Login struct {
	mechanism, user, password string
	scram                     *scram.Client // keeps the salted password: a login does not derive it anew
}

// NewLogin returns a login by PLAIN, SCRAM-SHA-256 or OAUTHBEARER, whose password is a token.
func NewLogin(mechanism, user, password string) (*Login, error) {
	l := &Login{mechanism: mechanism, user: user, password: password}
	switch mechanism {
	case "PLAIN", "OAUTHBEARER":
	case "SCRAM-SHA-256":
		var err error
		if l.scram, err = scram.SHA256.NewClientUnprepped(user, password, ""); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("mechanism %s is not for this loader", mechanism)
	}
	return l, nil
}

// Mechanism is the SASL mechanism of the login.
func (l *Login) Mechanism() string { return l.mechanism }

func (l *Login) run(c *Conn) error {
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, l.mechanism
	answer, err := c.ask(handshake)
	if err == nil {
		err = check(answer.(*kmsg.SASLHandshakeResponse).ErrorCode)
	}
	if err != nil {
		return err
	}
	if l.scram == nil {
		said := "\x00" + l.user + "\x00" + l.password
		if l.mechanism == "OAUTHBEARER" {
			said = "n,,\x01auth=Bearer " + l.password + "\x01\x01"
		}
		told, err := l.authenticate(c, said)
		if err == nil && told != "" { // RFC 7628 section 3.2.3: an error, though none of Kafka's yet
			err = fmt.Errorf("the server says %q", told)
		}
		return err
	}
	conversation := l.scram.NewConversation()
	challenge := ""
	for !conversation.Done() {
		said, err := conversation.Step(challenge)
		if err != nil {
			return err
		}
		if conversation.Done() {
			break
		}
		if challenge, err = l.authenticate(c, said); err != nil {
			return err
		}
	}
	if !conversation.Valid() {
		return fmt.Errorf("the server did not prove that it knows %s", l.user)
	}
	return nil
}

func (l *Login) authenticate(c *Conn, said string) (string, error) {
	request := kmsg.NewPtrSASLAuthenticateRequest()
	request.Version, request.SASLAuthBytes = 2, []byte(said)
	answer, err := c.ask(request)
	if err != nil {
		return "", err
	}
	response := answer.(*kmsg.SASLAuthenticateResponse)
	return string(response.SASLAuthBytes), check(response.ErrorCode)
}

// loginWorkers is how many clients log in at once; a few for each processor keep all of them busy.
const loginWorkers = 16

// Logins connects, logs in, has request answered unless it is nil, and closes, over and over with many clients at once
// for as long as duration. It returns how many connections did so in a second; TLS sessions are not resumed.
func Logins(ctx context.Context, target Target, request kmsg.Request, duration time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+10*time.Second)
	defer cancel()
	var group sync.WaitGroup
	counts, failures := make([]int, loginWorkers), make([]error, loginWorkers)
	start := time.Now()
	for worker := range loginWorkers {
		group.Go(func() {
			for time.Since(start) < duration && failures[worker] == nil {
				failures[worker] = once(ctx, target, request)
				counts[worker]++
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	total := 0
	for worker := range loginWorkers {
		if failures[worker] != nil {
			return 0, failures[worker]
		}
		total += counts[worker]
	}
	return float64(total) / elapsed.Seconds(), nil
}

func once(ctx context.Context, target Target, request kmsg.Request) error {
	c, err := Dial(ctx, target)
	if err != nil {
		return err
	}
	defer c.Close()
	if request == nil {
		return nil
	}
	_, err = c.ask(request)
	return err
}
