//go:build !race

package tokens

const instrumented = false
