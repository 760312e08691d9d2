//go:build !unix

package proxy_test

const starvedEnv = "ASYNCGATE_TEST_STARVED"

func starved() int { return 0 }
