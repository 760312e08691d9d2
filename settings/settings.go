// Package settings reads asyncgate.yaml: where an AsyncAPI document is enforced and with what. The document says what a
// client must prove; the settings say on which addresses, with which certificates and credentials, and in front of
// which brokers.
//
// [Load] reads a file, [Parse] bytes. Every value keeps its line and column, so that whoever uses it can point there.
// A key that is not known is an error, and so is one whose meaning this version does not have: nothing is ignored.
// docs/settings.md describes every key, and [Schema] is the JSON Schema for editors.
package settings

import (
	_ "embed"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

// Schema is the JSON Schema (draft 2020-12) of the settings file.
//
//go:embed asyncgate.schema.json
var Schema []byte

// At is where a value stands in the settings file.
type At struct {
	Line    int    // from 1; 0 for a value that is not there
	Column  int    // in characters, from 1
	Pointer string // JSON pointer
}

// Stated reports whether the settings say anything here.
func (a At) Stated() bool { return a.Line > 0 }

// Value is a value and its place.
type Value[T any] struct {
	At
	V T
}

// Settings is a settings file. Paths in it are absolute.
type Settings struct {
	File string // as it was given

	Servers     []Server // in the order of the file
	Credentials Value[string]
	DecoySecret Value[plan.Secret]
	Admins      []Value[string]
	Issuers     []Issuer // of tokens
	Enforce     Value[plan.Enforce]
	Perspective Value[string] // Application, Counterparty or Either
	Grants      []Grant
	Limits      plan.Limits // with the defaults for what the file does not say
	Admin       Value[string]
}

// Server is what the settings say about one server of the document.
type Server struct {
	At
	Name string

	Enabled   Value[bool]
	Listen    Value[string] // host:port
	Advertise Value[plan.Address]
	Upstream  Upstream
	Brokers   Brokers
	TLS       TLS
	Variables []Variable

	Parameters []Parameter

	Security                   Value[[]Scheme]
	Mechanisms                 []Value[string]
	RequireAll                 Value[bool]
	AllowAnonymous             Value[bool]
	UnsafePlaintextCredentials Value[bool]
	ProxyProtocol              Value[bool]
	MaxSession                 Value[time.Duration]

	Protocol  Value[string]   // mqtt: what a ws or wss server carries
	ClientIDs Value[string]   // derived or verbatim
	Origins   []Value[string] // of web pages that may open a WebSocket
}

// Variable is the value of a {variable} in the address of the document's server.
type Variable struct {
	Value[string]
	Name string
}

// Scheme is a security scheme that the settings demand where the document is silent.
type Scheme struct {
	At
	Type string // as AsyncAPI spells it
	In   string // for apiKey: user or password
}

// Upstream is the brokers behind a server, and who the gateway is to them.
type Upstream struct {
	At
	Bootstrap []Value[string] // Kafka: host:port
	TLS       UpstreamTLS
	Identity  Value[string]
	SASL      UpstreamSASL  // Kafka
	Exchange  TokenExchange // Kafka

	Address  Value[string]      // MQTT: host:port or a URL that [SplitBroker] takes apart
	Username Value[string]      // MQTT
	Password Value[plan.Secret] // MQTT
}

// UpstreamTLS is how the gateway speaks TLS to the brokers. Stated without anything in it: with the system's CAs.
type UpstreamTLS struct {
	At
	CA          Value[string]
	ServerName  Value[string]
	Certificate Value[string]
	Key         Value[string]
}

// UpstreamSASL is the gateway's own login.
type UpstreamSASL struct {
	At
	Mechanism Value[string]
	Username  Value[string]
	Password  Value[plan.Secret]
	Token     ClientCredentials
}

// Brokers is how the brokers behind a server get addresses at the gateway: a range of ports or SNI names.
type Brokers struct {
	At
	Ports       At // where the range stands
	First, Last uint16
	FirstID     Value[int32]
	SNI         Value[string]
}

// TLS is what the server shows its clients, and whose certificates it believes.
type TLS struct {
	At
	Certificate Value[string]
	Key         Value[string]
	ClientCA    Value[string]
	CRL         Value[string]
}

// Server is what the settings say about the server of that name, or nil.
func (s *Settings) Server(name string) *Server {
	for i := range s.Servers {
		if s.Servers[i].Name == name {
			return &s.Servers[i]
		}
	}
	return nil
}
