// Package spelling finds the word that somebody meant to write, for the hint of a problem.
package spelling

// Nearest is the word that one was probably meant to be: at most two slips away, or one if it is short. Empty if there is
// none.
func Nearest(word string, words []string) string {
	best, distance := "", 3
	for _, w := range words {
		most := 2
		if len(w) <= 4 {
			most = 1
		}
		if d := edits(word, w); d <= most && d < distance && d < len(w) {
			best, distance = w, d
		}
	}
	return best
}

// edits is how many letters are too many, too few, wrong or swapped with the next (the optimal string alignment distance),
// or 3 where it is surely more than 2.
func edits(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(next[j]+1, row[j+1]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
