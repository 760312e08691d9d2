package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// three rounds, of which the second was bad to all alike.
func measured() results {
	all := results{}
	for round, rates := range [][2]float64{{600, 540}, {100, 80}, {640, 608}} {
		all.add(rowRawFetch, direct, round, rates[0])
		all.add(rowRawFetch, asyncgate, round, rates[1])
		all.add(rowRawFetchCPU, asyncgate, round, []float64{0.5, 0.7, 0.52}[round])
		all.add(rowRoundTrip, direct, round, 0.1)
		all.add(rowRoundTrip, asyncgate, round, 0.1+[]float64{0.02, 0.09, 0.025}[round])
	}
	return all
}

func TestFiguresAreMediansAndRatiosAreOfTheSameRound(t *testing.T) {
	all := measured()
	if got, _ := all.median(rowRawFetch, asyncgate); got != 540 {
		t.Errorf("median %v, want 540", got)
	}
	if got, _ := all.against(rowRawFetch, asyncgate, ratio); got != 0.9 {
		t.Errorf("ratio %v, want 0.9: 540/600", got)
	}
	if _, there := all.median(rowJavaProduce, direct); there {
		t.Error("nothing has a median")
	}
	if _, there := all.against(rowRawFetchCPU, asyncgate, ratio); there {
		t.Error("no direct connection has a proxy's processor time to compare with")
	}
}

func TestMemoryOfARoundIsItsMost(t *testing.T) {
	all := results{}
	for _, mb := range []float64{18, 31, 22} {
		all.add(rowLoadMemory, asyncgate, 0, mb)
	}
	if got, _ := all.median(rowLoadMemory, asyncgate); got != 31 {
		t.Errorf("%v, want 31", got)
	}
}

func TestTheReportSaysWhatWasMeasuredAndWhatWasMissed(t *testing.T) {
	c, err := choose(options{only: "raw-fetch,round-trip", columns: "direct,asyncgate"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `A quiet day.

### Records

|                                |      | direct | asyncgate      |
|--------------------------------|------|--------|----------------|
| fetch, raw frames of 1 MB      | MB/s | 600    | 540 (0.90)     |
| … processor time of the proxy  | s/GB | –      | 0.52           |
| small round trip (ListOffsets) | ms   | 0.100  | 0.125 (+0.025) |

### Aims

| asyncgate against direct    | aim         | reached   |     | HAProxy in this run | HAProxy, Kroxylicious, kafka-proxy elsewhere |
|-----------------------------|-------------|-----------|-----|---------------------|----------------------------------------------|
| raw fetch                   | ≥ 0.85      | 0.90      | met | –                   | 0.81, 0.75, 0.54                             |
| processor time, raw fetch   | ≤ 0.55 s/GB | 0.52 s/GB | met | –                   | 0.60, 0.85, 1.56                             |
| added to a small round trip | ≤ 0.030 ms  | 0.025 ms  | met | –                   | 0.03, 0.03, 0.07                             |
`
	all := measured()
	got := render(all, c, false, "A quiet day.\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	all.add(rowRawFetchCPU, asyncgate, 0, 9)
	all.add(rowRawFetchCPU, asyncgate, 1, 9)
	if got := render(all, c, false, ""); !strings.Contains(got, "| 9.00 s/GB | **missed** |") {
		t.Errorf("nine seconds a GB are not called missed:\n%s", got)
	}
}

func TestAReportReplacesItsSectionAlone(t *testing.T) {
	file, s := filepath.Join(t.TempDir(), "page.md"), sectionOf(true)
	if err := os.WriteFile(file, []byte("before\n"+s.begin+"old\n"+s.end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.write(file, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if want := "before\n" + s.begin + "\nnew\n\n" + s.end + "after\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := os.WriteFile(file, []byte("a page of somebody else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.write(file, "new\n"); err == nil {
		t.Error("a page without a section is nothing to write to")
	}
}

func TestAnAimMayBeWhatHAProxyReaches(t *testing.T) {
	all := results{}
	all.add(rowMQTTQoS0, direct, 0, 100)
	all.add(rowMQTTQoS0, asyncgate, 0, 50)
	c, err := choose(options{only: "mqtt-qos0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := render(all, c, true, ""); !strings.Contains(got, "≥ 0.60 | 0.50    | **missed** |") {
		t.Errorf("without HAProxy what it reached elsewhere counts:\n%s", got)
	}
	all.add(rowMQTTQoS0, haproxy, 0, 45)
	if got := render(all, c, true, ""); !strings.Contains(got, "≥ 0.45 | 0.50    | met |") {
		t.Errorf("with HAProxy what it reaches here counts:\n%s", got)
	}
	if got := render(all, c, false, ""); got != "" {
		t.Errorf("Kafka was not measured:\n%s", got)
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, o := range []options{{only: "raw-fetsch"}, {columns: "nginx"}, {rounds: -1}} {
		if _, err := choose(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestEveryRowHasAMeasureAndEveryAimARow(t *testing.T) {
	c, err := choose(options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.measures) != len(measures) || !c.haproxy() || !c.asyncgate() || !c.of(true) || !c.of(false) {
		t.Errorf("by default everything is measured, not %+v", c)
	}
	all := results{}
	for _, table := range tables {
		for _, row := range table.rows {
			for _, column := range table.columns {
				all.add(row.key, column, 0, 1)
			}
		}
	}
	for _, a := range aims {
		if _, _, _, measured := a.judge(all); !measured {
			t.Errorf("the aim for %s is about nothing that is measured", a.text)
		}
	}
}
