package load

import (
	"testing"
	"time"
)

func TestTheLastSummaryOfTheProducerCounts(t *testing.T) {
	// With --warmup-records the first summary is of everything, the second of the steady state.
	out := `50000 records sent, 9990.0 records/sec (9.76 MB/sec), 40.5 ms avg latency, 400.0 ms max latency.
500000 records sent, 80385.9 records/sec (78.50 MB/sec), 300.12 ms avg latency, 600.00 ms max latency, 301 ms 50th, 500 ms 95th, 590 ms 99th, 599 ms 99.9th.
300000 records sent, 204800.0 records/sec (200.00 MB/sec), 3.21 ms avg latency, 25.00 ms max latency, 2 ms 50th, 7 ms 95th, 12 ms 99th, 20 ms 99.9th.
`
	rate, latency, err := produced(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Latency{Average: 3.21, P50: 2 * time.Millisecond, P99: 12 * time.Millisecond}); rate != 200 || latency != want {
		t.Errorf("%v MB/s, %+v, want 200 MB/s, %+v", rate, latency, want)
	}
	if _, _, err := produced("org.apache.kafka.common.errors.TimeoutException\n"); err == nil {
		t.Error("a run without a summary is no figure")
	}
}

func TestConsumersAreMeasuredWithoutTheirRebalance(t *testing.T) {
	out := `WARNING: option [messages] is deprecated
start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-01-02 03:04:05:006, 2026-01-02 03:04:08:006, 1953.1250, 651.0417, 2000000, 666666.6667, 500, 2500, 781.2500, 800000.0000
`
	rate, err := consumed(out, 2_000_000)
	if err != nil || rate != 781.25 {
		t.Errorf("%v MB/s, %v, want 781.25", rate, err)
	}
	if _, err := consumed(out, 2_000_001); err == nil {
		t.Error("a consumer that gave up early is no figure")
	}
	if _, err := consumed("", 1); err == nil {
		t.Error("nothing is no figure")
	}
}
