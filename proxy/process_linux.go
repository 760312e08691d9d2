package proxy

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// processNumbers reads what Linux knows about the process, under the names that Prometheus clients use.
func processNumbers() []processNumber {
	var numbers []processNumber
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		numbers = append(numbers, processNumber{"process_open_fds", gaugeKind, "Open file descriptors.", float64(len(files))})
	}
	numbers = append(numbers, processNumber{"process_max_fds", gaugeKind, "File descriptors that may be open.", float64(openFiles())})
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			if pages, err := strconv.Atoi(fields[1]); err == nil {
				numbers = append(numbers, processNumber{"process_resident_memory_bytes", gaugeKind, "Resident memory.", float64(pages * os.Getpagesize())})
			}
		}
	}
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		seconds := float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
		numbers = append(numbers, processNumber{"process_cpu_seconds_total", counterKind, "CPU time, user and system.", seconds})
	}
	return numbers
}
