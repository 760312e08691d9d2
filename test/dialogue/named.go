package dialogue

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// naming are the fields of requests and responses that name something: a topic, a group, a transactional id.
var naming = []string{"Topic", "Name", "Group", "TransactionalID", "ResourceName", "CoordinatorKey", "Key", "TopicID",
	"Topics", "Groups", "CoordinatorKeys", "SubscribedTopicNames", "SubscribedTopicRegex"}

// maxName is how long a name may be to be written out, in bytes.
const maxName = 40

// Named writes down what a request names, or what a response says of each thing that it names: NAME=ERROR, in the order of
// the message; what belongs to nothing is of "error". Names are quoted where they are not plain, and cut with their length behind where they are long; a topic id
// is # and the id in hexadecimal.
func Named(message any) string {
	_, response := message.(kmsg.Response)
	var words []string
	collect(reflect.ValueOf(message), "error", response, &words)
	return strings.Join(words, " ")
}

// collect goes through a message. In it is what the structures around this one are called.
func collect(v reflect.Value, in string, response bool, words *[]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			collect(v.Elem(), in, response, words)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), in, response, words)
		}
	case reflect.Struct:
		names := namesOf(v)
		if len(names) > 0 {
			in = strings.Join(names, " ")
		}
		if code := v.FieldByName("ErrorCode"); response && code.IsValid() && code.Kind() == reflect.Int16 {
			*words = append(*words, fmt.Sprintf("%s=%d", in, code.Int()))
		} else if !response {
			*words = append(*words, names...)
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				collect(v.Field(i), in, response, words)
			}
		}
	}
}

// namesOf are the names in the fields of one structure.
func namesOf(v reflect.Value) (names []string) {
	empty := false // one is there, and says nothing
	for _, field := range naming {
		f := v.FieldByName(field)
		if f.IsValid() && f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		if !f.IsValid() {
			continue
		}
		switch value := f.Interface().(type) {
		case string:
			if empty = value == ""; !empty {
				names = append(names, plain(value))
			}
		case []string:
			for _, one := range value {
				names = append(names, plain(one))
			}
		case [16]byte:
			if value != [16]byte{} {
				names = append(names, "#"+new(big.Int).SetBytes(value[:]).Text(16))
			}
		}
	}
	if empty && len(names) == 0 {
		names = []string{`""`}
	}
	return names
}

func plain(name string) string {
	if len(name) > maxName {
		return fmt.Sprintf("%s…%d", name[:3], len(name))
	}
	if quoted := strconv.QuoteToASCII(name); quoted != `"`+name+`"` || strings.ContainsAny(name, " =") {
		return quoted
	}
	return name
}
