package credentials

import (
	"cmp"

	"github.com/asyncgate/asyncgate/sasl"
)

// shape is what a server shows of a verifier before it knows the password. The verifiers that are made up for strangers
// take the commonest of the store.
type shape struct {
	iterations int
	salt       sasl.SaltShape
}

func shapeOf(v Verifier) shape {
	s := shape{iterations: v.Iterations, salt: sasl.SaltShape{Length: len(v.Salt)}}
	if likeKafka(v.Salt) {
		s.salt = sasl.SaltShape{Kafka: true}
	}
	return s
}

// likeKafka reports whether a salt is one of Kafka's ScramFormatter: 130 bits in base 36, of 26 digits or a few less.
func likeKafka(salt []byte) bool {
	for _, c := range salt {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(salt) >= 22 && len(salt) <= 26
}

// commonest counts the shapes of each hash. Of two that are as common it takes the one with fewer iterations, then the
// one with the shorter salt, so that two instances agree.
func commonest(f *File) map[sasl.Hash]shape {
	seen := map[sasl.Hash]map[shape]int{sasl.SHA256: {}, sasl.SHA512: {}}
	for _, u := range f.Users {
		for _, v := range u.Verifiers {
			seen[v.Hash][shapeOf(v)]++
		}
	}
	most := map[sasl.Hash]shape{}
	for h, counts := range seen {
		for s, n := range counts {
			best, known := most[h]
			if !known || cmp.Or(cmp.Compare(counts[best], n), cmp.Compare(s.iterations, best.iterations),
				cmp.Compare(s.salt.Length, best.salt.Length)) < 0 {
				most[h] = s
			}
		}
	}
	return most
}

// Iterations is the commonest iteration count among the verifiers of a hash; 0 if there are none.
func (s *Store) Iterations(hash sasl.Hash) int { return s.shapes[hash].iterations }

// SaltShape is the commonest shape of the salts of a hash.
func (s *Store) SaltShape(hash sasl.Hash) sasl.SaltShape { return s.shapes[hash].salt }
