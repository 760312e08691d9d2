//go:build race

package tokens

// instrumented says that the race detector makes everything cost more: then costs are not judged.
const instrumented = true
