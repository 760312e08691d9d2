//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pty opens a terminal: what is typed at keyboard is read from terminal.
func pty(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	fd := int(keyboard.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return keyboard, terminal
}

// echoes reports whether the terminal shows what is typed; not, if it is gone.
func echoes(terminal *os.File) bool {
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}

// typist waits for a prompt without echo, then types a line.
type typist struct {
	keyboard, terminal *os.File
	lines              []string
	stderr             bytes.Buffer
	typing             sync.WaitGroup
}

// Write is the command's standard error.
func (p *typist) Write(text []byte) (int, error) {
	if strings.HasSuffix(string(text), ": ") && len(p.lines) > 0 {
		line := p.lines[0]
		p.lines = p.lines[1:]
		p.typing.Go(func() {
			for deadline := time.Now().Add(10 * time.Second); echoes(p.terminal) && time.Now().Before(deadline); {
				<-time.After(time.Millisecond)
			}
			_, _ = p.keyboard.WriteString(line + "\n")
		})
	}
	return p.stderr.Write(text)
}

func TestCredentialsAskAtTheTerminal(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		code  int
	}{
		"twice the same": {[]string{"open sesame", "open sesame"}, 0},
		"two others":     {[]string{"open sesame", "open barley"}, 2},
		"nothing":        {[]string{"", ""}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			keyboard, terminal := pty(t)
			p := &typist{keyboard: keyboard, terminal: terminal, lines: c.lines}
			k := newKeeper(t)
			var stdout bytes.Buffer
			code := run(&environment{ctx: t.Context(), stdin: terminal, stdout: &stdout, stderr: p},
				[]string{"credentials", "--file", k.file, "add", "alice"})
			p.typing.Wait()
			if code != c.code || stdout.Len() > 0 {
				t.Fatalf("exit %d, %q, %s", code, &stdout, &p.stderr)
			}
			if !strings.HasPrefix(p.stderr.String(), "Password of alice: \nOnce more: \n") || !echoes(terminal) {
				t.Errorf("%q, echo %v", &p.stderr, echoes(terminal))
			}
			if c.code == 0 && k.plain("alice", "open sesame").Principal == nil {
				t.Error("another password was stored")
			}
		})
	}
}

func TestCredentialsInterruptedAtThePrompt(t *testing.T) {
	_, terminal := pty(t)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for echoes(terminal) {
			<-time.After(time.Millisecond)
		}
		interrupt()
	}()
	file := filepath.Join(t.TempDir(), "credentials.yaml")
	var stderr bytes.Buffer
	code := run(&environment{ctx: ctx, stdin: terminal, stdout: &stderr, stderr: &stderr},
		[]string{"credentials", "--file", file, "add", "alice"})
	if code != exitRuntime || !strings.Contains(stderr.String(), "interrupted") || !echoes(terminal) {
		t.Errorf("exit %d, echo %v: %s", code, echoes(terminal), &stderr)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it wrote a file")
	}
}
