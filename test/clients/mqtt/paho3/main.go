// Command paho3 drives paho.mqtt.golang: MQTT 3.1 and 3.1.1, over TCP, TLS and WebSocket. See ../README.md.
package main

import (
	"errors"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/asyncgate/asyncgate/test/clients/mqtt/driver"
)

func main() { driver.Serve("paho.mqtt.golang", run) }

func run(a *driver.Arguments) (int, error) {
	u := a.URL()
	options := mqtt.NewClientOptions().AddBroker(u.String()).SetClientID(a.Get("id")).SetProtocolVersion(uint(a.Get("version")[0] - '0')).
		SetUsername(a.Get("user")).SetPassword(a.Get("password")).SetTLSConfig(a.TLS()).SetHTTPHeaders(a.Header()).
		SetAutoReconnect(false).SetConnectTimeout(a.Timeout).SetOrderMatters(false)
	client := mqtt.NewClient(options)
	if err := wait(a, client.Connect()); err != nil {
		for _, refusal := range []error{packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised, packets.ErrorRefusedIDRejected} {
			if errors.Is(err, refusal) {
				return 0, fmt.Errorf("%w: %w", driver.ErrRefused, err)
			}
		}
		return 0, err
	}
	defer client.Disconnect(0)
	if a.Job == "login" {
		return 0, nil
	}
	messages := make(chan string, 100)
	if err := wait(a, client.Subscribe(a.Get("topic"), 2, func(_ mqtt.Client, m mqtt.Message) { messages <- string(m.Payload()) })); err != nil {
		return 0, err
	}
	for _, value := range a.Values() {
		if err := wait(a, client.Publish(a.Get("topic"), value[0]-'0', false, value)); err != nil {
			return 0, err
		}
	}
	return a.Await(messages)
}

func wait(a *driver.Arguments, token mqtt.Token) error {
	if !token.WaitTimeout(a.Timeout) {
		return errors.New("no answer")
	}
	return token.Error()
}
