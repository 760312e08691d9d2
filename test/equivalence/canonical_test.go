package equivalence_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// said is what a response says, by the path of each field: Topics/eq.a/Partitions/0/ErrorCode. Elements of an array are named by
// what they are about; the order in which they stand has a path of its own, Topics/order.
type said map[string]string

// ended is what is said by the end of the connection.
var ended = said{"connection": "ends"}

// moment are the fields of responses that are not compared, because they depend on the moment or on the address that was asked:
// all others are.
var moment = map[string]bool{"UnknownTags": true, "Version": true, "Port": true, "RecordBatches": true, "BaseOffset": true,
	"ProducerID": true, "ProducerEpoch": true, "AcquisitionLockTimeoutMillis": true}

// whether are fields of which only is compared whether they say something: a broker's texts name connections, and a session has
// the number that was free.
var whether = map[string]bool{"ErrorMessage": true, "SessionID": true}

// canonical is what a response says.
func canonical(response kmsg.Response) said {
	s := said{}
	s.structure("", reflect.ValueOf(response).Elem())
	if _, ok := response.(*kmsg.ShareFetchResponse); ok {
		return s.refused()
	}
	return s
}

// refused is what a ShareFetch says of what is refused, and at its top. Which of the other partitions it names depends on what the
// broker has read of their state meanwhile.
func (s said) refused() said {
	left := said{}
	for path, text := range s {
		topic, rest, found := strings.Cut(path, "/Partitions/")
		part, _, _ := strings.Cut(rest, "/")
		code := s[topic+"/Partitions/"+part+"/ErrorCode"]
		if !strings.HasPrefix(path, "Topics") || found && code != "" && code != "0" && code != "-1" {
			left[path] = text
		}
	}
	return left
}

func (s said) structure(path string, v reflect.Value) {
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		switch {
		case moment[name]:
		case whether[name]:
			s[path+name] = fmt.Sprint(!field.IsZero())
		default:
			s.field(path+name, field)
		}
	}
}

func (s said) field(path string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Slice && v.IsNil():
		s[path] = "null"
	case v.Kind() == reflect.Pointer:
		s.field(path, v.Elem())
	case v.Kind() == reflect.Struct:
		s.structure(path+"/", v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		s.array(path, v)
	default:
		s[path] = fmt.Sprint(v.Interface())
	}
}

func (s said) array(path string, v reflect.Value) {
	var order []string
	for i := range v.Len() {
		name := nameOf(v.Index(i), i)
		order = append(order, name)
		s.structure(path+"/"+name+"/", v.Index(i)) // brokers may answer about one topic in two elements
	}
	s[path+"/order"] = strings.Join(order, " ")
}

// nameOf is what an element of an array is about; if that is not known, its place.
func nameOf(v reflect.Value, at int) string {
	for _, field := range []string{"Topic", "Name", "Group", "GroupID", "Key", "TransactionalID", "ResourceName", "MemberID", "TopicID", "Partition", "NodeID"} {
		f := v.FieldByName(field)
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		if !f.IsValid() || f.IsZero() && field != "Partition" {
			continue
		}
		if f.Kind() == reflect.Array {
			return fmt.Sprintf("%x", f.Interface())
		}
		return fmt.Sprint(f.Interface())
	}
	return fmt.Sprint(at)
}

// differ are the paths of which two say different things, ascending.
func differ(a, b said) []string {
	var paths []string
	for path := range a {
		if a[path] != b[path] {
			paths = append(paths, path)
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			paths = append(paths, path)
		}
	}
	return slices.Sorted(slices.Values(paths))
}

// at is what is said at a path; a dash if nothing is.
func (s said) at(path string) string {
	if text, ok := s[path]; ok {
		return cmp.Or(text, `""`)
	}
	return "-"
}
