// Package api says which Kafka APIs a client may use, and answers for those that it may not.
//
// One table classes every api key: [Of] looks it up, [MaxVersion] is what the gateway may advertise. [Refuse] and
// [ErrorResponse] make the answers that a broker would give, in the request's own format, from its bytes; [Forbidden]
// finds requests of an allowed API that only brokers may send.
//
// The package is pure: bytes in, bytes out. It never decodes a request that package wire has not checked.
package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// Class is what the gateway does with an API.
type Class uint8

// The classes. The zero value is none of them: an api key without a class is not offered.
const (
	Unclassed Class = iota
	Pass            // any authenticated principal; topics, groups and transactions have rules of their own
	Admin           // the principals that the settings list under admins; others get the error of a broker with ACLs
	Never           // nobody, whatever the settings say
)

// String is the class as the documentation spells it.
func (c Class) String() string {
	return [...]string{Unclassed: "unclassed", Pass: "pass", Admin: "admin", Never: "never"}[c]
}

// API is one entry of the table.
type API struct {
	Key    int16
	Class  Class
	Reason string // why it has its class, in the words of the documentation
	// Code is the error that everybody gets from an API of class Never. Without one the connection is closed, as a
	// broker does with an api key that its listener does not serve.
	Code int16

	cap int16 // highest version to offer; 0 means that of the definitions
}

// Name is Kafka's name of the API.
func (a API) Name() string { return wire.Name(a.Key) }

// Max is the highest version that is offered, -1 if none is.
func (a API) Max() int16 {
	switch {
	case a.Class == Unclassed, a.Class == Never && a.Code == 0:
		return -1
	case a.cap > 0:
		return min(a.cap, wire.Max(a.Key))
	}
	return wire.Max(a.Key)
}

// byKey is the table at the index of its keys.
var byKey = func() (t [size]API) {
	for _, a := range table {
		t[a.Key] = a
	}
	return t
}()

// Of returns what is said of an api key. For one without an entry it returns the zero API, of class [Unclassed].
func Of(key int16) API {
	if key < 0 || key >= size {
		return API{}
	}
	return byKey[key]
}

// All returns the table, by ascending key.
func All() []API { return append([]API(nil), table[:]...) }

// MaxVersion is the highest version of an api key that may be advertised and accepted. It is false for a key that is
// not: its requests close the connection. An API of class [Admin] is offered to everybody, so that a client without the
// right gets an error in the answer's own format.
func MaxVersion(key int16) (int16, bool) {
	limit := Of(key).Max()
	return limit, limit >= 0
}
