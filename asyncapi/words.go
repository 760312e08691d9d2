package asyncapi

import (
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/internal/spelling"
)

func contains(words []string, word string) bool { return slices.Contains(words, word) }

// nearestKey is the key that was probably meant to be another one.
func nearestKey(name string, keys []string) string {
	for _, key := range keys {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return spelling.Nearest(name, keys)
}
