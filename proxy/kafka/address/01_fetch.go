package address

import (
	"sync"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// topicsField is the array after which Fetch and ShareFetch have nothing but addresses and tagged fields.
const topicsField = "Responses"

// Fetch: from v16 on a tagged field after all records names the new leaders of partitions that have moved (KIP-951).
func init() {
	editors[1] = rewriting{from: 16, tail: true}
}

// tails are the structures after the topics, by api key and version.
var tails = sync.OnceValue(func() map[[2]int16]*wire.Struct {
	all := map[[2]int16]*wire.Struct{}
	for key := range int16(len(editors)) {
		if r := editors[key]; r.tail {
			lo, hi := wire.Versions(key)
			for version := max(lo, r.from); version <= hi; version++ {
				all[[2]int16{key, version}] = wire.Response(key, version).After(topicsField)
			}
		}
	}
	return all
})

func tailOf(key, version int16) *wire.Struct { return tails()[[2]int16{key, version}] }
