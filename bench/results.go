package main

import (
	"cmp"
	"slices"
)

// figure is what was measured, for a row of the tables.
type figure struct {
	row   string
	value float64
}

// results are all figures by row, column and round.
type results map[string]map[string]map[int]float64

func (r results) add(row, column string, round int, value float64) {
	if r[row] == nil {
		r[row] = map[string]map[int]float64{}
	}
	if r[row][column] == nil {
		r[row][column] = map[int]float64{}
	}
	// What several measures of a round have figures for is a maximum, memory.
	r[row][column][round] = max(r[row][column][round], value)
}

// median is the middle of the rounds.
func (r results) median(row, column string) (float64, bool) {
	var values []float64
	for _, value := range r[row][column] {
		values = append(values, value)
	}
	return median(values)
}

// against is the median, over the rounds, of what compare makes of a column and of direct connections in the same round.
func (r results) against(row, column string, compare func(a, b float64) float64) (float64, bool) {
	var values []float64
	for round, value := range r[row][column] {
		if base, there := r[row][direct][round]; there {
			values = append(values, compare(value, base))
		}
	}
	return median(values)
}

func ratio(a, b float64) float64      { return a / b }
func difference(a, b float64) float64 { return a - b }

func median[T cmp.Ordered](values []T) (middle T, some bool) {
	if len(values) == 0 {
		return middle, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}
