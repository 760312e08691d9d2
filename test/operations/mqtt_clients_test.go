package operations_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/asyncgate/asyncgate/test/mosquitto"
)

// mqttClient is a client that is logged in.
type mqttClient interface {
	publish(m *message) string           // acknowledged, or a reason code
	subscribe(filters []string) []string // granted, or a reason code
	messages() []string                  // payloads that have come
	settle()                             // returns when the broker has seen all that was sent
	drop()                               // ends the connection without a word
}

// What clients are told.
const (
	acknowledged = "acknowledged"
	granted      = "granted"
)

// inbox is what has come.
type inbox struct {
	mu  sync.Mutex
	all []string
}

func (i *inbox) add(payload []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, string(payload))
}

func (i *inbox) messages() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.all)
}

// dial opens a connection to the gateway.
func (w *mqttWorld) dial(t *testing.T, who string) net.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", w.gateway.Address(t, w.Principals[who].Server), mosquittotest.ClientTLS(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// five is paho.golang.
type five struct {
	*inbox
	t      *testing.T
	client *paho.Client
	conn   net.Conn
}

// paho5 logs in with MQTT 5; if it is refused, it says how.
func paho5(t *testing.T, w *mqttWorld, who string, will *message) (mqttClient, string) {
	t.Helper()
	return w.login5(t, who, w.unique("five"), false, will)
}

// login5 is paho5 with a client id, and perhaps a session that is kept and taken up again.
func (w *mqttWorld) login5(t *testing.T, who, id string, keep bool, will *message) (mqttClient, string) {
	t.Helper()
	c := &five{inbox: &inbox{}, t: t, conn: w.dial(t, who)}
	config := paho.ClientConfig{Conn: packets.NewThreadSafeConn(c.conn)}
	config.OnPublishReceived = append(config.OnPublishReceived, func(p paho.PublishReceived) (bool, error) {
		c.add(p.Packet.Payload)
		return true, nil
	})
	c.client = paho.NewClient(config)
	user, password := w.proof(t, who)
	connect := &paho.Connect{ClientID: id, CleanStart: !keep, KeepAlive: 60, UsernameFlag: true, Username: user}
	connect.PasswordFlag, connect.Password = password != "", []byte(password)
	connect.Properties = &paho.ConnectProperties{RequestProblemInfo: true}
	if keep {
		expiry := uint32(3600)
		connect.Properties.SessionExpiryInterval = &expiry
	}
	if will != nil {
		connect.WillMessage = &paho.WillMessage{Topic: will.topic, QoS: will.qos, Retain: will.retained, Payload: []byte(will.payload)}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	connack, err := c.client.Connect(ctx, connect)
	if connack != nil && connack.ReasonCode >= 0x80 {
		return nil, fmt.Sprintf("CONNACK %#02x", connack.ReasonCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, ""
}

func (c *five) publish(m *message) string {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	answer, err := c.client.Publish(ctx, &paho.Publish{Topic: m.topic, QoS: m.qos, Retain: m.retained, Payload: []byte(m.payload)})
	switch {
	case answer != nil && answer.ReasonCode >= 0x80:
		return fmt.Sprintf("%#02x", answer.ReasonCode)
	case err != nil:
		return err.Error()
	}
	return acknowledged
}

func (c *five) subscribe(filters []string) []string {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	var options []paho.SubscribeOptions
	for _, filter := range filters {
		options = append(options, paho.SubscribeOptions{Topic: filter, QoS: 1})
	}
	answer, err := c.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: options})
	if answer == nil {
		c.t.Fatal(err)
	}
	var outcomes []string
	for _, code := range answer.Reasons {
		outcomes = append(outcomes, grant(code))
	}
	return outcomes
}

func grant(code byte) string {
	if code == 1 {
		return granted
	}
	return fmt.Sprintf("%#02x", code)
}

func (c *five) settle() {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if _, err := c.client.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{"settle"}}); err != nil {
		c.t.Errorf("settle: %v", err)
	}
}

func (c *five) drop() { _ = c.conn.Close() }

// three is paho.mqtt.golang.
type three struct {
	*inbox
	t      *testing.T
	client mqtt.Client
	conn   net.Conn
}

// paho3 logs in with MQTT 3.1.1; if it is refused, it says how.
func paho3(t *testing.T, w *mqttWorld, who string, will *message) (mqttClient, string) {
	t.Helper()
	return w.login3(t, who, w.unique("three"), false, will)
}

// login3 is paho3 with a client id, and perhaps a session that is kept and taken up again.
func (w *mqttWorld) login3(t *testing.T, who, id string, keep bool, will *message) (mqttClient, string) {
	t.Helper()
	c := &three{inbox: &inbox{}, t: t}
	user, password := w.proof(t, who)
	options := mqtt.NewClientOptions().AddBroker("mqtts://gateway").SetClientID(id).SetProtocolVersion(4).SetUsername(user).SetPassword(password).
		SetCleanSession(!keep).SetAutoReconnect(false).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { c.add(m.Payload()) }).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
			c.conn = w.dial(t, who)
			return c.conn, nil
		})
	if will != nil {
		options.SetBinaryWill(will.topic, []byte(will.payload), will.qos, will.retained)
	}
	c.client = mqtt.NewClient(options)
	token := c.client.Connect()
	if err := done(token); err != nil {
		if code := token.(*mqtt.ConnectToken).ReturnCode(); code != 0 && code < 6 {
			return nil, fmt.Sprintf("CONNACK 0x%02x", code)
		}
		t.Fatal(err)
	}
	return c, ""
}

func done(token mqtt.Token) error {
	if !token.WaitTimeout(patience) {
		return errors.New("no answer")
	}
	return token.Error()
}

func (c *three) publish(m *message) string {
	if err := done(c.client.Publish(m.topic, m.qos, m.retained, m.payload)); err != nil {
		return err.Error()
	}
	return acknowledged
}

func (c *three) subscribe(filters []string) []string {
	wanted := map[string]byte{}
	for _, filter := range filters {
		wanted[filter] = 1
	}
	token := c.client.SubscribeMultiple(wanted, nil)
	_ = done(token) // the codes say it
	var outcomes []string
	for _, filter := range filters {
		outcomes = append(outcomes, grant(token.(*mqtt.SubscribeToken).Result()[filter]))
	}
	return outcomes
}

func (c *three) settle() {
	if err := done(c.client.Unsubscribe("settle")); err != nil {
		c.t.Errorf("settle: %v", err)
	}
}

func (c *three) drop() { _ = c.conn.Close() }
