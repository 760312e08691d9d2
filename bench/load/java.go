package load

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Java runs the performance tools that come with Apache Kafka.
type Java struct {
	Libraries string // directory of the jars
	Bootstrap string // host:port
	Config    string // file with the properties that the connection needs
}

// Latency is how long records took from the producer's send to its answer.
type Latency struct {
	Average  float64       // milliseconds
	P50, P99 time.Duration // the tool counts whole milliseconds
}

// producerProperties let one producer thread reach what it can: bigger batches than the 16 KiB of the default, answered
// by the leader.
var producerProperties = []string{"acks=1", "batch.size=131072", "linger.ms=5", "buffer.memory=67108864"}

// summary is the tool's last line.
var summary = regexp.MustCompile(`\(([\d.]+) MB/sec\), ([\d.]+) ms avg latency, [\d.]+ ms max latency, (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th`)

// Produce sends so many records of RecordSize, at most throughput a second unless that is −1, and returns MiB a second
// and the latency. What it measures begins after the first warm records, while Java still compiles.
func (j Java) Produce(ctx context.Context, topic string, records, warm, throughput int) (float64, Latency, error) {
	args := []string{"--topic", topic, "--bootstrap-server", j.Bootstrap,
		"--num-records", strconv.Itoa(records + warm), "--warmup-records", strconv.Itoa(warm),
		"--record-size", strconv.Itoa(RecordSize), "--throughput", strconv.Itoa(throughput),
		"--command-config", j.Config, "--command-property"}
	out, err := j.run(ctx, "ProducerPerformance", append(args, producerProperties...))
	if err != nil {
		return 0, Latency{}, err
	}
	return produced(out)
}

// produced reads what ProducerPerformance printed.
func produced(out string) (float64, Latency, error) {
	found := summary.FindAllStringSubmatch(out, -1)
	if len(found) == 0 {
		return 0, Latency{}, fmt.Errorf("ProducerPerformance printed no summary:\n%s", out)
	}
	var values [4]float64
	for i := range values {
		values[i], _ = strconv.ParseFloat(found[len(found)-1][i+1], 64) // the expression allows digits alone
	}
	return values[0], Latency{
		Average: values[1],
		P50:     time.Duration(values[2]) * time.Millisecond,
		P99:     time.Duration(values[3]) * time.Millisecond,
	}, nil
}

// Consume reads so many records with a group of its own and returns MiB a second, from when the group has its partitions.
func (j Java) Consume(ctx context.Context, topic string, records int) (float64, error) {
	args := []string{"--topic", topic, "--bootstrap-server", j.Bootstrap,
		"--num-records", strconv.Itoa(records), "--timeout", "20000", "--command-config", j.Config}
	out, err := j.run(ctx, "ConsumerPerformance", args)
	if err != nil {
		return 0, err
	}
	return consumed(out, records)
}

// consumed reads what ConsumerPerformance printed.
func consumed(out string, records int) (float64, error) {
	// A header, then one line: start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec,
	// rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec.
	_, table, _ := strings.Cut(out, "start.time")
	lines := csv.NewReader(strings.NewReader(table))
	lines.TrimLeadingSpace = true
	lines.FieldsPerRecord = 10
	all, err := lines.ReadAll()
	if err != nil {
		return 0, fmt.Errorf("ConsumerPerformance printed something else: %w\n%s", err, out)
	}
	if len(all) != 2 {
		return 0, fmt.Errorf("ConsumerPerformance printed no figures:\n%s", out)
	}
	if got, _ := strconv.Atoi(all[1][4]); got < records {
		return 0, fmt.Errorf("consumed %d records of %d", got, records)
	}
	return strconv.ParseFloat(all[1][8], 64)
}

func (j Java) run(ctx context.Context, tool string, args []string) (string, error) {
	java := []string{"-Xms512m", "-Xmx512m", "-cp", filepath.Join(j.Libraries, "*"), "org.apache.kafka.tools." + tool}
	command := exec.CommandContext(ctx, "java", append(java, args...)...)
	command.WaitDelay = time.Second
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", tool, err, out.Bytes(), said.Bytes())
	}
	return out.String(), nil
}
