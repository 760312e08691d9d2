package api

import (
	"fmt"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// DescribeConfigs: topics and groups are everybody's, the configurations of brokers, their loggers and client metrics
// ask for a right on the cluster. A request that names both gets both answers.
func init() {
	special[keyDescribeConfigs] = form{items: pairs{"Results": "Resources"}, denyItem: denyConfig}
	asks[keyDescribeConfigs] = ask{items: "Resources", question: configQuestion, says: "describe topic or group; configurations of brokers are for admins"}
}

// configQuestion asks about one resource. What is no topic and no group is for admins.
func configQuestion(resource item, judge Judge) int16 {
	q := Question{Action: policy.Describe, Name: resource.text("ResourceName")}
	switch resource.int("ResourceType") {
	case resourceTopic:
		q.Kind = policy.Topic
	case resourceGroup:
		q.Kind = policy.Group
	default:
		return denyConfig(resource)
	}
	return judge(q)
}

// Split is a DescribeConfigs request of a client that is no admin: what of it may be forwarded, and the answer to the
// rest.
type Split struct {
	// Forward is the body to forward; it is the request's own if nothing is refused, and nil if everything is: then
	// Refuse has the whole answer.
	Forward []byte
	// Refused is how many resources are left out of it. If it is not 0, the response must go through Merge.
	Refused int

	version int16
	results []byte // of those, as elements of the response
}

// SplitConfigs looks at the resources of a DescribeConfigs request. The request must be whole; the error is one of
// package wire.
func SplitConfigs(h wire.RequestHeader, body []byte) (Split, error) {
	s := Split{Forward: body, version: h.Version}
	request, response := wire.Request(h.Key, h.Version), wire.Response(h.Key, h.Version)
	if h.Key != keyDescribeConfigs {
		return s, fmt.Errorf("%w: not DescribeConfigs", wire.ErrUnknown)
	}
	if err := request.Check(body); err != nil {
		return s, err
	}
	top := item{body: body, s: request}
	b := builder{form: formOf(h.Key), refused: true, limit: answerFactor*len(body) + answerFree}
	top.each("Resources", func(resource item) {
		if !everybodys(resource) {
			b.element(elementOf(response, "Results"), resource)
			s.Refused++
		}
	})
	kept := top.count("Resources") - s.Refused
	switch {
	case s.Refused == 0:
		return s, nil
	case len(body) > maxAnswered:
		return s, errAnswered
	case b.long:
		return s, errLong
	case kept == 0:
		s.Forward = nil
		return s, nil
	}
	s.results = b.out
	list, _ := top.field("Resources")
	out := append(make([]byte, 0, len(body)), body[:list.from]...)
	out = wire.AppendCount(out, request.Flexible, kept)
	top.each("Resources", func(resource item) {
		if everybodys(resource) {
			out = append(out, resource.bytes()...)
		}
	})
	s.Forward = append(out, body[list.to:]...)
	return s, nil
}

// Merge adds the refused resources to the response to what was forwarded, after the others, as a broker orders them. The
// payload is the frame after its 4 bytes of length; the result is a complete frame.
func (s Split) Merge(payload []byte) (frame []byte, err error) {
	_, n, err := wire.ParseResponseHeader(keyDescribeConfigs, s.version, payload)
	if err != nil {
		return nil, err
	}
	response, body := wire.Response(keyDescribeConfigs, s.version), payload[n:]
	if err := response.Check(body); err != nil {
		return nil, err
	}
	top := item{body: body, s: response}
	list, _ := top.field("Results")
	_, size := wire.Count(body[list.from:], response.Flexible)
	out := append(make([]byte, 4, 4+len(payload)+len(s.results)+4), payload[:n+list.from]...)
	out = wire.AppendCount(out, response.Flexible, top.count("Results")+s.Refused)
	out = append(out, body[list.from+size:list.to]...)
	out = append(out, s.results...)
	return finish(append(out, body[list.to:]...)), nil
}

// everybodys reports whether a resource is one whose configurations ask for no right on the cluster.
func everybodys(resource item) bool {
	kind := resource.int("ResourceType")
	return kind == resourceTopic || kind == resourceGroup
}

// elementOf is the structure of the elements of an array at the top.
func elementOf(s *wire.Struct, array string) *wire.Struct {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Name == array {
			return f.Elem.Struct
		}
	}
	return nil
}
