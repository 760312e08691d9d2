package mqtt_test

import (
	"context"
	"net"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// scramLogin is the client's side of SCRAM for paho.
type scramLogin struct {
	client sasl.Client
	done   bool
}

func (a *scramLogin) Authenticate(p *paho.Auth) *paho.Auth {
	out, _, err := a.client.Next(p.Properties.AuthData)
	if err != nil {
		return &paho.Auth{ReasonCode: byte(packets.AuthContinueAuthentication)}
	}
	return &paho.Auth{ReasonCode: byte(packets.AuthContinueAuthentication),
		Properties: &paho.AuthProperties{AuthMethod: sasl.ScramSHA512, AuthData: out}}
}

func (a *scramLogin) Authenticated() { a.done = true }

// A client library that is not ours finds in the gateway the broker that it expects.
func TestPaho(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, func(p *plan.Plan) { add(p, "scram", b.url, scram) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, server := range []string{"mqtt", "scram"} {
		conn, err := net.Dial("tcp", w.addresses[server])
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan string, 10)
		config := paho.ClientConfig{Conn: conn, ClientID: "paho", OnPublishReceived: []func(paho.PublishReceived) (bool, error){
			func(p paho.PublishReceived) (bool, error) {
				heard <- p.Packet.Topic + "=" + string(p.Packet.Payload) + " to " + p.Packet.Properties.ResponseTopic
				return true, nil
			}}}
		connect := &paho.Connect{ClientID: "paho", CleanStart: true, KeepAlive: 30}
		prover := &scramLogin{}
		if server == "mqtt" {
			connect.UsernameFlag, connect.Username, connect.PasswordFlag, connect.Password = true, "alice", true, []byte(inprocess.Password("alice"))
		} else {
			var first []byte
			prover.client, first = prove(t, "alice", inprocess.Password("alice"))
			connect.Properties = &paho.ConnectProperties{AuthMethod: sasl.ScramSHA512, AuthData: first}
			config.AuthHandler = prover
		}
		c := paho.NewClient(config)
		ack, err := c.Connect(ctx, connect)
		if err != nil {
			t.Fatalf("%s: %v", server, err)
		}
		if server == "scram" {
			if _, done, err := prover.client.Next(ack.Properties.AuthData); !done || err != nil {
				t.Errorf("the gateway has not proved itself: %v", err)
			}
		}
		if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "lights/+", QoS: 2}}}); err != nil {
			t.Fatal(err)
		}
		for qos := range byte(3) {
			_, err := c.Publish(ctx, &paho.Publish{Topic: "lights/1", QoS: qos, Payload: []byte("on"),
				Properties: &paho.PublishProperties{ResponseTopic: "answers"}})
			if err != nil {
				t.Fatalf("%s, QoS %d: %v", server, qos, err)
			}
			select {
			case got := <-heard:
				if got != "lights/1=on to answers" {
					t.Errorf("heard %s", got)
				}
			case <-ctx.Done():
				t.Fatal("nothing heard")
			}
		}
		if err := c.Disconnect(&paho.Disconnect{}); err != nil {
			t.Error(err)
		}
	}
}
