package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

// Others begins to watch what the rest of the machine does. The function it returns tells which share of the processors
// went elsewhere since: to processes that are not of the benchmark, or to other guests of the host (steal). A process
// that is started and still runs then counts as one of the others.
func (r *Rig) Others() (func() (float64, error), error) {
	begin := time.Now()
	busy, own, err := r.used()
	if err != nil {
		return nil, err
	}
	return func() (float64, error) {
		busyNow, ownNow, err := r.used()
		elsewhere := (busyNow - busy) - (ownNow - own)
		return max(0, elsewhere.Seconds()/(time.Since(begin).Seconds()*float64(runtime.NumCPU()))), err
	}, nil
}

// used is the processor time that has gone by since the machine and since the benchmark started.
func (r *Rig) used() (busy, own time.Duration, err error) {
	if busy, err = busyTime(); err != nil {
		return 0, 0, err
	}
	// The benchmark itself with all that has ended, such as Java's tools.
	own, err = processTime(os.Getpid(), 4)
	var pids []int
	if r.Broker != nil {
		pids = append(pids, r.Broker.pid)
	}
	if r.MQTT != nil {
		pids = append(pids, r.MQTT.pids()...)
	}
	if r.HAProxy != nil {
		pids = append(pids, r.HAProxy.PID())
	}
	if r.Gateway != nil {
		pids = append(pids, r.Gateway.PID())
	}
	for _, pid := range pids {
		used, more := processTime(pid, 2)
		own, err = own+used, errors.Join(err, more)
	}
	return busy, own, err
}

// busyTime is what all processors together have done, in /proc/stat: all but idle and iowait.
func busyTime() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line) // cpu user nice system idle iowait irq softirq steal, then what is in user already
	if len(fields) < 9 {
		return 0, errors.New("/proc/stat has too few fields")
	}
	return ticks(fields[1], fields[2], fields[3], fields[6], fields[7], fields[8])
}

// processTime adds up the first fields of utime, stime, cutime and cstime, 14 to 17 in /proc/PID/stat (proc(5)).
func processTime(pid, fields int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the name, in parentheses, and may contain anything.
	all := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(all) < 15 {
		return 0, errors.New("/proc/PID/stat has too few fields")
	}
	return ticks(all[11 : 11+fields]...)
}

// userHz is the unit of processor time in /proc on Linux, whatever the kernel's own tick is (time(7)).
const userHz = 100

func ticks(fields ...[]byte) (time.Duration, error) {
	var sum int64
	for _, field := range fields {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / userHz, nil
}
