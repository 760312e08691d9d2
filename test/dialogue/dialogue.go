// Package dialogue plays raw conversations with a Kafka server and writes down what was answered.
//
// A dialogue is text. What is sent and what comes back stand in one file, so that it reads as a transcript, and the file
// of a suite is at once its input and its expectation:
//
//	# A comment belongs to the dialogue below it.
//	== unknown-mechanism
//	on sasl
//	> SaslHandshake v1 "FOO"
//	< SaslHandshake v1 error=33 mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
//	closed
//
// The statements:
//
//	on LISTENER            where to connect: plaintext, sasl, sasl-tls, sasl-tls-optional, mtls, sasl-expiring,
//	                       bearer
//	tls OPTION=VALUE…      how the TLS handshake goes, where the listener has one: certificate=NAME, max=1.1, name=SNI,
//	                       alpn=PROTOCOL, fragment=BYTES of the ClientHello in a record
//	without tls            sends in clear to a TLS port
//	> MESSAGE              sends, and reads as many answers as are due
//	+ MESSAGE              holds the message back, to go out in one segment with the next one that is sent
//	slowly                 the next message goes out byte by byte
//	drip                   the same, with a pause of 50 ms after each byte
//	fin                    ends the sending direction
//	mark                   what follows is what is measured, see [Target]
//	expire                 waits until the session of the last login has expired
//	< …                    one answer
//	open, closed, tls refused   how it ends
//
// Messages are described at [Message]. Answers are written so that they compare: correlation ids are checked and left
// out, nonces, salts and signatures are verified and named, mechanisms are in alphabetical order. Times are not
// compared.
package dialogue

import (
	"fmt"
	"strings"
)

// Dialogue is one conversation.
type Dialogue struct {
	Name     string
	Comments []string // without the "# "
	Header   []string // statements that this package does not know, before the first step; see Parse
	Listener string
	InClear  bool              // sends in clear where the listener has TLS
	TLS      map[string]string // options of the TLS handshake
	Steps    []Step
	End      string // one of the End constants; empty: not known yet
}

// How a dialogue ends.
const (
	Open    = "open"        // the server waits for more
	Closed  = "closed"      // the server has closed the connection
	Refused = "tls refused" // the TLS handshake failed, or was undone by an alert
)

// Step is one thing that a client does, and what is answered to it.
type Step struct {
	Verb    string // ">", "+", "slowly", "drip", "fin", "mark" or "expire"
	Message *Message
	Answers []string // without the "< "
}

// String is the step without its answers, as a file spells it.
func (s Step) String() string {
	if s.Message == nil {
		return s.Verb
	}
	return s.Verb + " " + s.Message.Text
}

// Transcript is what was said, a line each, without the name and where it happened.
func (d *Dialogue) Transcript() string {
	var b strings.Builder
	for _, s := range d.Steps {
		fmt.Fprintln(&b, s)
		for _, a := range s.Answers {
			fmt.Fprintln(&b, "<", a)
		}
	}
	if d.End != "" {
		fmt.Fprintln(&b, d.End)
	}
	return b.String()
}

// String is the whole dialogue as a file spells it.
func (d *Dialogue) String() string {
	var b strings.Builder
	for _, c := range d.Comments {
		fmt.Fprintln(&b, strings.TrimRight("# "+c, " "))
	}
	fmt.Fprintln(&b, "==", d.Name)
	for _, h := range d.Header {
		fmt.Fprintln(&b, h)
	}
	if d.Listener != defaultListener {
		fmt.Fprintln(&b, "on", d.Listener)
	}
	if d.InClear {
		fmt.Fprintln(&b, "without tls")
	}
	if len(d.TLS) > 0 {
		fmt.Fprintln(&b, "tls", options(d.TLS))
	}
	b.WriteString(d.Transcript())
	return b.String()
}
