// Package mqttload makes the MQTT work of the benchmark: packets that are encoded once and sent over and over, and counted
// by their length, so that what is measured is what stands between the loader and the broker. It speaks MQTT 3.1.1, whose
// packets have no properties, and 5 where a login needs it.
package mqttload

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/xdg-go/scram"
)

// Target is where connections go and who comes.
type Target struct {
	Address  string      // host:port
	TLS      *tls.Config // nil for none
	User     string
	Password string
	Scram    *scram.Client // not nil: enhanced authentication with SCRAM-SHA-256 instead of the password
}

// answerTimeout bounds the wait for one answer.
const answerTimeout = 30 * time.Second

// dial connects and logs in with a client id of its own. There is no keep alive.
func (t Target) dial(ctx context.Context, id string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	if t.TLS != nil {
		conn = tls.Client(conn, t.TLS)
	}
	_ = conn.SetDeadline(time.Now().Add(answerTimeout))
	if t.Scram != nil {
		err = t.authenticate(conn, id)
	} else {
		err = t.connect(conn, id)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("login: %w", err)
	}
	return conn, conn.SetDeadline(time.Time{})
}

// connect logs in with a user and a password.
func (t Target) connect(conn net.Conn, id string) error {
	body := append(text(nil, "MQTT"), 4, 0xc2, 0, 0) // clean session, user, password; no keep alive
	for _, s := range []string{id, t.User, t.Password} {
		body = text(body, s)
	}
	if _, err := conn.Write(packet(0x10, body)); err != nil {
		return err
	}
	var connack [4]byte
	if _, err := io.ReadFull(conn, connack[:]); err != nil {
		return err
	}
	if connack[0] != 0x20 || connack[3] != 0 {
		return fmt.Errorf("CONNACK %x", connack)
	}
	return nil
}

// authenticate logs in with SCRAM (MQTT 5, section 4.12).
func (t Target) authenticate(conn net.Conn, id string) error {
	conversation := t.Scram.NewConversation()
	first, err := conversation.Step("")
	if err != nil {
		return err
	}
	body := append(text(nil, "MQTT"), 5, 2, 0, 0)
	body = text(append(body, method(first)...), id)
	if _, err := conn.Write(packet(0x10, body)); err != nil {
		return err
	}
	challenge, err := readProof(conn, 0xf0)
	if err != nil {
		return err
	}
	last, err := conversation.Step(challenge)
	if err != nil {
		return err
	}
	if _, err := conn.Write(packet(0xf0, append([]byte{0x18}, method(last)...))); err != nil {
		return err
	}
	proof, err := readProof(conn, 0x20)
	if err == nil {
		_, err = conversation.Step(proof)
	}
	return err
}

// method are the properties authentication method and authentication data, with their length.
func method(data string) []byte {
	properties := text(append(text([]byte{0x15}, "SCRAM-SHA-256"), 0x16), data)
	return append(length(nil, len(properties)), properties...)
}

// readProof reads AUTH or CONNACK and returns the authentication data in it.
func readProof(conn net.Conn, kind byte) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return "", err
	}
	n := int(head[1] & 127)
	if head[1] > 127 {
		var more [1]byte
		if _, err := io.ReadFull(conn, more[:]); err != nil {
			return "", err
		}
		n |= int(more[0]&127) << 7
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(conn, body); err != nil {
		return "", err
	}
	if head[0] != kind || n < 2 {
		return "", fmt.Errorf("packet %x of type %#x instead of %#x", body, head[0], kind)
	}
	if kind == 0x20 {
		body = body[1:] // session present
	}
	if body[0] >= 0x80 {
		return "", fmt.Errorf("refused with %#x", body[0])
	}
	return find(body[1:])
}

// find returns the authentication data among properties.
func find(properties []byte) (string, error) {
	sizes := map[byte]int{0x11: 4, 0x13: 2, 0x17: 1, 0x19: 1, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2a: 1}
	for p := properties[min(1+int(properties[0]>>7), len(properties)):]; len(p) > 2; {
		id, size := p[0], sizes[p[0]]
		if size == 0 { // a text
			size = 2 + int(binary.BigEndian.Uint16(p[1:]))
		}
		if len(p) < 1+size {
			break
		}
		if id == 0x16 {
			return string(p[3 : 1+size]), nil
		}
		p = p[1+size:]
	}
	return "", errors.New("no authentication data")
}

func packet(first byte, body []byte) []byte {
	return append(length([]byte{first}, len(body)), body...)
}

func length(to []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		to = append(to, byte(n)|128)
	}
	return append(to, byte(n))
}

func text(to []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(s))), s...)
}
