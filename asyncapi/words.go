package asyncapi

import (
	"slices"
	"strings"
)

func contains(words []string, word string) bool { return slices.Contains(words, word) }

// nearest is the word that one was probably meant to be: at most two letters away. Empty if there is none.
func nearest(word string, words []string) string {
	best, distance := "", 3
	for _, w := range words {
		if d := edits(word, w); d < distance && d < len(w) {
			best, distance = w, d
		}
	}
	return best
}

// nearestKey is the key that was probably meant to be another one.
func nearestKey(name string, keys []string) string {
	for _, key := range keys {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return nearest(name, keys)
}

// edits is the Levenshtein distance, or 3 where it is surely more.
func edits(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
