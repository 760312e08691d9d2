package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// observedTimeout bounds a whole GET /observed: the answer is a few MiB at most, and comes from memory.
const observedTimeout = 30 * time.Second

// observations reads an input of learn: standard input, a URL, or a file.
func observations(env *environment, from string) ([]byte, error) {
	switch {
	case from == "-":
		return bounded(stdinName, env.stdin)
	case strings.HasPrefix(from, "http://"), strings.HasPrefix(from, "https://"):
		return fetchObserved(env, from)
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	defer f.Close()
	return bounded(from, f)
}

// fetchObserved asks a gateway. A URL without a path is that of its admin address.
func fetchObserved(env *environment, from string) ([]byte, error) {
	u, err := url.Parse(from)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/observed"
	}
	request, err := http.NewRequestWithContext(env.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	client := &http.Client{
		Timeout:       observedTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, &exitError{exitRuntime, err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &exitError{exitRuntime, fmt.Errorf("%s: %s; name the admin address of a gateway", u.Redacted(), answer.Status)}
	}
	return bounded(u.Redacted(), answer.Body)
}
