package api

import (
	"errors"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// maxAnswered bounds the requests that are answered with an error, in bytes: an answer repeats the names of its request.
// Admin tools name thousands of topics in less. The answer itself is bounded to answerFactor times its request and
// answerFree: a request of many empty names would make it far larger.
const (
	maxAnswered  = 1 << 20
	answerFactor = 4
	answerFree   = 16 << 10
)

var (
	errAnswered = errors.New("request of more than 1 MiB that would be answered with an error")
	errLong     = errors.New("request whose error answer would be more than 4 times as long")
	errSilent   = errors.New("request that gets no answer")
)

// form is what one API's error response is made of. An API without one answers with the code at the top and empty
// arrays. Paths are those of package wire, names those of Kafka's definitions.
type form struct {
	// items are the arrays of the response that have an element for each of an array in the request: path in the
	// response, name in the request's item (or at its top) that the array around it stands for. Fields of the same name
	// are repeated.
	items map[string]string
	// gather is for an array of the response that stands for several of the request.
	gather map[string]func(top item, do func(item))
	// fields repeat one of another name: path in the response, name in the request's item. An element that is a name or
	// a number itself has the name of its array.
	fields map[string]string
	// values differ from their default in an error: path in the response, value as definitions write it.
	values map[string]string

	deny       int16             // the code of a refusal; 0 means CLUSTER_AUTHORIZATION_FAILED
	denyItem   func(item) int16  // where it depends on the item
	denyValues map[string]string // values of a refusal

	// adapt changes the form for one request; it may be nil.
	adapt func(f *form, version int16, top item)
	// silent reports whether a request gets no answer; it may be nil.
	silent func(top item) bool
}

// formOf returns the form of an api key of the table.
func formOf(key int16) form {
	if f, ok := special[key]; ok {
		return f
	}
	return forms[key]
}

// ErrorResponse is the response to a request in that API's own format, with an error code at the top or for each thing
// that the request names: what Apache Kafka answers when a whole request fails. It is a complete frame, its 4 bytes of
// length included.
//
// The error is one of package wire for a request that is not known or breaks its definition. A request of more than
// 1 MiB, one whose answer would be more than 4 times as long, and one that gets no answer (Produce with acks=0) are
// errors too.
func ErrorResponse(h wire.RequestHeader, body []byte, code int16) (frame []byte, err error) {
	return respond(h, body, code, texts[code], false)
}

// Refuse is the response to a request of an API that the client may not use, as a broker with ACLs gives it: with the
// error codes of topics, groups or the cluster in the places where that API has them. Frame and error are those of
// [ErrorResponse]. For an API of class [Never] without a code there is no answer.
func Refuse(h wire.RequestHeader, body []byte) (frame []byte, err error) {
	a, code := Of(h.Key), codeClusterAuthorizationFailed
	switch {
	case a.Max() < 0:
		return nil, errSilent
	case a.Code != 0:
		code = a.Code
	case formOf(h.Key).deny != 0:
		code = formOf(h.Key).deny
	}
	return respond(h, body, code, texts[code], true)
}

func respond(h wire.RequestHeader, body []byte, code int16, text string, refused bool) ([]byte, error) {
	request, response := wire.Request(h.Key, h.Version), wire.Response(h.Key, h.Version)
	if len(body) > maxAnswered && h.Key != keyProduce { // most of it is records, which no answer repeats
		return nil, errAnswered
	}
	if err := request.Check(body); err != nil { // also for a key or version that is not known
		return nil, err
	}
	top := item{body: body, s: request}
	b := builder{form: formOf(h.Key), top: top, code: code, text: text, refused: refused}
	if b.adapt != nil {
		b.adapt(&b.form, h.Version, top)
	}
	if b.silent != nil && b.silent(top) {
		return nil, errSilent
	}
	b.limit = limitOf(body)
	b.out = wire.AppendResponseHeader(make([]byte, 4, b.limit), h.Key, h.Version, h.Correlation)
	b.structure(response, top, false)
	if b.long {
		return nil, errLong
	}
	return finish(b.out), nil
}

// limitOf bounds the answer to a request, in bytes.
func limitOf(body []byte) int { return answerFactor*min(len(body), maxAnswered) + answerFree }
