// Package examples holds the documents that `asyncgate demo` runs, as they are published.
package examples

import _ "embed"

// StreetlightsKafka is the Kafka example of the AsyncAPI specification 3.1, unedited. Its two servers ask for SCRAM and
// for client certificates.
//
//go:embed streetlights/streetlights-kafka.yml
var StreetlightsKafka []byte

// StreetlightsMQTT is the MQTT example of the AsyncAPI specification 3.1, unedited. Its one server offers an API key or two
// kinds of tokens.
//
//go:embed streetlights-mqtt/streetlights-mqtt.yml
var StreetlightsMQTT []byte
