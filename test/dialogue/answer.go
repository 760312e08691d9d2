package dialogue

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// due is an answer that is waited for.
type due struct {
	message     *Message
	correlation int32
	bare        bool // a token without a header
}

// due is the answer to a message that has just been encoded.
func (c *conversation) due(m *Message) due {
	d := due{message: m, correlation: c.correlation, bare: m.form == "token"}
	if m.form == "frame" && m.name != "" {
		d.correlation = int32(binary.BigEndian.Uint32(m.raw[4:]))
	}
	return d
}

// describe writes one answer down.
func (c *conversation) describe(d due, frame []byte) string {
	if d.bare {
		return "token " + c.token(frame)
	}
	if d.message.name == "" || len(frame) < 4 {
		return "frame " + hex.EncodeToString(frame)
	}
	m := d.message
	line := fmt.Sprintf("%s v%d", m.name, m.version)
	if got := int32(binary.BigEndian.Uint32(frame)); got != d.correlation {
		line += fmt.Sprintf(" correlation=%d instead of %d", got, d.correlation)
	}
	body := frame[4:]
	r := kmsg.ResponseForKey(m.key)
	if r == nil {
		return line + " " + hex.EncodeToString(body)
	}
	r.SetVersion(m.version)
	if m.key == int16(kmsg.ApiVersions) {
		if len(body) >= 2 && binary.BigEndian.Uint16(body) == 35 {
			r.SetVersion(0) // whatever was asked (KIP-511)
		}
	} else if r.IsFlexible() {
		if len(body) == 0 || body[0] != 0 {
			return line + " with tagged fields in the header: " + hex.EncodeToString(body)
		}
		body = body[1:]
	}
	if err := r.ReadFrom(body); err != nil || !bytes.Equal(r.AppendTo(nil), body) {
		return line + " " + hex.EncodeToString(body)
	}
	return line + " " + c.fields(m, r, body)
}

// fields writes down what an answer says.
func (c *conversation) fields(m *Message, r kmsg.Response, body []byte) string {
	if m.spelt {
		return strings.TrimSpace("errors " + Named(r))
	}
	switch r := r.(type) {
	case *kmsg.ApiVersionsResponse:
		return apiVersions(r, m.list)
	case *kmsg.SASLHandshakeResponse:
		slices.Sort(r.SupportedMechanisms)
		return fmt.Sprintf("error=%d mechanisms=%s", r.ErrorCode, strings.Join(r.SupportedMechanisms, ","))
	case *kmsg.SASLAuthenticateResponse:
		line := fmt.Sprintf("error=%d message=%s bytes=%s", r.ErrorCode, quote(r.ErrorMessage), c.token(r.SASLAuthBytes))
		if m.version >= 1 {
			line += " lifetime=" + sign(r.SessionLifetimeMillis)
		}
		return line
	case *kmsg.MetadataResponse:
		return fmt.Sprintf("brokers=%d topics=%d cluster=%t controller=%t", len(r.Brokers), len(r.Topics),
			r.ClusterID != nil, r.ControllerID >= 0)
	}
	return hex.EncodeToString(body)
}

func apiVersions(r *kmsg.ApiVersionsResponse, list bool) string {
	line := fmt.Sprintf("error=%d", r.ErrorCode)
	if r.ErrorCode == 0 && !list {
		if len(r.ApiKeys) == 0 {
			return line + " keys="
		}
		return line
	}
	var keys []string
	for _, k := range r.ApiKeys {
		keys = append(keys, fmt.Sprintf("%d:%d-%d", k.ApiKey, k.MinVersion, k.MaxVersion))
	}
	line += " keys=" + strings.Join(keys, ",")
	if r.Version < 3 {
		return line
	}
	var supported, finalized []string // in no order of their own
	for _, f := range r.SupportedFeatures {
		supported = append(supported, fmt.Sprintf("%s:%d-%d", f.Name, f.MinVersion, f.MaxVersion))
	}
	for _, f := range r.FinalizedFeatures {
		finalized = append(finalized, fmt.Sprintf("%s:%d-%d", f.Name, f.MinVersionLevel, f.MaxVersionLevel))
	}
	slices.Sort(supported)
	slices.Sort(finalized)
	return fmt.Sprintf("%s supported=%s epoch=%s finalized=%s", line, strings.Join(supported, ","),
		sign(r.FinalizedFeaturesEpoch), strings.Join(finalized, ","))
}

func quote(s *string) string {
	if s == nil {
		return "null"
	}
	return strconv.Quote(*s)
}

// sign is a number that differs from run to run.
func sign(n int64) string {
	switch {
	case n > 0:
		return "positive"
	case n < 0:
		return "negative"
	}
	return "0"
}
