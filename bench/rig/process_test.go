package rig

import (
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are measured by /proc, which only Linux has")
	}
}

func TestAProcessIsLookedAtAndEnded(t *testing.T) {
	onLinux(t)
	p, err := launch(t.TempDir(), "sh", "-c", "echo here; exec sleep 60")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if err := p.wait(t.Context(), func() bool { return p.Log() == "here\n" }); err != nil {
		t.Fatal(err)
	}
	// A program that has just begun has a page or two.
	if err := p.wait(t.Context(), func() bool { n, err := p.Resident(); return err == nil && n >= 100<<10 }); err != nil {
		t.Errorf("its memory is not seen: %v", err)
	}
	if used, err := p.CPU(); err != nil || used > 10*time.Second {
		t.Errorf("%v of processor time, %v", used, err)
	}
	p.Stop()
	if _, err := p.Resident(); err == nil {
		t.Error("the process is still there")
	}
}

func TestAProcessThatEndsAtOnceSaysWhy(t *testing.T) {
	p, err := launch(t.TempDir(), "sh", "-c", "echo no such setting; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t.Context(), func() bool { return false }); err == nil || err.Error() != "sh ended at once:\nno such setting\n" {
		t.Errorf("%v", err)
	}
}

func TestProcessorTimeCounts(t *testing.T) {
	onLinux(t)
	before, err := processTime(os.Getpid(), 2)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Duration
	for begin := time.Now(); now < before+2*time.Second/userHz && time.Since(begin) < 10*time.Second; {
		if now, err = processTime(os.Getpid(), 2); err != nil {
			t.Fatal(err)
		}
	}
	if now <= before {
		t.Errorf("%v after %v: nothing was counted", now, before)
	}
	if busy, err := busyTime(); err != nil || busy < now {
		t.Errorf("the whole machine was busy for %v, this process alone for %v: %v", busy, now, err)
	}
}

func TestFreePortsAreFree(t *testing.T) {
	first, err := freePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+i))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	if next, err := freePorts(3); err != nil || next < first+3 && next+3 > first {
		t.Errorf("%d and the two after it: %v", next, err)
	}
}
