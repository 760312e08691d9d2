package proxy_test

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// get asks the admin endpoint.
func (s *stage) get(path string) (status int, body string) {
	s.t.Helper()
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get("http://" + s.admin + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// metric is the value of one sample, written as it is exposed; -1 if there is none.
func (s *stage) metric(sample string) float64 {
	s.t.Helper()
	_, body := s.get("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	return -1
}

func TestHealthUntilTheDrainBegins(t *testing.T) {
	s := begin(t, open())
	busy := s.dial()
	busy.want("guest", "welcome")
	for _, path := range []string{"/livez", "/readyz"} {
		if status, body := s.get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := s.get("/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("what is not there answers with %d", status)
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	s := begin(t, users())
	c := s.dial()
	c.want("login alice", "welcome")
	c.want("deny payroll", "denied")
	s.dial().want("fail bob", "refused")
	panicking := s.dial()
	_, _ = panicking.try("panic")
	panicking.closed()
	for sample, want := range map[string]float64{
		`asyncgate_connections_accepted_total{server="main"}`:                                    3,
		`asyncgate_connections_refused_total{code="wrong-password",server="main",stage="login"}`: 1,
		`asyncgate_connections_refused_total{code="panic",server="main",stage="session"}`:        1,
		`asyncgate_logins_total{mechanism="PLAIN",server="main"}`:                                1,
		`asyncgate_requests_total{api="Produce",decision="deny",server="main"}`:                  1,
		`asyncgate_panics_total{server="main"}`:                                                  1,
		`asyncgate_last_reload_success`:                                                          1,
		`asyncgate_draining`:                                                                     0,
	} {
		if got := s.metric(sample); got != want {
			t.Errorf("%s is %v, want %v", sample, got, want)
		}
	}
	eventually(t, "one connection is open", func() bool { return s.metric(`asyncgate_connections{server="main"}`) == 1 })
	if at := s.metric("asyncgate_last_reload_timestamp_seconds"); time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("the state is of %v", at)
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	p := open()
	p.Servers[0].Name = "with \"quotes\" and\nlines \\"
	s := begin(t, p)
	docs, err := os.ReadFile("../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body := s.get("/metrics")
	families := 0
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# TYPE asyncgate_"); ok { // the rest are the library's
			name, _, _ := strings.Cut(rest, " ")
			if families++; !strings.Contains(string(docs), "`asyncgate_"+name+"`") {
				t.Errorf("docs/running.md does not describe asyncgate_%s", name)
			}
		}
	}
	if families < 12 {
		t.Errorf("%d families are exposed", families)
	}
}
