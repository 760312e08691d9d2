package equivalence_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// told are the fields of responses that are compared: what is named, and what is said of it. Offsets, times, addresses,
// epochs and texts depend on the moment or on the gateway.
var told = map[string]bool{
	"ErrorCode": true, "Topic": true, "Group": true, "Name": true, "Key": true, "TransactionalID": true, "ResourceName": true,
	"ResourceType": true, "TopicID": true, "Partition": true, "IsInternal": true, "Coordinators": true, "AcknowledgeErrorCode": true,
}

// canonical is what a response says, as text in which the order of things does not matter.
func canonical(response kmsg.Response) string {
	return walk(reflect.ValueOf(response).Elem(), idsDiffer[response.Key()])
}

// idsDiffer are the APIs in which a broker tells the id of a topic whose use it denies. The gateway does not.
var idsDiffer = map[int16]bool{91: true, 92: true}

func walk(v reflect.Value, noIDs bool) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return walk(v.Elem(), noIDs)
	case reflect.Slice:
		var elements []string
		for i := range v.Len() {
			elements = append(elements, walk(v.Index(i), noIDs))
		}
		slices.Sort(elements)
		return "[" + strings.Join(elements, " ") + "]"
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch deep(f.Type) {
			case reflect.Struct:
				if f.Name != "UnknownTags" && f.Name != "Brokers" && f.Name != "Configs" && f.Name != "RecordBatches" && v.Field(i).Kind() == reflect.Slice && v.Field(i).Len() > 0 {
					fields = append(fields, f.Name+walk(v.Field(i), noIDs))
				}
			default:
				if text := scalar(v.Field(i)); told[f.Name] && text != "" && !(noIDs && f.Name == "TopicID") {
					fields = append(fields, f.Name+"="+text)
				}
			}
		}
		slices.Sort(fields)
		slices.Reverse(fields) // names before error codes
		return "{" + strings.Join(fields, " ") + "}"
	}
	return scalar(v)
}

func deep(t reflect.Type) reflect.Kind {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind()
}

// scalar is a value as text; what is zero says nothing.
func scalar(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.IsZero() && v.Kind() != reflect.String {
		return ""
	}
	return fmt.Sprint(v.Interface())
}
