package inprocess

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// The servers of an [MQTTPlan], by what a client must prove there.
const (
	ByPassword = "password" // user name and password in CONNECT
	ByScram    = "scram"    // either SCRAM by enhanced authentication, which takes MQTT 5
)

// InWebSocket after the name of a server is that of one that asks for the same inside a WebSocket.
const InWebSocket = "-ws"

// MQTTPlan has a server of each kind, in clear, on TCP and inside a WebSocket, before one broker, given as a URL. Limits are those of [Plan].
func MQTTPlan(o PlanOptions) *plan.Plan {
	p := bare(o)
	add := func(name string, ways ...plan.Alternative) {
		for suffix, protocol := range map[string]string{"": "mqtt", InWebSocket: "ws"} {
			p.Servers = append(p.Servers, plan.Server{
				Name: name + suffix, Protocol: protocol, Enforced: true, Listen: "127.0.0.1:0", Advertise: plan.Address{Host: "127.0.0.1"},
				MQTT: &plan.MQTT{ClientIDs: plan.DerivedIDs, WebSocket: protocol == "ws"}, Alternatives: ways,
				Upstream: plan.Upstream{Bootstrap: o.Bootstrap, Identity: plan.IdentityService},
			})
		}
	}
	add(ByPassword, way("userPassword", sasl.Password))
	add(ByScram, way("scramSha256", sasl.ScramSHA256), way("scramSha512", sasl.ScramSHA512))
	return p
}

// way is an alternative of one scheme.
func way(scheme string, mechanisms ...string) plan.Alternative {
	return plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: scheme, Mechanisms: mechanisms}}}
}
