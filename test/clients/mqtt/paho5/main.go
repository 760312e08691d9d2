// Command paho5 drives paho.golang: MQTT 5, over TCP, TLS and WebSocket, and enhanced authentication. See ../README.md.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/xdg-go/scram"

	"github.com/asyncgate/asyncgate/test/clients/mqtt/driver"
)

func main() { driver.Serve("paho.golang", run) }

func run(a *driver.Arguments) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), a.Timeout)
	defer cancel()
	conn, err := dial(ctx, a)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	messages, failed, ended := make(chan string, 100), make(chan error, 10), make(chan byte, 10)
	config := paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn)}
	config.OnClientError = func(err error) { failed <- err; ended <- 0 }
	config.OnServerDisconnect = func(d *paho.Disconnect) { ended <- d.ReasonCode }
	config.OnPublishReceived = append(config.OnPublishReceived, func(p paho.PublishReceived) (bool, error) {
		messages <- string(p.Packet.Payload)
		return true, nil
	})
	connect := &paho.Connect{ClientID: a.Get("id"), CleanStart: true, KeepAlive: 60, Properties: &paho.ConnectProperties{RequestProblemInfo: true}}
	token, err := a.Token(ctx)
	if err != nil {
		return 0, err
	}
	proof, err := prove(a, connect, token)
	if err != nil {
		return 0, err
	}
	if proof != nil {
		config.AuthHandler = proof
	}
	client := paho.NewClient(config)
	if err := login(ctx, client, connect, proof, failed); err != nil {
		return 0, err
	}
	defer func() { _ = client.Disconnect(&paho.Disconnect{}) }()
	if a.Job == "login" {
		return 0, nil
	}
	topic := a.Get("topic")
	if _, err := client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 2}}}); err != nil {
		return 0, err
	}
	if a.Job == "listen" {
		return a.Listen(messages, ended, func() error { return renew(ctx, a, client) })
	}
	for _, value := range a.Values() {
		properties := &paho.PublishProperties{User: paho.UserProperties{{Key: "by", Value: "paho.golang"}}}
		if _, err := client.Publish(ctx, &paho.Publish{Topic: topic, QoS: value[0] - '0', Payload: []byte(value), Properties: properties}); err != nil {
			return 0, err
		}
	}
	return a.Await(messages)
}

func dial(ctx context.Context, a *driver.Arguments) (net.Conn, error) {
	u := a.URL()
	switch u.Scheme {
	case "mqtt":
		return (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	case "mqtts":
		return (&tls.Dialer{Config: a.TLS()}).DialContext(ctx, "tcp", u.Host)
	}
	ws, _, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{ //nolint:bodyclose // the library's documentation: never needed
		Subprotocols: []string{"mqtt"}, HTTPHeader: a.Header(),
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: a.TLS()}},
	})
	if err != nil {
		return nil, err
	}
	return websocket.NetConn(ctx, ws, websocket.MessageBinary), nil
}

// login connects, and turns a refusal into ErrRefused.
func login(ctx context.Context, client *paho.Client, connect *paho.Connect, proof *proof, failed <-chan error) error {
	connack, err := client.Connect(ctx, connect)
	if connack != nil && connack.ReasonCode >= 0x80 {
		refusals := []byte{packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized, packets.ConnackBadAuthenticationMethod, packets.ConnackInvalidClientID}
		if slices.Contains(refusals, connack.ReasonCode) {
			return fmt.Errorf("%w: %#x", driver.ErrRefused, connack.ReasonCode)
		}
		return fmt.Errorf("CONNACK %#x", connack.ReasonCode)
	}
	if err != nil {
		select {
		case reason := <-failed: // why there was no CONNACK
			return fmt.Errorf("%w: %w", err, reason)
		default:
			return err
		}
	}
	if proof != nil && proof.conversation != nil {
		if _, err := proof.conversation.Step(string(connack.Properties.AuthData)); err != nil {
			return fmt.Errorf("the server's proof: %w", err)
		}
	}
	return nil
}

// proof is the client's side of enhanced authentication.
type proof struct {
	method       string
	conversation *scram.ClientConversation // nil for PLAIN and OAUTHBEARER
}

// prove puts into CONNECT what proves the client.
func prove(a *driver.Arguments, connect *paho.Connect, password string) (*proof, error) {
	user, method := a.Get("user"), a.Get("auth")
	if method == "" {
		connect.UsernameFlag, connect.Username = user != "", user
		connect.PasswordFlag, connect.Password = password != "", []byte(password)
		return nil, nil
	}
	connect.Properties.AuthMethod = method
	p := &proof{method: method}
	switch method {
	case "PLAIN":
		connect.Properties.AuthData = []byte("\x00" + user + "\x00" + password)
		return p, nil
	case "OAUTHBEARER":
		connect.Properties.AuthData = bearer(password)
		return p, nil
	}
	hash, known := map[string]scram.HashGeneratorFcn{"SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-512": scram.SHA512}[method]
	if !known {
		return nil, errors.New("unknown method " + method)
	}
	client, err := hash.NewClientUnprepped(user, password, "")
	if err != nil {
		return nil, err
	}
	p.conversation = client.NewConversation()
	first, err := p.conversation.Step("")
	connect.Properties.AuthData = []byte(first)
	return p, err
}

// bearer is the first message of OAUTHBEARER (RFC 7628).
func bearer(token string) []byte { return []byte("n,,\x01auth=Bearer " + token + "\x01\x01") }

// renew proves the client anew on its connection, with another token (MQTT 5 section 4.12.1).
func renew(ctx context.Context, a *driver.Arguments, client *paho.Client) error {
	token, err := a.Token(ctx)
	if err != nil {
		return err
	}
	answer, err := client.Authenticate(ctx, &paho.Auth{ReasonCode: packets.AuthReauthenticate,
		Properties: &paho.AuthProperties{AuthMethod: a.Get("auth"), AuthData: bearer(token)}})
	if err == nil && !answer.Success {
		err = fmt.Errorf("%w: %#x", driver.ErrRefused, answer.ReasonCode)
	}
	return err
}

// Authenticate answers the server's challenge. What it cannot answer it answers wrongly: the server refuses that.
func (p *proof) Authenticate(challenge *paho.Auth) *paho.Auth {
	next := ""
	if p.conversation != nil {
		next, _ = p.conversation.Step(string(challenge.Properties.AuthData))
	}
	return &paho.Auth{ReasonCode: packets.AuthContinueAuthentication, Properties: &paho.AuthProperties{AuthMethod: p.method, AuthData: []byte(next)}}
}

// Authenticated has nothing to do: the server's proof is in CONNACK.
func (p *proof) Authenticated() {}
