// Package random makes random Kafka messages, with kmsg, for tests.
package random

import (
	"math"
	"math/rand/v2"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fill gives every field of a kmsg message a random value: strings and bytes up to max long, slices of up to max
// elements, pointers nil or not. What kmsg then encodes is a well-formed message of its version.
func fill(r *rand.Rand, v reflect.Value, max int) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() && r.IntN(4) == 0 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), max)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Type == reflect.TypeFor[kmsg.Tags]() {
				if r.IntN(8) == 0 { // numbers far from those that Kafka uses
					tags := v.Field(i).Addr().Interface().(*kmsg.Tags)
					for n := range r.IntN(3) {
						tags.Set(uint32(1000+n), make([]byte, r.IntN(max+1)))
					}
				}
				continue
			}
			if f.Name != "Version" && f.IsExported() {
				fill(r, v.Field(i), max)
			}
		}
	case reflect.Slice:
		if r.IntN(5) == 0 {
			return
		}
		n := r.IntN(max + 1)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), max)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), max)
		}
	case reflect.String:
		b := make([]byte, r.IntN(max+1))
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Float64:
		v.SetFloat(r.Float64())
	}
}

// Request returns a request with every field filled, and its encoded body. Strings, bytes and arrays are up to max long.
func Request(r *rand.Rand, key, version int16, max int) (kmsg.Request, []byte) {
	m := kmsg.RequestForKey(key)
	fill(r, reflect.ValueOf(m).Elem(), max)
	asKafka(m, version)
	m.SetVersion(version)
	return m, m.AppendTo(nil)
}

// Response is [Request] for a response.
func Response(r *rand.Rand, key, version int16, max int) (kmsg.Response, []byte) {
	m := kmsg.ResponseForKey(key)
	fill(r, reflect.ValueOf(m).Elem(), max)
	asKafka(m, version)
	m.SetVersion(version)
	return m, m.AppendTo(nil)
}

// asKafka undoes what kmsg would write and Kafka refuses: tagged fields in versions that do not have them yet, and the
// null records of a ShareFetch response after v0.
func asKafka(m any, version int16) {
	switch m := m.(type) {
	case *kmsg.ProduceResponse:
		if version < 10 {
			m.Brokers = nil
			for i := range m.Topics {
				for j := range m.Topics[i].Partitions {
					m.Topics[i].Partitions[j].CurrentLeader = kmsg.NewProduceResponseTopicPartitionCurrentLeader()
				}
			}
		}
	case *kmsg.FetchRequest:
		if version < 15 {
			m.ReplicaState = kmsg.NewFetchRequestReplicaState()
		}
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				p := &m.Topics[i].Partitions[j]
				if version < 17 {
					p.ReplicaDirectoryID = [16]byte{}
				}
				if version < 18 {
					p.HighWatermark = math.MaxInt64
				}
			}
		}
	case *kmsg.FetchResponse:
		if version < 16 {
			m.Brokers = nil
		}
	case *kmsg.VoteResponse:
		if version < 1 {
			m.NodeEndpoints = nil
		}
	case *kmsg.FetchSnapshotRequest:
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				if version < 1 {
					m.Topics[i].Partitions[j].ReplicaDirectoryID = [16]byte{}
				}
			}
		}
	case *kmsg.FetchSnapshotResponse:
		if version < 1 {
			m.NodeEndpoints = nil
		}
	case *kmsg.BrokerHeartbeatRequest:
		if version < 1 {
			m.OfflineLogDirs = nil
		}
		if version < 2 {
			m.CordonedLogDirs = nil
		}
	case *kmsg.ShareFetchResponse:
		for i := range m.Topics {
			for j := range m.Topics[i].Partitions {
				if p := &m.Topics[i].Partitions[j]; p.Records == nil {
					p.Records = []byte{}
				}
			}
		}
	}
}
