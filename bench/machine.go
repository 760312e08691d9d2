package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// describeRun says when, where and how a run measured, without names or paths of the machine.
func (b *bench) describeRun(ctx context.Context, c choice, mqtt bool, start time.Time) string {
	kind := "rounds"
	if c.rounds == 1 {
		kind = "round"
	}
	if c.quick {
		kind += " of a quick run"
	}
	return fmt.Sprintf("%s: %d alternating %s in %v. %s, %d processors, %s; Linux %s; %s; %s; %s.\n",
		start.UTC().Format("2006-01-02"), c.rounds, kind, time.Since(start).Round(time.Second),
		field("/proc/cpuinfo", "model name"), runtime.NumCPU(), memory(), firstLine("/proc/sys/kernel/osrelease"),
		b.describeBroker(ctx, mqtt), runtime.Version(), version(ctx, `version ([\d.]+)`, "HAProxy", "haproxy", "-v")) +
		b.disturbed()
}

func (b *bench) describeBroker(ctx context.Context, mqtt bool) string {
	if mqtt {
		return version(ctx, `version ([\d.]+)`, "Mosquitto", "mosquitto_pub", "--version")
	}
	log := "on disk"
	if b.rig.Memory {
		log = "in memory"
	}
	return fmt.Sprintf("Apache Kafka %s, one node, its log %s; %s", b.rig.Broker.Version, log,
		version(ctx, `"([\d.]+)"`, "Java", "java", "-version"))
}

// disturbed says how much of the machine was not the benchmark's.
func (b *bench) disturbed() string {
	share, measured := median(slices.Clone(b.elsewhere))
	if !measured {
		return ""
	}
	return fmt.Sprintf("Processes that have nothing to do with it took %.0f %% of the processors in the median measurement, %.0f %% in the worst.\n",
		100*share, 100*slices.Max(b.elsewhere))
}

// version asks a program for its version.
func version(ctx context.Context, expression, name string, command ...string) string {
	out, _ := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput() // some call asking an error
	found := regexp.MustCompile(expression).FindSubmatch(out)
	if found == nil {
		return "no " + name
	}
	return fmt.Sprintf("%s %s", name, found[1])
}

// memory is the machine's, in GiB.
func memory() string {
	kib, _, _ := strings.Cut(field("/proc/meminfo", "MemTotal"), " ")
	n, err := strconv.Atoi(kib)
	if err != nil {
		return "unknown memory"
	}
	return fmt.Sprintf("%d GiB", (n+1<<19)>>20)
}

// field is the first value of that name in a file of "name: value" lines.
func field(file, name string) string {
	in, err := os.Open(file)
	if err != nil {
		return "unknown " + name
	}
	defer in.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + name
}

func firstLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
